import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countMessages, toMessages } from '../../src/conversation/wire.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, assertKept, contentOf, counter, goodSummary, say, talk, textOf } from './memory-talk.ts';

/** The answers that one question was given: seen, and another one made to count. */

async function threeTimes(): Promise<TestCore> {
  const core = await startCore({
    model: scriptedModel((request, n) =>
      request.purpose === 'fold'
        ? `${textOf(request).match(/Answer \d+/)?.[0]} came first. ${goodSummary}`
        : `Answer ${n}`,
    ),
    env: { MEMORY_TOKENS: '1500' },
  });
  await core.send(message(1, 'What shall we do?'));
  await core.send(command(2, 'retry'));
  await core.send(command(3, 'retry'));
  return core;
}

const answers = async (core: TestCore) => (await allTurns(core)).filter((turn) => turn.role === 'assistant');

test('the answers to a question are listed for whoever asks, each with a button, and the one that counts is marked', async () => {
  const core = await threeTimes();
  const { notices } = await core.send(command(4, 'alternatives show'));
  const [shown] = notices;
  assert.equal(shown?.private, true);
  assert.match(shown?.text ?? '', /^\*\*3 answers\*\* to “What shall we do\?”/);
  assert.match(
    shown?.text ?? '',
    /\*\*1\*\* .*: Answer 1\n\*\*2\*\* .*: Answer 2\n\*\*3\*\* \(.* ← counts\): Answer 3$/,
  );
  assert.deepEqual(shown?.actions, [
    { label: 'Use 1', command: 'alternatives choose 1 1' },
    { label: 'Use 2', command: 'alternatives choose 2 1' },
  ]);
  await core.stop();
});

test('under an answer that was given again the others are offered, under a first one they are not', async () => {
  const core = await threeTimes();
  assert.deepEqual(core.outcomes.get('e1')?.actions, ['Retry']);
  assert.deepEqual(core.outcomes.get('e3')?.actions, ['Retry', 'Versions']);
  // The button stands under the message of the second answer.
  const { notices } = await core.send(command(4, 'alternatives show', { target: 'e2.0' }));
  assert.match(notices[0]?.text ?? '', /3 answers/);
  await core.stop();
});

test('the chosen one is what is remembered, reads so where it was posted, and can be changed again', async () => {
  const core = await threeTimes();
  const { answer, notices, actions } = await core.send(command(4, 'alternatives choose 1'));
  assert.equal(answer, 'Answer 1');
  assert.deepEqual(actions, ['Retry', 'Versions']);
  assert.equal(notices[0]?.text, '✅ Answer 1 of 3 counts now.');
  assert.deepEqual(core.replyingOn, ['e3.0'], 'the messages of the last answer are written anew');
  const [turn] = await answers(core);
  assert.equal(turn?.text, 'Answer 1');
  assert.equal(turn?.tokens, await countMessages(toMessages(turn ?? assert.fail()), counter));
  assert.deepEqual(
    turn?.alternatives?.map((one) => one.text),
    ['Answer 2', 'Answer 3'],
  );
  await core.send(message(5, 'So?'));
  assert.equal(contentOf(core.model.answers().at(-1)?.messages[3]), 'Answer 1');
  await core.send(command(6, 'alternatives choose 3 1'));
  assert.equal((await answers(core))[0]?.text, 'Answer 3');
  const again = await core.send(command(7, 'alternatives choose 3 1'));
  assert.match(again.notices[0]?.text ?? '', /counts already/);
  await core.stop();
});

test('summaries that cover it are written anew', async () => {
  const core = await threeTimes();
  await talk(core, 4, 16);
  const before = await core.memory.conversations.read(room);
  assert.ok((before.view.folds[0]?.to ?? 0) >= 1, 'the answer is folded');
  await core.send(command(20, 'alternatives choose 2 1'));
  await say(core, 21, 'And?');
  const request = textOf(core.model.answers().at(-1));
  assert.match(request, /Answer 2 came first/);
  assert.doesNotMatch(request, /Answer 3 came/);
  await assertKept(core, ['What', ...Array.from({ length: 13 }, (_, n) => `mark${n + 4}x`), 'And?']);
  await core.stop();
});

test('only whoever asked, or an admin, chooses; and what is not there cannot be chosen', async () => {
  const core = await threeTimes();
  const by = (n: number, line: string, name: string) => core.send(command(n, line, { author: person(name) }));
  assert.match((await by(4, 'alternatives choose 1', 'Bob')).notices[0]?.text ?? '', /Only whoever asked/);
  assert.match((await by(5, 'alternatives show', 'Bob')).notices[0]?.text ?? '', /3 answers/);
  assert.match(
    (await by(6, 'alternatives choose 4', 'Ann')).notices[0]?.text ?? '',
    /there are 3 answers, and no number 4/i,
  );
  assert.match((await by(7, 'alternatives choose 1 9', 'Ann')).notices[0]?.text ?? '', /no answer here/);
  assert.match((await by(8, 'alternatives choose 1', 'Ann')).notices[0]?.text ?? '', /counts now/);
  await core.send(message(9, 'One more'));
  assert.match((await core.send(command(10, 'alternatives show'))).notices[0]?.text ?? '', /only one answer.*retry/);
  await core.stop();
});

test('of very many answers the newest ten are kept', async () => {
  const core = await threeTimes();
  for (let n = 4; n < 14; n++) await core.send(command(n, 'retry'));
  const [turn] = await answers(core);
  assert.equal(turn?.alternatives?.length, 9);
  assert.match((await core.send(command(20, 'alternatives show'))).notices[0]?.text ?? '', /10 answers/);
  await core.stop();
});

test('where the posted answer cannot be written anew, the chosen one is said', async () => {
  const core = await threeTimes();
  core.refuseWrites();
  const { notices } = await core.send(command(4, 'alternatives choose 2'));
  assert.equal(notices[0]?.private, false);
  assert.match(notices[0]?.text ?? '', /^✅ Ann chose another answer:\n\nAnswer 2$/);
  assert.equal((await answers(core))[0]?.text, 'Answer 2');
  await core.stop();
});
