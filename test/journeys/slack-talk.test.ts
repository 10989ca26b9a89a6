import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setStage, shownText } from './slack-setup.ts';

const stage = await setStage({ after });
const { slack, model } = stage;

const newChannel = (name = 'talk') => slack.world.addChannel(name);

test('a mention is answered in its thread, once, by a stream that ends', async () => {
  const channel = newChannel();
  model.answerWith(() => 'Hello Ann, how are you?');
  const question = slack.say(stage.ann, channel, `${slack.mention} hello there`);
  const answer = await stage.answerTo(channel, question);
  assert.equal(shownText(answer), 'Hello Ann, how are you?');
  assert.equal(slack.posts(channel).length, 1);
  assert.equal(answer[0]?.thread_ts, question.ts);
  assert.deepEqual(answer.filter(slack.isStreaming), []);
  assert.match(model.requests.at(-1)?.last ?? '', /Ann: hello there/);
  const methods = slack.requests.map((one) => one.method);
  assert.ok(methods.includes('chat.startStream') && methods.includes('chat.stopStream'));
  assert.ok(slack.state.statuses.some((one) => one.thread === question.ts && one.status !== ''));
  assert.deepEqual(slack.refused(), []);
});
