import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { smoothed, steadyRatio } from '../../src/conversation/calibration.ts';
import { planLimits } from '../../src/conversation/limits.ts';
import { runs } from './property-runs.ts';

const settings = { tokens: 12_000, high: undefined, low: undefined, foldTokens: undefined, rounds: undefined };

test('the budget is divided as measured: folds 15 %, recall 10 % up to 1,000, what is left for talk up to 8,000, a third of it kept', () => {
  const limits = planLimits(settings, 500);
  assert.deepEqual(limits, {
    total: 12_000,
    high: 8000,
    low: 2800,
    folds: 1800,
    perFold: 425,
    recall: 1000,
    rounds: undefined,
  });
});

test('what a person sets holds, as far as there is room', () => {
  const limits = planLimits({ ...settings, high: 5000, low: 4000, foldTokens: 900, rounds: 10 }, 500);
  assert.deepEqual([limits.high, limits.low, limits.folds, limits.rounds], [5000, 4000, 900, { high: 10, low: 3 }]);
  assert.equal(planLimits({ ...settings, high: 50_000 }, 500).high, 8700);
  assert.equal(planLimits({ ...settings, high: 50_000, recallTokens: 3000 }, 500).high, 6700);
  assert.equal(planLimits({ ...settings, tokens: 2000 }, 500).recall, 200);
  assert.equal(planLimits({ ...settings, high: 1000, low: 990 }, 500).low, 900);
});

test('whatever is set, role, folds and the talk up to its high mark fit, and low stays below high', () => {
  const any = fc.record({
    tokens: fc.integer({ min: 200, max: 100_000 }),
    high: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    low: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    foldTokens: fc.constant(undefined),
    rounds: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(any, fc.integer({ min: 0, max: 20_000 }), (set, fixed) => {
      const { total, high, low, folds, perFold, recall, rounds } = planLimits(set, fixed);
      assert.ok(high >= 0 && low <= high * 0.9 + 1 && perFold >= 60);
      assert.ok(high === 0 || fixed + folds + recall + high <= total);
      assert.ok(rounds === undefined || (rounds.low >= 1 && rounds.low <= rounds.high));
    }),
    runs(100),
  );
});

test('four folds stand side by side in their share, what is around them included', () => {
  for (const tokens of [4000, 12_000, 100_000]) {
    const { folds, perFold } = planLimits({ ...settings, tokens }, 0);
    assert.ok(4 * (perFold + 25) <= folds && 5 * (perFold + 25) > folds);
  }
});

test('the model’s own counts are learnt slowly, within bounds, and not from short prompts', () => {
  assert.equal(smoothed(1, 1000, 1200), 1.06);
  assert.equal(smoothed(1, 1000, 5000), 1.15);
  assert.ok(Math.abs(smoothed(1, 1000, 10) - 0.94) < 1e-9);
  assert.equal(smoothed(1, 49, 500), 1);
  assert.equal(smoothed(1.2, 1000, 0), 1.2);
  let ratio = 1;
  for (let n = 0; n < 50; n++) ratio = smoothed(ratio, 1000, 1300);
  assert.ok(Math.abs(ratio - 1.3) < 0.001);
});

test('the ratio that budgets go by is never too low, and stays as long as what is learnt hardly changes', () => {
  assert.equal(steadyRatio(undefined, 0.9), 1);
  assert.equal(steadyRatio(undefined, 1), 1);
  const first = steadyRatio(undefined, 1.391);
  assert.ok(first >= 1.391 && first < 1.411);
  for (const near of [1.38, 1.39, 1.3999]) assert.equal(steadyRatio(first, near), first);
  assert.ok(steadyRatio(first, 1.41) >= 1.41, 'higher at once');
  assert.ok(steadyRatio(first, 1.3) < 1.33, 'lower when it is worth it');
});
