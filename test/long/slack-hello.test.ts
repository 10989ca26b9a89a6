import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setStage } from '../journeys/slack-setup.ts';

test('a socket on which Slack never says hello is given up, and the next one serves', async (t) => {
  const stage = await setStage(t, { start: false });
  const { slack, model } = stage;
  const opened = (): number => slack.requests.filter((one) => one.method === 'apps.connections.open').length;
  slack.hello.said = false;
  stage.start().catch(() => undefined);
  await slack.until(() => opened() === 1, 'it asks for a socket');
  await slack.until(() => opened() === 2, 'it asks for another', 30_000);
  slack.hello.said = true;
  await slack.until(() => slack.delivery.counts.connected > 0, 'it is connected', 60_000);
  model.answerWith(() => 'there');
  const question = slack.say(stage.ann, stage.channel, `${slack.mention} hi`);
  await stage.answerTo(stage.channel, question);
  assert.equal(slack.posts(stage.channel).length, 1);
});
