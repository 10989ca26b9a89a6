import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BotError } from '../../src/errors.ts';
import type { Failure } from '../../src/model/failure.ts';
import { knownContextTokens } from '../../src/model/known-models.ts';
import { readRateHeaders } from '../../src/model/rate-headers.ts';
import { planStep } from '../../src/model/retry.ts';
import { runs } from './property-runs.ts';

const now = Date.UTC(2026, 10, 21);
const failed = (remedy: Failure['remedy']): Failure => ({ error: new BotError('model', 'it failed'), remedy });

describe('what is done about a failed attempt', () => {
  const attempt = fc.record({
    attempts: fc.integer({ min: 1, max: 10 }),
    otherModelLeft: fc.boolean(),
  });
  const chance = fc.double({ min: 0, max: 1, noNaN: true });

  test('a passing fault is tried three times at most, after at most forty seconds', () => {
    fc.assert(
      fc.property(attempt, chance, (situation, luck) => {
        const step = planStep(failed('again'), situation, luck);
        if (situation.attempts >= 3) assert.equal(step.do, situation.otherModelLeft ? 'next-model' : 'fail');
        else assert.ok(step.do === 'retry' && step.waitMs >= 500 && step.waitMs <= 40_000);
      }),
      runs(100),
    );
  });

  test('the pause grows with each attempt and differs by chance', () => {
    const waits = [1, 2].flatMap((attempts) =>
      [0, 1].map((luck) => {
        const step = planStep(failed('again'), { attempts, otherModelLeft: false }, luck);
        return step.do === 'retry' ? step.waitMs : undefined;
      }),
    );
    assert.deepEqual(waits, [1000, 2000, 2000, 4000]);
  });

  test('what no try can mend fails at once, what another model may answer goes there', () => {
    for (const otherModelLeft of [true, false]) {
      assert.deepEqual(planStep(failed('none'), { attempts: 1, otherModelLeft }, 0.5), { do: 'fail' });
      const step = planStep(failed('other-model'), { attempts: 1, otherModelLeft }, 0.5);
      assert.deepEqual(step, { do: otherModelLeft ? 'next-model' : 'fail' });
    }
  });

  test('a wait that the server names is left to the gate', () => {
    assert.deepEqual(planStep(failed('later'), { attempts: 2, otherModelLeft: false }, 0.5), {
      do: 'retry',
      waitMs: 0,
    });
    assert.deepEqual(planStep(failed('later'), { attempts: 3, otherModelLeft: false }, 0.5), { do: 'fail' });
  });
});

describe('what rate-limit headers say', () => {
  const blocked = (headers: Record<string, string>, status = 429) =>
    readRateHeaders(new Headers(headers), status, now).blockedMs;

  test('every spelling of a wait is understood', () => {
    assert.equal(blocked({ 'retry-after': '20' }), 20_000);
    assert.equal(blocked({ 'retry-after': '1.5' }), 1500);
    assert.equal(blocked({ 'retry-after': new Date(now + 90_000).toUTCString() }), 90_000);
    assert.equal(blocked({ 'retry-after-ms': '250', 'retry-after': '1' }), 250);
    const reset = (value: string) =>
      blocked({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': value });
    assert.equal(reset('20ms'), 20);
    assert.equal(reset('1m0s'), 60_000);
    assert.equal(reset('1h2m3.5s'), 3_723_500);
    assert.equal(reset('8.64s'), 8640);
    assert.equal(reset(new Date(now + 5000).toISOString()), 5000);
    assert.equal(blocked({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 7000) }), 7000);
    assert.equal(blocked({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 7) }), 7000);
  });

  test('rubbish, zero and the past are no wait', () => {
    for (const value of ['', 'soon', '-5', '0', 'NaN', 'Infinity', new Date(now - 1000).toUTCString(), '1.2.3s']) {
      assert.equal(blocked({ 'retry-after': value }), undefined, value);
    }
  });

  test('nobody waits while requests are left, and the last one closes the door', () => {
    const headers = { 'x-ratelimit-remaining-requests': '2', 'x-ratelimit-reset-requests': '20s' };
    const news = readRateHeaders(new Headers(headers), 200, now);
    assert.deepEqual([news.blockedMs, news.remaining, news.resetMs], [undefined, 2, 20_000]);
    assert.equal(blocked({ ...headers, 'x-ratelimit-remaining-requests': '0' }, 200), 20_000);
    assert.equal(blocked({ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6s' }, 200), 6000);
    assert.equal(blocked({ 'retry-after': '20' }, 200), undefined, 'a success asks nobody to wait');
  });
});

test('the windows of known models are known, of the longest name that fits', () => {
  assert.equal(knownContextTokens('gpt-4'), 8192);
  assert.equal(knownContextTokens('gpt-4o-mini-2024-07-18'), 128_000);
  assert.equal(knownContextTokens('gpt-5-mini'), 400_000);
  assert.equal(knownContextTokens('openai/gpt-3.5-turbo'), 16_385);
  assert.equal(knownContextTokens('llama3.2:latest'), undefined);
});
