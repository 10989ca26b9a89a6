import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { repeats, toWanted } from '../../src/conversation/repeats.ts';
import type { Turn } from '../../src/conversation/turn.ts';

/** What says again, word for word, what somebody took back. */

const wanted = toWanted(['My number is <555>,\nsay "hello".']);
const answer = (more: Partial<Turn>): Turn => ({
  seq: 1,
  id: 'a',
  rev: 0,
  at: 0,
  role: 'assistant',
  text: 'Fine.',
  tokens: 5,
  ...more,
});
const step = (given: string, content: string): Turn['tools'] => [
  { calls: [{ id: '1', name: 'note', arguments: given }], results: [{ id: '1', content }] },
];

test('an answer that quotes it does, whatever the case and the blanks, and one that speaks of it does not', () => {
  assert.ok(repeats(answer({ text: 'You said: MY number is  <555>, say "hello"!' }), wanted));
  assert.ok(!repeats(answer({ text: 'You told me your number.' }), wanted));
  assert.ok(!repeats(answer({ text: 'Trommy number is <555>, say "hello"' }), wanted));
});

test('an answer put aside counts, and so do what a tool was told and what it answered', () => {
  const aside = { text: 'my number is <555>, say "hello"', tokens: 1, at: 0, model: 'm' };
  assert.ok(repeats(answer({ alternatives: [aside] }), wanted));
  const told = JSON.stringify({ text: 'my number is <555>,\nsay "hello".' });
  const tools = step(told, 'done');
  assert.ok(tools && repeats(answer({ tools }), wanted));
  const found = step('{}', '[2026-11-03] Ann: My number is &lt;555&gt;,\nsay "hello".');
  assert.ok(found && repeats(answer({ tools: found }), wanted));
  const other = step('{}', 'nothing of it');
  assert.ok(other && !repeats(answer({ tools: other }), wanted));
});

test('a quotation is found wherever a plain search finds it between other words', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', ' ', '-'), { maxLength: 40 }).map((all) => all.join(''));
  const needle = fc.array(fc.constantFrom('a', 'b', '-'), { minLength: 6, maxLength: 9 }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters, needle, fc.boolean(), (before, sought, isThere) => {
      const text = isThere ? `${before}${sought}${before}` : before + before;
      const plain = text.replace(/\s+/g, ' ').trim();
      const isFound = new RegExp(`(?<![ab])${sought}(?![ab])`).test(plain);
      assert.equal(repeats(answer({ text }), toWanted([sought])), isFound);
    }),
  );
});
