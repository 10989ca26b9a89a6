import { BotError } from '../errors.ts';
import { type Context, privately, type Result } from './context.ts';
import { lastQuestion, questionOf } from './meant.ts';

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
  const turn = target === undefined ? await lastQuestion(context) : await questionOf(context, target);
  if (turn === undefined) throw new BotError('input', 'there is no question here to answer again');
  context.mustHaveAsked(turn.author);
  await job.reply.progress('');
  const spender = { channel, person: author.id, payer: author.payer };
  const reservation = await deps.memory.reserve(spender, profile, turn);
  return { answer: { ...spender, turn, images: [], profile, reservation } };
}
