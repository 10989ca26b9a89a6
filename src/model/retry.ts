import type { Failure } from './failure.ts';

/** What to do after a failed attempt. Pure: chance is passed in. Never asked once text has been shown. */
export type Step = { do: 'retry'; waitMs: number } | { do: 'next-model' } | { do: 'fail' };

export interface Situation {
  /** Attempts made with this model, this one included. */
  attempts: number;
  otherModelLeft: boolean;
  now: number;
}

const maxAttempts = 3;
const longestBackOffMs = 40_000;
const firstBackOffMs = 1000;

/** With another model at hand nobody is kept waiting longer than this for the first. */
export const patienceMs = 5000;

/** `chance` is between 0 and 1. */
export function planStep(failure: Failure, situation: Situation, chance: number): Step {
  const { attempts, otherModelLeft, now } = situation;
  if (failure.remedy === 'none') return { do: 'fail' };
  const giveUp: Step = otherModelLeft ? { do: 'next-model' } : { do: 'fail' };
  if (failure.remedy === 'other-model' || attempts >= maxAttempts) return giveUp;
  if (failure.remedy === 'faster-model' && otherModelLeft) return giveUp;
  if (failure.remedy === 'later') {
    const waitMs = Math.max(0, (failure.error.retryAt ?? now) - now);
    return otherModelLeft && waitMs > patienceMs ? giveUp : { do: 'retry', waitMs };
  }
  return { do: 'retry', waitMs: backOffMs(attempts, chance) };
}

/** Random, so that those who failed together do not come back together; at least half, so that it is a pause. */
function backOffMs(attempts: number, chance: number): number {
  const ceiling = Math.min(longestBackOffMs, firstBackOffMs * 2 ** attempts);
  return ceiling / 2 + (ceiling / 2) * chance;
}
