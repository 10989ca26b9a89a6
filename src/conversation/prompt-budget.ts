import type { Model } from '../model/model.ts';
import type { Calibration } from './calibration.ts';
import { seedShare } from './limits.ts';
import type { Profile } from './profile.ts';

/** The one size of a prompt: what is reserved, summarised and written goes by it alike. */

interface BudgetDeps {
  calibration: Pick<Calibration, 'ratio' | 'window'>;
  model: Pick<Model, 'contextTokens'>;
}

/** All that is sent, in our own counts, and why it is less than what is set. */
export interface PromptBudget {
  tokens: number;
  /** What the model can read beside its answer. */
  readable: number;
  /** How many tokens the model counts for one of ours; never less than one. */
  ratio: number;
}

/** However little a model is said to read: a question without a memory is better than none. */
const smallestBudget = 500;

/** The budget in our own counts: tighter where the model counts more, and never more than the model can read. */
export async function promptBudget({ calibration, model }: BudgetDeps, profile: Profile): Promise<PromptBudget> {
  const known = model.contextTokens(profile.model) ?? Number.POSITIVE_INFINITY;
  const readable = Math.min(known, calibration.window(profile.model)) - profile.maxReplyTokens;
  const ratio = await calibration.ratio(profile.model);
  const tokens = Math.max(smallestBudget, Math.floor(Math.min(profile.memory.tokens, readable) / ratio));
  return { tokens, readable, ratio };
}

/** What a thread may be given of its parent's memory. */
export function seedRoom(budget: number): number {
  return Math.floor(budget * seedShare);
}
