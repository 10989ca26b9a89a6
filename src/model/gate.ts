import type { Clock } from './clock.ts';
import type { ModelEvent } from './model.ts';
import type { RateNews } from './rate-headers.ts';

/**
 * One model's rate limit, shared by everybody who asks. While the server has said how many requests are left, that many
 * go through; while it has said "not before", nobody does. When that time is over the first in the queue goes alone,
 * and what its answer says decides about the next: so a limit of three a minute costs nobody their few attempts,
 * however many ask at once. Who was sent away by the server keeps their place.
 */
export interface Gate {
  /**
   * Returns true when a request may be sent; `settle` must follow. False when that cannot be before `deadline`, or the
   * signal aborted.
   */
  enter(place: number, deadline: number, signal: AbortSignal): AsyncGenerator<ModelEvent, boolean>;
  /** The request sent has been answered, as these headers say, or has failed without an answer. */
  settle(news: RateNews | undefined): void;
  /** Before this nothing can be had (ms since 1970). */
  opensAt(): number;
  idle(): boolean;
}

interface Waiter {
  place: number;
  admitted: boolean;
  wake: () => void;
}

/** Shorter waits are not worth a word. */
const worthTellingMs = 1000;

export function createGate(clock: Clock): Gate {
  const queue: Waiter[] = [];
  let opensAt = 0;
  let oneByOne = false;
  let credit = Number.POSITIVE_INFINITY;
  let creditEnds = 0;
  let sent = 0;
  let cancelTimer: (() => void) | undefined;

  const maySend = (now: number) => {
    if (now < opensAt) return false;
    if (oneByOne) return sent === 0;
    return credit > 0 || now >= creditEnds;
  };

  const pump = () => {
    // One moment for both: else the gate opens between the two, and nobody is told.
    const now = clock.now();
    while (queue.length > 0 && maySend(now)) {
      const waiter = queue.shift();
      if (waiter === undefined) return;
      waiter.admitted = true;
      take();
      waiter.wake();
    }
    cancelTimer?.();
    cancelTimer = undefined;
    if (queue.length === 0) return;
    const next = Math.max(opensAt, oneByOne ? 0 : creditEnds) - now;
    if (next > 0) cancelTimer = clock.after(next, pump);
  };

  const take = () => {
    sent += 1;
    if (clock.now() >= creditEnds) credit = Number.POSITIVE_INFINITY;
    credit -= 1;
  };

  const learn = (news: RateNews) => {
    const now = clock.now();
    if (news.blockedMs !== undefined) {
      opensAt = Math.max(opensAt, now + news.blockedMs);
      oneByOne = true;
      for (const waiter of queue) waiter.wake();
    } else if (news.remaining !== undefined && news.resetMs !== undefined && now >= opensAt) {
      // Those on their way may or may not be counted in `remaining`: as if they were not.
      credit = news.remaining - sent;
      creditEnds = now + news.resetMs;
      oneByOne = false;
    } else if (queue.length === 0 && now >= opensAt) {
      oneByOne = false;
    }
  };

  return {
    async *enter(place, deadline, signal) {
      if (signal.aborted) return false;
      if (queue.length === 0 && maySend(clock.now())) {
        take();
        return true;
      }
      const waiter: Waiter = { place, admitted: false, wake: () => {} };
      queue.push(waiter);
      queue.sort((a, b) => a.place - b.place);
      pump();
      let passed = false;
      try {
        passed = yield* wait(waiter, deadline, signal);
        return passed;
      } finally {
        const at = queue.indexOf(waiter);
        if (at >= 0) queue.splice(at, 1);
        // Admitted while leaving: the place goes to the next.
        if (waiter.admitted && !passed) {
          sent -= 1;
          credit += 1;
        }
        pump();
      }
    },
    settle(news) {
      sent -= 1;
      if (news !== undefined) learn(news);
      pump();
    },
    opensAt: () => opensAt,
    idle: () => queue.length === 0 && sent === 0 && clock.now() >= Math.max(opensAt, creditEnds),
  };

  async function* wait(waiter: Waiter, deadline: number, signal: AbortSignal): AsyncGenerator<ModelEvent, boolean> {
    let told = clock.now() + worthTellingMs;
    const wake = () => waiter.wake();
    signal.addEventListener('abort', wake, { once: true });
    const cancel = clock.after(deadline - clock.now(), wake);
    try {
      while (!waiter.admitted) {
        if (signal.aborted || opensAt > deadline || clock.now() >= deadline) return false;
        if (opensAt > told) {
          told = opensAt;
          yield { type: 'waiting', until: opensAt, reason: 'the chat API allows only so many requests a minute' };
          continue;
        }
        await new Promise<void>((resolve) => {
          waiter.wake = resolve;
        });
      }
      return !signal.aborted;
    } finally {
      cancel();
      signal.removeEventListener('abort', wake);
    }
  }
}
