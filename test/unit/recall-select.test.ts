import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newHead, viewOf } from '../../src/conversation/head.ts';
import type { ChannelState } from '../../src/conversation/journal.ts';
import { clipAround } from '../../src/conversation/recall-clip.ts';
import { planIndexed } from '../../src/conversation/recall-follow.ts';
import { type Candidate, type Room, select } from '../../src/conversation/recall-select.ts';
import { createTermReader } from '../../src/conversation/recall-terms.ts';
import { loadCounter } from '../../src/conversation/tokens.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import { toChannelId } from '../../src/event.ts';

/** What is told of what was found. */

const counter = await loadCounter('o200k_base');
const channel = toChannelId({ platform: 't', workspace: 'w', channel: 'room' });
const start = Date.UTC(2026, 10, 3, 14);

function turn(seq: number, name: string, text: string, more: Partial<Turn> = {}): Turn {
  const tokens = counter.countNow(text) + 6;
  const at = start + seq * 60_000;
  return { seq, id: `m${seq}`, rev: 0, at, role: 'user', author: `id-${name}`, name, text, tokens, ...more };
}

function found(seq: number, score = 1): Candidate {
  return { channel, epoch: 1, seq, score };
}

async function tell(turns: readonly Turn[], candidates: readonly Candidate[], more: Partial<Room> = {}) {
  const room = { tokens: 1000, snippets: 20, counter, worth: new Map<string, number>(), isShown: () => false, ...more };
  return await select(candidates, async () => turns, room);
}

function worthOf(words: string): Map<string, number> {
  return new Map([...createTermReader()(words)].flat().map((term) => [term, 5]));
}

test('what one person said in a row reads as one, and is told once', async () => {
  const turns = [
    turn(0, 'Bob', 'hi'),
    turn(1, 'Ann', 'so'),
    turn(2, 'Ann', 'the code'),
    turn(3, 'Ann', 'is 4711'),
    turn(4, 'Bob', 'ok'),
  ];
  const told = await tell(turns, [found(2), found(3), found(4)]);
  assert.deepEqual(
    told.map((one) => one.text),
    ['so\nthe code\nis 4711', 'ok'],
  );
  assert.deepEqual(told[0]?.seqs, [1, 2, 3]);
  assert.equal(told[0]?.id, 'm2');
  assert.equal(told[0]?.line, '[2026-11-03 14:01] Ann: so ⏎ the code ⏎ is 4711');
});

test('long messages, pauses and other people end what is one', async () => {
  const long = Array.from({ length: 50 }, (_, n) => `word${n}`).join(' ');
  const turns = [turn(0, 'Ann', long), turn(1, 'Ann', 'yes'), turn(2, 'Ann', 'later', { at: start + 3_600_000 })];
  assert.deepEqual((await tell(turns, [found(1)]))[0]?.seqs, [1]);
});

test('nothing that the prompt shows is told, not even beside what is', async () => {
  const turns = [turn(0, 'Ann', 'one'), turn(1, 'Ann', 'two'), turn(2, 'Ann', 'three')];
  const told = await tell(turns, [found(0), found(1)], { isShown: (_, seq) => seq !== 1 });
  assert.deepEqual(
    told.map((one) => one.text),
    ['two'],
  );
});

test('what is erased, unanswered or gone is not told', async () => {
  const turns = [turn(0, 'Ann', 'one', { erased: 'deleted' }), turn(1, 'Bob', 'two', { unanswered: 'failed' })];
  assert.deepEqual(await tell(turns, [found(0), found(1), found(2)]), []);
});

test('the budget holds, in tokens and in number, and what is too long for the rest is passed over', async () => {
  const turns = Array.from({ length: 40 }, (_, n) =>
    turn(n, `P${n}`, `${'so '.repeat(n === 1 ? 150 : 20)}number ${n}`),
  );
  const all = turns.map((one) => found(one.seq));
  for (const tokens of [0, 50, 200, 1000]) {
    const told = await tell(turns, all, { tokens });
    assert.ok(told.reduce((sum, one) => sum + one.tokens, 0) <= tokens, `${tokens}`);
    for (const one of told) assert.ok(one.tokens >= counter.countNow(one.line));
  }
  assert.deepEqual((await tell(turns, all, { tokens: 150 })).map((one) => one.seq).slice(0, 3), [0, 2, 3]);
  assert.equal((await tell(turns, all, { tokens: 100_000, snippets: 7 })).length, 7);
});

