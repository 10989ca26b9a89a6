import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createGate } from '../../src/model/gate.ts';
import type { RateNews } from '../../src/model/rate-headers.ts';
import { createTestClock } from './model-clock.ts';
import { runs } from './property-runs.ts';

const news = (change: Partial<RateNews> = {}): RateNews => ({
  blockedMs: undefined,
  remaining: undefined,
  resetMs: undefined,
  tokenLimit: undefined,
  ...change,
});
const forever = Number.MAX_SAFE_INTEGER;
const never = new AbortController().signal;

/** Every timer is fired by hand. */
const setUp = () => {
  const clock = createTestClock(() => true);
  return { clock, gate: createGate(clock) };
};

describe('the gate before a rate-limited model', () => {
  test('lets everybody through while nothing is known', async () => {
    const { gate } = setUp();
    for (let place = 1; place <= 100; place += 1) {
      assert.deepEqual(await gate.enter(place, forever, never).next(), { done: true, value: true });
    }
  });

  test('who is let in while being told to wait, and leaves, gives the place to the next', async () => {
    const { clock, gate } = setUp();
    await gate.enter(1, forever, never).next();
    gate.settle(news({ blockedMs: 10_000 }));
    const first = gate.enter(2, forever, never);
    assert.equal((await first.next()).done, false, 'told to wait');
    const second = gate.enter(3, forever, never);
    assert.equal((await second.next()).done, false);
    const secondIn = second.next();
    clock.advance(10_000);
    await first.return(false);
    assert.deepEqual(await secondIn, { done: true, value: true });
  });

  test('a gate that opens while it is being looked at lets in whoever waits', async () => {
    const clock = createTestClock(() => true);
    let ticks = 0;
    // Each look at the clock finds it a little later.
    const gate = createGate({ ...clock, now: () => clock.now() + ticks++ });
    await gate.enter(1, forever, never).next();
    for (let early = 0; early < 12; early++) {
      gate.settle(news({ blockedMs: 1000 }));
      const waiting = gate.enter(early + 2, forever, never);
      const opensAt = gate.opensAt();
      while (clock.now() + ticks < opensAt - early) clock.advance(1);
      let isIn = false;
      const entered = (async () => {
        for (let step = await waiting.next(); !step.done; step = await waiting.next());
        isIn = true;
      })();
      for (let turn = 0; turn < 20 && !isIn; turn++) {
        clock.advance(20);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(isIn, `looked at ${early} ms before`);
      await entered;
    }
  });

  test('sends nobody into a wait beyond their time', async () => {
    const { clock, gate } = setUp();
    await gate.enter(1, forever, never).next();
    gate.settle(news({ blockedMs: 10_000 }));
    assert.deepEqual(await gate.enter(2, clock.now() + 9000, never).next(), { done: true, value: false });
    assert.equal(gate.opensAt(), clock.now() + 10_000);
  });

  test('an answer that was long under way does not open it again', async () => {
    const { clock, gate } = setUp();
    await gate.enter(1, forever, never).next();
    await gate.enter(2, forever, never).next();
    gate.settle(news({ blockedMs: 10_000 }));
    gate.settle(news({ remaining: 5, resetMs: 60_000 }));
    assert.deepEqual(await gate.enter(3, clock.now() + 1, never).next(), { done: true, value: false });
    clock.advance(10_000);
    assert.deepEqual(await gate.enter(4, forever, never).next(), { done: true, value: true });
    assert.deepEqual(await gate.enter(5, clock.now(), never).next(), { done: true, value: false }, 'one at a time');
  });

  test('those who wait hear of every further wait', async () => {
    const { clock, gate } = setUp();
    await gate.enter(1, forever, never).next();
    gate.settle(news({ blockedMs: 10_000 }));
    const first = gate.enter(2, forever, never);
    const second = gate.enter(3, forever, never);
    await first.next();
    await second.next();
    const [firstIn, secondTold] = [first.next(), second.next()];
    clock.advance(10_000);
    assert.equal((await firstIn).value, true);
    gate.settle(news({ blockedMs: 30_000 }));
    const told = await secondTold;
    assert.ok(told.done === false && told.value.type === 'waiting');
    assert.equal(told.value.until, clock.now() + 30_000);
  });

  test('whatever servers say and whoever leaves, nobody is left standing and no timer runs on', async () => {
    const answer = fc.record({
      blockedMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
      remaining: fc.option(fc.nat(3), { nil: undefined }),
      resetMs: fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
      gone: fc.boolean(),
      silent: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 30 }), async (answers) => {
        const clock = createTestClock(() => false);
        const gate = createGate(clock);
        let under = 0;
        const people = answers.map(async ({ gone, silent, ...said }, place) => {
          const stop = new AbortController();
          const entering = gate.enter(place, forever, stop.signal);
          let step = await entering.next();
          while (!step.done) {
            if (gone) stop.abort();
            step = await entering.next();
          }
          if (!step.value) return;
          under += 1;
          await new Promise((resolve) => setImmediate(resolve));
          under -= 1;
          gate.settle(silent ? undefined : news(said));
        });
        await Promise.all(people);
        assert.equal(under, 0);
        assert.equal(clock.running(), 0);
      }),
      runs(300),
    );
  });
});
