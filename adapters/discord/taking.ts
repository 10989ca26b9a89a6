import { setTimeout as delay } from 'node:timers/promises';
import { toBotError } from '../../src/errors.ts';
import type { Event, Intake } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';

/** Hands events to the core. Discord is never told, so what the core cannot keep just now is offered again. */
export interface Taking {
  /** False where it could not be kept. */
  take(event: Event, isLive: boolean): Promise<boolean>;
  /** Once for an event that came live: no earlier run can have begun to answer it. */
  isFresh(event: Event): boolean;
}

const pausesMs = [250, 1000, 2000, 4000, 8000, 15_000, 30_000];

export function createTaking(intake: Intake, deps: { log: Log; signal: AbortSignal }): Taking {
  const { log, signal } = deps;
  const fresh = new Set<string>();
  const keyOf = (event: Event): string => `${event.channel}:${event.id}`;

  async function offer(event: Event): Promise<Awaited<ReturnType<Intake['accept']>> | 'refused'> {
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        return await intake.accept(event);
      } catch (error) {
        const { kind } = toBotError(error);
        const helps = (kind === 'store' || kind === 'busy') && !signal.aborted && pauseMs !== undefined;
        log.warn({ channel: event.channel, event: event.id, error, again: helps }, 'an event could not be kept');
        if (!helps) return 'refused';
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return 'refused';
  }

  return {
    async take(event, isLive) {
      if (isLive) fresh.add(keyOf(event));
      const outcome = await offer(event);
      if (outcome !== 'accepted') fresh.delete(keyOf(event));
      return outcome !== 'refused';
    },
    isFresh: (event) => fresh.delete(keyOf(event)),
  };
}
