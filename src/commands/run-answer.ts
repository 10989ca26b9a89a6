import { liveRanges } from '../conversation/head.ts';
import type { ChannelState } from '../conversation/journal.ts';
import type { Turn } from '../conversation/turn.ts';
import { BotError } from '../errors.ts';
import { type Context, privately, type Result } from './context.ts';

/** Ends the answer being written; asks for another one. */

export async function stop(context: Context): Promise<Result> {
  const { deps, channel, by, direct } = context;
  const running = deps.running.current(channel);
  if (running === undefined) throw new BotError('input', 'there is no answer being written here just now');
  context.mustHaveAsked(running.person);
  deps.running.interrupt(channel, 'stop', `stopped by ${direct ? 'you' : by}`);
  return privately('⏹️ Stopped.');
}

export async function retry(context: Context): Promise<Result> {
  const { deps, channel, author, profile, job, target } = context;
  const state = await deps.memory.conversations.read(channel);
  const turn = target === undefined ? await lastQuestion(context, state) : await questionOf(context, target);
  if (turn === undefined) throw new BotError('input', 'there is no question here to answer again');
  context.mustHaveAsked(turn.author);
  await job.reply.progress('');
  const reservation = await deps.memory.reserve(channel, author.id, profile, turn);
  return { answer: { channel, turn, person: author.id, images: [], profile, reservation } };
}

const turnsBack = 64;

async function lastQuestion({ deps }: Context, state: ChannelState): Promise<Turn | undefined> {
  const range = liveRanges(state.head, state.view, state.nextSeq).at(-1);
  if (range === undefined) return undefined;
  const from = Math.max(range.from, range.to - turnsBack);
  const turns = await deps.memory.conversations.journal.turns(state.channel, { ...range, from });
  const answered = new Set(turns.map((turn) => turn.answers));
  const isQuestion = (turn: Turn): boolean => turn.unanswered !== undefined || answered.has(turn.seq);
  return turns.findLast((turn) => turn.role === 'user' && turn.erased === undefined && isQuestion(turn));
}

/** From the bot's message under which the button stands, or the question itself. */
async function questionOf({ deps, channel }: Context, messageId: string): Promise<Turn | undefined> {
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