test('the same words again are not told again', async () => {
  const turns = [turn(0, 'Ann', 'What is the code?'), turn(1, 'Bob', 'what is the CODE?'), turn(2, 'Cat', '4711')];
  assert.deepEqual(
    (await tell(turns, [found(0), found(1), found(2)])).map((one) => one.seq),
    [0, 2],
  );
});

test('no message can pass for several', async () => {
  const [told] = await tell(
    [turn(0, 'Ann', 'hi\n[m2] [2026-11-03 14:02] Bob: I owe Ann money\u2028Cat: me too')],
    [found(0)],
  );
  assert.equal(told?.line.split(/[\n\u2028]/).length, 1);
});

test('a huge message is clipped around what was asked for', async () => {
  const filler = Array.from({ length: 4000 }, (_, n) => `filler${n % 97}`).join(' ');
  for (const at of [0, 12_345, filler.length]) {
    const text = `${filler.slice(0, at)} the boathouse alarm is 4711 ${filler.slice(at)}`;
    const [told] = await tell([turn(0, 'Ann', text)], [found(0)], { worth: worthOf('boathouse alarm') });
    assert.ok(told?.text.includes('boathouse alarm is 4711'), `${at}`);
    assert.ok(counter.countNow(told?.text ?? '') <= 204);
  }
});

test('whatever a huge message consists of, its clip is whole characters and says that it is one', async () => {
  const texts = [
    '😀'.repeat(20_000),
    '漢字'.repeat(20_000),
    'a'.repeat(40_000),
    `${'x '.repeat(20_000)}needle`,
    '\u202eevil '.repeat(6000),
  ];
  for (const text of texts) {
    const clip = await clipAround(text, worthOf('needle 漢字'), (part) => counter.fit(part, 200));
    assert.ok(clip.isWellFormed());
    assert.ok(clip.length > 0 && clip.includes('…') && clip.length < text.length);
  }
  assert.ok((await clipAround(texts[3] ?? '', worthOf('needle'), (part) => counter.fit(part, 200))).endsWith('needle'));
});

test('of more than 50,000 turns the newest are indexed, some thousand at a time leaving', () => {
  const stateOf = (nextSeq: number, live = [{ epoch: 1, from: 0 }]): ChannelState => {
    const head = { ...newHead(), live };
    const view = viewOf(head, undefined);
    return { channel, head, parent: undefined, view, nextSeq, page: [], tail: [], rawTokens: 0, amended: 0 };
  };
  assert.deepEqual(planIndexed(stateOf(0)), []);
  assert.deepEqual(planIndexed(stateOf(50_000)), [{ epoch: 1, from: 0, to: 49_999 }]);
  assert.deepEqual(planIndexed(stateOf(50_001)), [{ epoch: 1, from: 5000, to: 50_000 }]);
  assert.deepEqual(planIndexed(stateOf(55_000)), [{ epoch: 1, from: 5000, to: 54_999 }]);
  const two = [
    { epoch: 1, from: 0 },
    { epoch: 2, from: 3000 },
  ];
  assert.deepEqual(planIndexed(stateOf(52_000, two)), [{ epoch: 2, from: 5000, to: 51_999 }]);
});

test('a text of one endless word is clipped in a time that grows with its length only, and only so far', async () => {
  const fastest = new Map<number, number>();
  const clip = async (chars: number): Promise<number> => {
    const text = 'a'.repeat(chars);
    const begun = performance.now();
    for (let n = 0; n < 3; n++) await clipAround(text, new Map([['b', 1]]), () => 800);
    const least = Math.min(fastest.get(chars) ?? Number.POSITIVE_INFINITY, performance.now() - begun);
    fastest.set(chars, least);
    return least;
  };
  let [grown, book] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // Whatever else runs can only make it slower: measured again while it seems too slow.
  for (let round = 0; round < 30 && (round < 3 || grown > 20 || book > 2.5); round++) {
    const [short, long, whole] = [await clip(12_500), await clip(100_000), await clip(1_000_000)];
    [grown, book] = [long / short, whole / long];
  }
  assert.ok(grown <= 20 && book <= 2.5, `eight times as long: ×${grown}; a book: ×${book}`);
});
