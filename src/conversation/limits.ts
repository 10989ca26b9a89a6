/** How the token budget is divided (memory.md gives the measurements behind the shares). */

export interface MemorySettings {
  /** All that is sent. */
  tokens: number;
  high: number | undefined;
  low: number | undefined;
  foldTokens: number | undefined;
  recallTokens?: number | undefined;
  rounds: number | undefined;
}

export interface MemoryLimits {
  total: number;
  /** Unfolded turns above this are folded until `low` is reached. */
  high: number;
  low: number;
  /** What all folds together may take, and the words of one of them. */
  folds: number;
  perFold: number;
  /** What is found again for one question, with what stands around it. */
  recall: number;
  rounds: { high: number; low: number } | undefined;
}

const foldShare = 0.15;
const recallShare = 0.1;
const mostRecall = 1000;
/** What a thread is given of its parent's memory. */
export const seedShare = 0.25;
const highest = 8000;
const lowShare = 0.35;
const foldsSideBySide = 4;
const smallestFold = 60;
/** What stands around a fold in a prompt. */
const foldFrame = 25;
/** With less room for the conversation it would be summarised all the time. */
const smallestHigh = 500;

/** Where the operator's own `MEMORY_HIGH` is lower than the usual minimum, that is what was wanted. */
export function leastHigh({ high }: Pick<MemorySettings, 'high'>): number {
  return Math.min(smallestHigh, high ?? smallestHigh);
}

/** Whether enough remains for a conversation beside what stands in every prompt. */
export function hasRoom(settings: MemorySettings, fixedTokens: number): boolean {
  return planLimits(settings, fixedTokens).high >= leastHigh(settings);
}

/** `fixedTokens`: the role and whatever else stands before the turns in every prompt. */
export function planLimits(settings: MemorySettings, fixedTokens: number): MemoryLimits {
  const { tokens: total } = settings;
  const folds = settings.foldTokens ?? Math.floor(total * foldShare);
  const recall = settings.recallTokens ?? Math.min(mostRecall, Math.floor(total * recallShare));
  const room = total - fixedTokens - folds - recall;
  const high = Math.min(settings.high ?? highest, Math.max(0, room));
  const low = Math.min(settings.low ?? Math.floor(high * lowShare), Math.floor(high * 0.9));
  const { rounds } = settings;
  return {
    total,
    high,
    low,
    folds,
    perFold: Math.max(smallestFold, Math.floor(folds / foldsSideBySide) - foldFrame),
    recall,
    rounds: rounds === undefined ? undefined : { high: rounds, low: Math.max(1, Math.floor(rounds * lowShare)) },
  };
}
