import type { Clock } from '../../src/model/clock.ts';

interface Timer {
  at: number;
  ms: number;
  run: () => void;
}

/**
 * A clock that stands still while a request is under way, and otherwise jumps to the next timer: nobody really waits.
 * `isLimit` knows the lengths of the timers that watch a request; those are the test's to fire.
 */
export function createTestClock(isLimit: (ms: number) => boolean) {
  let now = Date.UTC(2026, 10, 21);
  let timers: Timer[] = [];
  let armed: { ms: number; resolve: () => void }[] = [];
  const slept: number[] = [];

  const fire = (timer: Timer) => {
    timers = timers.filter((each) => each !== timer);
    now = Math.max(now, timer.at);
    timer.run();
  };
  const skip = () => {
    if (timers.some((each) => isLimit(each.ms))) return;
    const next = timers.sort((one, other) => one.at - other.at)[0];
    if (next === undefined) return;
    slept.push(next.ms);
    fire(next);
  };

  const clock: Clock = {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, ms, run };
      timers.push(timer);
      setImmediate(skip);
      for (const each of armed) if (each.ms === ms) each.resolve();
      armed = armed.filter((each) => each.ms !== ms);
      return () => {
        timers = timers.filter((each) => each !== timer);
        setImmediate(skip);
      };
    },
  };

  return {
    ...clock,
    /** The waits that were skipped, in ms. */
    slept,
    /** Resolves when a timer of exactly this length is running. */
    armed(ms: number): Promise<void> {
      if (timers.some((each) => each.ms === ms)) return Promise.resolve();
      return new Promise((resolve) => {
        armed.push({ ms, resolve });
      });
    },
    /** Lets the time pass. */
    advance(ms: number): void {
      const until = now + ms;
      for (;;) {
        const next = timers.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        fire(next);
      }
      now = until;
    },
    running: () => timers.length,
  };
}
