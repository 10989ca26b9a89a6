import { hasRoom, type MemorySettings } from '../conversation/limits.ts';
import type { Profile } from '../conversation/profile.ts';
import { BotError } from '../errors.ts';
import type { SizeFacts } from './setting.ts';

/** Whether a model can read what it is to be sent, and whether that is enough for a conversation. */

const mostTokens = 2 ** 24;

/** After `memory_tokens` was set: the prompt it allows and the reply fit the model's window. */
export function checkMemory(profile: Profile, facts: SizeFacts): void {
  const { memory, model, maxReplyTokens } = profile;
  const window = facts.contextTokens(model);
  if (window !== undefined && memory.tokens + maxReplyTokens > window) {
    throw new BotError(
      'input',
      `the model ${model} reads ${window} tokens in all, ${maxReplyTokens} of them kept for its reply (max_reply_tokens): memory_tokens can be at most ${Math.max(0, window - maxReplyTokens)}`,
    );
  }
  if (!isEnough(memory, memory.tokens, facts)) {
    throw new BotError(
      'input',
      `\`memory_tokens\` must be at least ${leastTokens(memory, facts)} here: with less I would have to summarise all the time`,
    );
  }
}

/** After the model or the length of its reply was set. A memory that is too large for the model is cut to its window. */
export function checkWindow(profile: Profile, facts: SizeFacts): void {
  const { memory, model, maxReplyTokens } = profile;
  const window = facts.contextTokens(model);
  if (window === undefined || isEnough(memory, Math.min(memory.tokens, window - maxReplyTokens), facts)) return;
  throw new BotError(
    'input',
    `the model ${model} reads ${window} tokens in all; with ${maxReplyTokens} for its reply (max_reply_tokens) too few are left, for a conversation here needs ${leastTokens(memory, facts)}`,
  );
}

function isEnough(memory: MemorySettings, tokens: number, { fixedTokens }: SizeFacts): boolean {
  return hasRoom({ ...memory, tokens }, fixedTokens);
}

function leastTokens(memory: MemorySettings, facts: SizeFacts): number {
  let tooFew = 0;
  let enough = mostTokens;
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(memory, middle, facts)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
