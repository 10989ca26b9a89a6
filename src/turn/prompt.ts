import type { FoldRef } from '../conversation/head.ts';
import type { Turn } from '../conversation/turn.ts';
import { foldMessage, leftOutMessage, toMessages } from '../conversation/wire.ts';
import type { ChatMessage, ContentPart } from '../model/model.ts';

/** The messages of one request. Everything before the newest message is the same, byte for byte, in the next request. */

/** A fold as it stands in prompts. */
export interface FoldText extends FoldRef {
  text: string;
}

export interface PromptParts {
  system: string;
  examples?: readonly ChatMessage[];
  seed: ChatMessage[];
  folds: readonly FoldText[];
  turns: readonly Turn[];
  leftOut: boolean;
  /** What was found again for the newest message. */
  recall?: ChatMessage | undefined;
  newest: Turn;
  images: readonly string[];
  /** What the answer under way has called so far. */
  after?: readonly ChatMessage[];
}

export function buildPrompt(parts: PromptParts): ChatMessage[] {
  const history = [
    ...parts.folds.map((fold) => ({ seq: fold.from, messages: [foldMessage(fold.text)] })),
    ...parts.turns.map((turn) => ({ seq: turn.seq, messages: toMessages(turn) })),
  ].sort((a, b) => a.seq - b.seq);
  // The note stands where something is missing: before the first turn that is there.
  const firstTurn = parts.turns[0]?.seq ?? parts.newest.seq;
  const before = history.filter((item) => item.seq < firstTurn);
  const after = history.filter((item) => item.seq >= firstTurn);
  return [
    { role: 'system', content: parts.system },
    ...(parts.examples ?? []),
    ...parts.seed,
    ...before.flatMap((item) => item.messages),
    ...(parts.leftOut ? [leftOutMessage] : []),
    ...after.flatMap((item) => item.messages),
    ...(parts.recall === undefined ? [] : [parts.recall]),
    ...withImages(toMessages(parts.newest), parts.images),
    ...(parts.after ?? []),
  ];
}

function withImages(messages: ChatMessage[], images: readonly string[]): ChatMessage[] {
  const last = messages.at(-1);
  if (images.length === 0 || last?.role !== 'user' || typeof last.content !== 'string') return messages;
  const content: ContentPart[] = [
    { type: 'text', text: last.content },
    ...images.map((url): ContentPart => ({ type: 'image', url })),
  ];
  return [...messages.slice(0, -1), { role: 'user', content }];
}
