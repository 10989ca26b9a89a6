import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Turn } from '../../src/conversation/turn.ts';
import { planFold, planWindow } from '../../src/conversation/window.ts';
import { runs } from './property-runs.ts';

function turn(seq: number, role: Turn['role'], tokens: number): Turn {
  return { seq, id: `m${seq}`, rev: 0, at: seq, role, text: 'x', tokens };
}

const rounds = (...tokens: number[]): Turn[] =>
  tokens.flatMap((cost, n) => [turn(2 * n, 'user', cost), turn(2 * n + 1, 'assistant', cost)]);

const base = {
  budget: 1000,
  fixedTokens: 100,
  newestTokens: 50,
  noteTokens: 10,
  folds: [],
  more: false,
  rounds: undefined,
};

test('everything is sent while it fits', () => {
  const plan = planWindow({ ...base, turns: rounds(50, 50) });
  assert.equal(plan.turns.length, 4);
  assert.equal(plan.leftOut, false);
  assert.equal(plan.tokens.total, 350);
});

test('the oldest rounds are left out whole, with a note, and what remains begins with a person', () => {
  const plan = planWindow({ ...base, turns: rounds(300, 300, 100) });
  assert.deepEqual(
    plan.turns.map((one) => one.seq),
    [2, 3, 4, 5],
  );
  assert.equal(plan.leftOut, true);
});

test('a newest message larger than the room is cut to it and nothing else is sent', () => {
  const plan = planWindow({ ...base, newestTokens: 5000, turns: rounds(10) });
  assert.equal(plan.newestRoom, 900);
  assert.deepEqual(plan.turns, []);
  assert.ok(plan.tokens.total <= 1000);
});

test('folds come before turns, the newest of them first', () => {
  const folds = [
    { tokens: 500, id: 'old' },
    { tokens: 500, id: 'new' },
  ];
  const plan = planWindow({ ...base, folds, turns: rounds(100, 100) });
  assert.deepEqual(
    plan.folds.map((fold) => fold.id),
    ['new'],
  );
  assert.equal(plan.leftOut, true);
});

test('MEMORY_ROUNDS shows no more rounds than that', () => {
  const plan = planWindow({ ...base, turns: rounds(1, 1, 1, 1), rounds: 2 });
  assert.deepEqual(
    plan.turns.map((one) => one.seq),
    [4, 5, 6, 7],
  );
});

const anyTurns = fc
  .array(fc.record({ user: fc.boolean(), tokens: fc.integer({ min: 1, max: 400 }) }), { maxLength: 60 })
  .map((items) => items.map((item, n) => turn(n, item.user ? 'user' : 'assistant', item.tokens)));

test('no plan is over budget, whatever was said', () => {
  fc.assert(
    fc.property(
      anyTurns,
      fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 300 }) }), { maxLength: 8 }),
      fc.integer({ min: 150, max: 3000 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
      (turns, folds, budget, newestTokens, limit) => {
        const plan = planWindow({ ...base, turns, folds, budget, newestTokens, rounds: limit });
        assert.ok(plan.tokens.total <= budget);
        assert.ok(plan.turns[0] === undefined || plan.turns[0].role === 'user');
        assert.deepEqual(plan.turns, turns.slice(turns.length - plan.turns.length));
        if (plan.newestRoom === undefined) assert.equal(plan.tokens.newest, newestTokens);
      },
    ),
    runs(100),
  );
});

const limits = { high: 1000, low: 350, rounds: undefined };

test('nothing is folded up to the high mark', () => {
  assert.equal(planFold(rounds(250, 250), 1000, limits), 0);
});

test('above it the oldest are folded until at most the low mark remains, from a person on', () => {
  const turns = rounds(100, 100, 100, 100, 100, 100);
  const cut = planFold(turns, 1200, limits);
  assert.equal(turns[cut]?.role, 'user');
  assert.equal(
    turns.slice(cut).reduce((sum, one) => sum + one.tokens, 0),
    200,
  );
});

test('the newest round is never folded', () => {
  fc.assert(
    fc.property(anyTurns, (turns) => {
      const raw = turns.reduce((sum, one) => sum + one.tokens, 0);
      const cut = planFold(turns, raw, { high: 0, low: 0, rounds: undefined });
      const lastUser = turns.findLastIndex((one) => one.role === 'user');
      assert.ok(cut <= Math.max(0, lastUser));
    }),
    runs(100),
  );
});

test('too many rounds are folded down to the low number of rounds', () => {
  const turns = rounds(1, 1, 1, 1, 1, 1);
  const cut = planFold(turns, 12, { ...limits, rounds: { high: 5, low: 2 } });
  assert.equal(turns.slice(cut).filter((one) => one.role === 'user').length, 2);
});
