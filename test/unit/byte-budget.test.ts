import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createByteBudget } from '../../src/turn/byte-budget.ts';
import { runs } from './property-runs.ts';

const { signal: never } = new AbortController();

/** What has settled once everything that could go on has gone on. */
async function settled(promises: readonly Promise<unknown>[]): Promise<boolean[]> {
  const done = promises.map(() => false);
  promises.forEach((promise, n) => {
    const mark = (): void => {
      done[n] = true;
    };
    promise.then(mark, mark);
  });
  await new Promise(setImmediate);
  return done;
}

test('what fits goes on at once, what does not waits in the order of asking', async () => {
  const budget = createByteBudget(10);
  const first = await budget.take(6, never);
  const waiting = [budget.take(8, never), budget.take(1, never)];
  assert.deepEqual(await settled(waiting), [false, false]);
  first();
  first();
  assert.deepEqual(await settled(waiting), [true, true]);
  const more = budget.take(2, never);
  assert.deepEqual(await settled([more]), [false], 'what is given back twice counts once');
});

test('what is larger than the bound goes alone', async () => {
  const budget = createByteBudget(10);
  const release = await budget.take(1000, never);
  const next = budget.take(1, never);
  assert.deepEqual(await settled([next]), [false]);
  release();
  await next;
});

test('who gives up while waiting holds nothing and keeps nobody waiting', async () => {
  const budget = createByteBudget(10);
  await budget.take(6, never);
  const gone = new AbortController();
  const large = budget.take(8, gone.signal);
  const small = budget.take(4, never);
  assert.deepEqual(await settled([large, small]), [false, false]);
  gone.abort(new Error('gone'));
  await assert.rejects(large, /gone/);
  await small;
  await assert.rejects(budget.take(1, AbortSignal.abort(new Error('before'))), /before/);
});

test('whoever takes, waits, gives up and gives back: never more than the bound, and everybody gets a turn', async () => {
  const lives = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 15 }), givesUp: fc.boolean() }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(lives, async (all) => {
      const budget = createByteBudget(10);
      let held = 0;
      let most = 0;
      let served = 0;
      const work = all.map(async ({ bytes, givesUp }, n) => {
        const leaving = new AbortController();
        if (givesUp && n % 2 === 1) setImmediate(() => leaving.abort(new Error('gone')));
        try {
          const release = await budget.take(bytes, leaving.signal);
          held += Math.min(bytes, 10);
          most = Math.max(most, held);
          await new Promise(setImmediate);
          held -= Math.min(bytes, 10);
          release();
          served++;
        } catch {
          served++;
        }
      });
      await Promise.all(work);
      assert.equal(served, all.length);
      assert.ok(most <= 10);
    }),
    runs(50),
  );
});
