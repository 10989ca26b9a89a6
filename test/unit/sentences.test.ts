import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { cutAtSentence, sentenceEnds } from '../../src/conversation/sentences.ts';
import { loadCounter, type TokenCounter } from '../../src/conversation/tokens.ts';
import { runs } from './property-runs.ts';

let counter: TokenCounter;
before(async () => {
  counter = await loadCounter('o200k_base');
});

const sentences = (text: string): string[] => [...sentenceEnds(text)].map((end) => text.slice(0, end));

test('a sentence ends with its stop and what closes it, a line where its last word does', () => {
  assert.deepEqual(sentences('One. Two'), ['One.']);
  assert.deepEqual(sentences('He said “no!” and left.'), ['He said “no!”', 'He said “no!” and left.']);
  assert.deepEqual(sentences('**Done.** Next'), ['**Done.**']);
  assert.deepEqual(sentences('Really?! yes… no'), ['Really?!', 'Really?! yes…']);
  assert.deepEqual(sentences('Version 3.14 of a.b.c is out'), []);
  assert.deepEqual(sentences('好。走吧！（真的？）嗯'), ['好。', '好。走吧！', '好。走吧！（真的？）']);
  assert.deepEqual(sentences('a list  \n\n\n- one\r\n- two'), ['a list', 'a list  \n\n\n- one']);
  assert.deepEqual(sentences('\n\n'), []);
  assert.deepEqual([...sentenceEnds('好。。。。走', 2)], [], 'none within a row of stops that goes on');
});

test('what fits stays whole', async () => {
  assert.equal(await cutAtSentence('Short. And sweet', 10, counter), 'Short. And sweet');
  const text = 'word '.repeat(100);
  assert.equal(await cutAtSentence(text, counter.countNow(text), counter), text);
});

test('a long message is cut after its last sentence that fits', async () => {
  const text = 'The first thing is this. The second is that. The third one never ends and goes on and on and on';
  assert.equal(await cutAtSentence(text, 14, counter), 'The first thing is this. The second is that.');
});

test('a message without a sentence that fits is cut after a word', async () => {
  assert.equal(await cutAtSentence('one two three four five six seven', 3, counter), 'one two three');
});

test('a message without a word that fits is cut between characters as people see them', async () => {
  assert.match(await cutAtSentence('👩🏽‍🚀'.repeat(50), 60, counter), /^(👩🏽‍🚀)+$/u);
  assert.match(await cutAtSentence('🇩🇪'.repeat(50), 21, counter), /^(🇩🇪)+$/u);
  assert.match(await cutAtSentence('漢'.repeat(500), 20, counter), /^漢+$/u);
  assert.equal(await cutAtSentence('anything', 0, counter), '');
});

test('a character with more marks than fit is cut between them', async () => {
  const cut = await cutAtSentence(`e${'\u0301'.repeat(500)}`, 40, counter);
  assert.ok(cut.length > 1 && counter.countNow(cut) <= 40);
});

const piece = fc.oneof(
  fc.constantFrom(
    'One.',
    'Two!',
    ' three ',
    'four',
    '?',
    '。',
    '」',
    '…',
    ' ',
    '\n',
    '\n\n',
    ' a.b ',
    '3.14',
    '“Yes.” ',
    '漢字',
    '😀',
    '👩🏽‍🚀',
    '\ud83d',
  ),
  fc.lorem({ maxCount: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc
    .tuple(fc.constantFrom('x', '-', ' ', '漢', '。', '.'), fc.integer({ min: 1, max: 300 }))
    .map(([char, times]) => char.repeat(times)),
);
const anyText = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

test('of any message the beginning stays, it fits, and no sentence more would fit', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, fc.integer({ min: 0, max: 120 }), async (text, maxTokens) => {
      const cut = await cutAtSentence(text, maxTokens, counter);
      assert.ok(text.startsWith(cut));
      assert.ok(counter.countNow(cut) <= maxTokens);
      if (text.isWellFormed()) assert.ok(cut.isWellFormed());
      if (cut === text) return;
      const ends = [...sentenceEnds(text), text.length];
      const next = ends.find((end) => end > cut.length) ?? text.length;
      assert.ok(counter.countNow(text.slice(0, next)) > maxTokens, 'another sentence fits');
      const anyFits = ends.some((end) => counter.countNow(text.slice(0, end)) <= maxTokens);
      if (anyFits) assert.ok(ends.includes(cut.length), 'a sentence fits, but the cut is within one');
    }),
    runs(600),
  );
});

test('cutting a huge message takes a fraction of what counting it takes', async (t) => {
  const sentence = 'Some people write without end, and they think that all of it matters. ';
  for (const unit of [sentence, 'x', '漢', ' ', '.', '😀', 'a b ']) {
    const text = unit.repeat(Math.ceil(400_000 / unit.length));
    let [cut, counted] = [Number.POSITIVE_INFINITY, 0];
    // What else runs on the machine makes the one or the other slower: it is measured again while it seems so.
    for (let round = 0; round < 5 && cut >= counted / 2; round++) {
      cut = await timed(() => cutAtSentence(text, 50, counter));
      counted = await timed(() => counter.count(text));
    }
    t.diagnostic(`${JSON.stringify(unit.slice(0, 5))}: ${cut.toFixed(1)} ms; counting ${counted.toFixed(0)} ms`);
    assert.ok(cut < counted / 2, `${cut} ms to cut, ${counted} ms to count it all`);
  }
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
