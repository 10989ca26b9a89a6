import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { branchSeq, type FoldRef, liveRanges, newHead, uncoveredRanges, viewOf } from '../../src/conversation/head.ts';
import { planSeed } from '../../src/conversation/seed.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import { runs } from './property-runs.ts';

const fold = (from: number, to: number, tokens = 10): FoldRef => ({
  id: `${from}`,
  epoch: 1,
  level: 1,
  from,
  to,
  tokens,
});

test('what is remembered are the live spans, each to where the next one begins, put away or not', () => {
  const head = {
    ...newHead(),
    live: [
      { epoch: 1, from: 0 },
      { epoch: 3, from: 20 },
    ],
    away: [{ live: [{ epoch: 2, from: 10 }], folds: [], at: 0, by: 'Ann' }],
  };
  assert.deepEqual(liveRanges(head, viewOf(head, undefined), 25), [
    { epoch: 1, from: 0, to: 9 },
    { epoch: 3, from: 20, to: 24 },
  ]);
});

test('a thread remembers only what was said under an epoch that its channel remembers', () => {
  const thread = {
    ...newHead(1),
    live: [
      { epoch: 1, from: 0, parentEpoch: 1 },
      { epoch: 2, from: 5, parentEpoch: 2 },
    ],
    folds: [fold(0, 3)],
    branch: { epoch: 1, seq: 7 },
  };
  const parent = { ...newHead(), live: [{ epoch: 2, from: 8 }] };
  const view = viewOf(thread, parent);
  assert.deepEqual(liveRanges(thread, view, 9), [{ epoch: 2, from: 5, to: 8 }]);
  assert.deepEqual(view.folds, []);
  assert.equal(branchSeq(thread, parent), undefined);
  assert.equal(branchSeq(thread, newHead()), 7);
});

test('folds and the stretches they leave are all of what is remembered, once', () => {
  const anyFolds = fc
    .uniqueArray(fc.nat(99), { maxLength: 12 })
    .map((marks) => marks.sort((a, b) => a - b))
    .map((marks) => marks.flatMap((from, n) => (n % 2 === 0 ? [fold(from, (marks[n + 1] ?? from + 1) - 1)] : [])));
  fc.assert(
    fc.property(anyFolds, (folds) => {
      const open = uncoveredRanges([{ epoch: 1, from: 0, to: 99 }], folds);
      const covered = [...folds, ...open].flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, n) => from + n),
      );
      assert.deepEqual(
        covered.sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, n) => n),
      );
    }),
    runs(100),
  );
});

const turn = (seq: number, tokens: number): Turn => ({
  seq,
  id: `m${seq}`,
  rev: 0,
  at: seq,
  role: seq % 2 === 0 ? 'user' : 'assistant',
  text: 'x',
  tokens,
});

test('a thread is given the newest round, then the summaries, then what else fits of the turns', () => {
  const turns = Array.from({ length: 20 }, (_, n) => turn(100 + n, 50));
  const plan = planSeed([fold(0, 49, 200), fold(50, 99, 250)], turns, 1000);
  assert.deepEqual(
    plan.folds.map((one) => one.from),
    [0, 50],
  );
  assert.equal(plan.turns[0]?.seq, 110);
  assert.equal(plan.tokens, 950);
  const tight = planSeed([fold(0, 49, 200), fold(50, 99, 250)], turns, 500);
  assert.deepEqual(
    tight.folds.map((one) => one.from),
    [50],
    'the newest summaries',
  );
  assert.equal(tight.turns.length, 4);
});

test('whatever there is, a thread is given no more than its share, and begins with a person', () => {
  const anyTurns = fc.array(fc.nat(300), { maxLength: 30 }).map((all) => all.map((tokens, n) => turn(n, tokens)));
  const anyFolds = fc.array(fc.nat(300), { maxLength: 6 }).map((all) => all.map((tokens, n) => fold(n, n, tokens)));
  fc.assert(
    fc.property(anyFolds, anyTurns, fc.nat(2000), (folds, turns, share) => {
      const plan = planSeed(folds, turns, share);
      const sum = [...plan.folds, ...plan.turns].reduce((total, one) => total + one.tokens, 0);
      assert.equal(plan.tokens, sum);
      assert.ok(sum <= share);
      assert.ok(plan.turns.length === 0 || plan.turns[0]?.role === 'user');
      assert.deepEqual(plan.turns, turns.slice(turns.length - plan.turns.length));
    }),
    runs(100),
  );
});
