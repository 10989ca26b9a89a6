import { liveRanges } from '../conversation/head.ts';
import type { Turn } from '../conversation/turn.ts';
import type { Context } from './context.ts';

/** Which question a command is about. */

const turnsBack = 64;

export async function lastQuestion({ deps, channel }: Context): Promise<Turn | undefined> {
  const state = await deps.memory.conversations.read(channel);
  const range = liveRanges(state.head, state.view, state.nextSeq).at(-1);
  if (range === undefined) return undefined;
  const from = Math.max(range.from, range.to - turnsBack);
  const turns = await deps.memory.conversations.journal.turns(channel, { ...range, from });
  const answered = new Set(turns.map((turn) => turn.answers));
  const isQuestion = (turn: Turn): boolean => turn.unanswered !== undefined || answered.has(turn.seq);
  return turns.findLast((turn) => turn.role === 'user' && turn.erased === undefined && isQuestion(turn));
}

/** From the bot's message under which the button stands, or the question itself. */
export async function questionOf({ deps, channel }: Context, messageId: string): Promise<Turn | undefined> {
  const { journal } = deps.memory.conversations;
  const ref = await journal.find(channel, messageId);
  // What a reset put away is not asked again: `undo` comes first.
  const { view } = await deps.memory.conversations.read(channel);
  if (ref === undefined || !view.spans.some((span) => span.epoch === ref.epoch)) return undefined;
  const found = (await journal.page(channel, ref)).find((turn) => turn.seq === ref.seq);
  if (found === undefined || found.erased !== undefined) return undefined;
  if (found.answers === undefined) return found.role === 'user' ? found : undefined;
  const seq = found.answers;
  return (await journal.page(channel, { ...ref, seq })).find((turn) => turn.seq === seq && turn.erased === undefined);
}

/** By the number that a list showed: of a question. */
export async function questionNumbered({ deps, channel }: Context, number: number): Promise<Turn | undefined> {
  const { journal, read } = deps.memory.conversations;
  const state = await read(channel);
  const seq = number - 1;
  const range = liveRanges(state.head, state.view, state.nextSeq).find((one) => one.from <= seq && seq <= one.to);
  const [turn] = range === undefined ? [] : await journal.turns(channel, { ...range, from: seq, to: seq });
  return turn?.role === 'user' && turn.erased === undefined ? turn : undefined;
}

/** The answer to it that counts. */
export async function answerTo({ deps, channel }: Context, question: Turn): Promise<Turn | undefined> {
  const { journal } = deps.memory.conversations;
  const ref = await journal.find(channel, question.id);
  if (ref === undefined) return undefined;
  const range = { epoch: ref.epoch, from: question.seq + 1, to: question.seq + turnsBack };
  const near = await journal.turns(channel, range);
  return near.find((turn) => turn.answers === question.seq && turn.erased === undefined);
}
