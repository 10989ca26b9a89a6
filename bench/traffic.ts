import type { TokenCounter } from '../src/conversation/tokens.ts';
import { createRandom, proseOf, type Random } from './texts.ts';

/** The talk that memory.md's figures stand on: a user's turn of 53 tokens and a reply of 194 in the mean, as sent. */
export interface Traffic {
  question(): Promise<string>;
  reply(): Promise<string>;
  fold(): Promise<string>;
}

/** What stands around a text on the wire: the message itself, and before a question the name. */
const messageTokens = 4;
const nameTokens = 2;
const questionTokens = 53;
const replyTokens = 194;
const foldTokens = 320;

export function createTraffic(seed: number, counter: TokenCounter): Traffic {
  const random = createRandom(seed);
  const make = (tokens: number) => proseOf(tokens, random, counter.count);
  return {
    question: () => make(spread(questionTokens - messageTokens - nameTokens, random)),
    reply: () => make(spread(replyTokens - messageTokens, random)),
    fold: () => make(spread(foldTokens, random, 0.2)),
  };
}

/** Around the mean, and as often above as below it. */
function spread(mean: number, random: Random, share = 0.8): number {
  return Math.max(5, Math.round(mean * (1 + share * (2 * random() - 1))));
}
