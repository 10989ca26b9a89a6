import type { Failure } from './failure.ts';

/** What to do after a failed attempt. Pure: chance is passed in. Never asked once text has been shown. */
export type Step = { do: 'retry'; waitMs: number } | { do: 'next-model' } | { do: 'fail' };

export interface Situation {
  /** Attempts made with this model, this one included. */
  attempts: number;
  otherModelLeft: boolean;
}

const maxAttempts = 3;
const longestBackOffMs = 40_000;
const firstBackOffMs = 1000;

/** `chance` is between 0 and 1. */
export function planStep(failure: Failure, situation: Situation, chance: number): Step {
  const { attempts, otherModelLeft } = situation;
  if (failure.remedy === 'none') return { do: 'fail' };
  const giveUp: Step = otherModelLeft ? { do: 'next-model' } : { do: 'fail' };
  if (failure.remedy === 'other-model' || attempts >= maxAttempts) return giveUp;
  if (failure.remedy === 'faster-model' && otherModelLeft) return giveUp;
  // The wait that a server names is everybody's: the gate keeps it.
  if (failure.remedy === 'later') return { do: 'retry', waitMs: 0 };
  return { do: 'retry', waitMs: backOffMs(attempts, chance) };
}

/** Random, so that those who failed together do not come back together; at least half, so that it is a pause. */
function backOffMs(attempts: number, chance: number): number {
  const ceiling = Math.min(longestBackOffMs, firstBackOffMs * 2 ** attempts);
  return ceiling / 2 + (ceiling / 2) * chance;
}
