import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MessageFlags } from 'discord-api-types/v10';
import { buttonsOf } from '../sim/discord.ts';
import { textOf, toRecord } from '../sim/slack-world.ts';
import { setStage as setDiscord } from './discord-setup.ts';
import { setStage as setSlack } from './slack-setup.ts';

/** Of two answers to one question the earlier one is chosen, by the buttons, where it was posted. */

test('Discord: the chosen answer stands where the last one was posted, and the list was seen by one person', async () => {
  const { discord, model, channel, ann, answerTo } = await setDiscord({ after });
  const question = discord.say(ann, channel, `${discord.mention} What shall we do?`);
  const [first] = await answerTo(channel, question);
  discord.press(ann, channel, first ?? assert.fail(), 'Retry');
  const second = await discord.until(
    () => discord.posts(channel).find((one) => buttonsOf(one).some((button) => button.label === 'Versions')),
    'it is answered again',
  );
  assert.equal(second.content, 'answer 2');
  const shown = discord.press(ann, channel, second, 'Versions');
  const list = await discord.until(() => shown.answers.find((one) => /2 answers/.test(one.content)), 'they are listed');
  assert.ok((list.flags ?? 0) & MessageFlags.Ephemeral);
  const before = discord.posts(channel).length;
  const chosen = discord.press(ann, channel, list, 'Use 1');
  await discord.until(() => chosen.answers.find((one) => /Answer 1 of 2 counts now/.test(one.content)), 'it is chosen');
  assert.equal(discord.posts(channel).find((one) => one.id === second.id)?.content, 'answer 1');
  assert.equal(discord.posts(channel).length, before);
  await answerTo(channel, discord.say(ann, channel, `${discord.mention} So?`));
  assert.deepEqual(
    model.requests
      .at(-1)
      ?.messages.filter((one) => one.role === 'assistant')
      .map((one) => one.text),
    ['answer 1'],
  );
});

test('Discord: roles and what a setting may be are offered while they are typed, as they are now', async () => {
  const { discord, channel, ann } = await setDiscord({ after });
  const offered = async (path: string[], values: Record<string, string>) => {
    const typed = discord.type(ann, channel, path, values);
    return (await discord.until(() => typed.choices, 'something is offered')).map((one) => toRecord(one).value);
  };
  assert.deepEqual(await offered(['role', 'preset'], { preset: 'tu' }), ['tutor']);
  assert.deepEqual(await offered(['settings', 'set'], { name: 'workspace.tools', value: '' }), ['all', 'none']);
  assert.deepEqual(await offered(['settings', 'set'], { name: 'response_format', value: 'json' }), ['json_object']);
});

test('Slack: the chosen answer stands where the last one was posted, and the list was seen by one person', async () => {
  const { slack, model, channel, ann, answerTo } = await setSlack({ after });
  const question = slack.say(ann, channel, `${slack.mention} What shall we do?`);
  const [first] = await answerTo(channel, question);
  slack.press(ann, channel, first ?? assert.fail(), 'Retry');
  const second = await slack.until(
    () =>
      slack
        .posts(channel, question.ts)
        .find((one) => slack.buttonsOf(one).some((button) => button.label === 'Versions')),
    'it is answered again',
  );
  assert.equal(textOf(second), 'answer 2');
  const said = async (responseId: string, words: RegExp) =>
    await slack.until(
      () => slack.responses.get(responseId)?.said.find((one) => words.test(JSON.stringify(one))),
      String(words),
    );
  const list = toRecord(await said(slack.press(ann, channel, second, 'Versions').responseId, /2 answers/));
  assert.equal(list.response_type, 'ephemeral');
  const before = slack.posts(channel, question.ts).length;
  const blocks = Array.isArray(list.blocks) ? list.blocks : [];
  const ephemeral = { ts: slack.world.newTs(), thread_ts: question.ts, blocks };
  await said(slack.press(ann, channel, ephemeral, 'Use 1', true).responseId, /Answer 1 of 2 counts now/);
  const posts = slack.posts(channel, question.ts);
  assert.equal(textOf(posts.find((one) => one.ts === second.ts) ?? assert.fail()), 'answer 1');
  assert.equal(posts.length, before);
  await answerTo(channel, slack.say(ann, channel, `${slack.mention} So?`));
  assert.deepEqual(
    model.requests
      .at(-1)
      ?.messages.filter((one) => one.role === 'assistant')
      .map((one) => one.text),
    ['answer 1'],
  );
});
