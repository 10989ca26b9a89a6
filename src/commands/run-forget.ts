import { liveRanges } from '../conversation/head.ts';
import type { Turn } from '../conversation/turn.ts';
import { BotError } from '../errors.ts';
import { type ChannelId, channelParts } from '../event.ts';
import { type Context, privately, type Result } from './context.ts';

/** Erased from turns, folds and recall, for good. Whoever asks may have their own words erased; an admin anybody's. */

const stands = 'What others wrote about it in their own words stays.';

export async function forgetLast(context: Context): Promise<Result> {
  const { deps, channel, author, isAdmin, values } = context;
  const wanted = Number(values.n);
  if (!Number.isInteger(wanted) || wanted < 1) throw new BotError('input', 'say how many: `forget last 4`');
  const state = await deps.memory.conversations.read(channel);
  const said: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq)) {
    said.push(...(await deps.memory.conversations.journal.turns(channel, range)));
  }
  const own = said.filter(
    (turn) => turn.role === 'user' && turn.erased === undefined && (isAdmin || turn.author === author.id),
  );
  const chosen = own.slice(-wanted);
  if (chosen.length === 0) throw new BotError('input', 'there is nothing of yours here to forget');
  const seqs = new Set(chosen.map((turn) => turn.seq));
  const what = `${isAdmin ? 'the' : 'your'} last ${chosen.length === 1 ? 'message' : `${chosen.length} messages`} and my answers`;
  return await forgetIn(context, [channel], (turn) => seqs.has(turn.seq), what);
}

export async function forgetMe(context: Context): Promise<Result> {
  return await forgetPerson(
    context,
    context.author.id,
    'you: everything you wrote in any channel here, and my answers to it',
  );
}

export async function forgetUser(context: Context): Promise<Result> {
  const who = String(context.values.who);
  const { people } = (await context.deps.memory.conversations.read(context.channel)).head;
  const matches = Object.entries(people).filter(
    ([id, person]) => id === who || person.shown.toLowerCase() === who.toLowerCase(),
  );
  const [match] = matches;
  if (match === undefined)
    throw new BotError(
      'input',
      `nobody called “${who.slice(0, 60)}” has spoken here; give the name as I show it, or the platform's id`,
    );
  return await forgetPerson(
    context,
    match[0],
    `${match[1].shown}: everything written in any channel here, and my answers to it`,
  );
}

export async function forgetEverything(context: Context): Promise<Result> {
  // Threads first: what is gone there need not be searched for what the channel's words repeat.
  const channels = (await context.deps.memory.amending.family(context.channel)).reverse();
  return await forgetIn(context, channels, () => true, 'everything that was said here, threads included');
}

async function forgetPerson(context: Context, id: string, what: string): Promise<Result> {
  const { deps, channel } = context;
  const { platform, workspace } = channelParts(channel);
  const channels = await deps.memory.amending.channelsWith(platform, workspace, id);
  return await forgetIn(context, channels, (turn) => turn.author === id, what, id);
}

async function forgetIn(
  context: Context,
  channels: readonly ChannelId[],
  isMeant: (turn: Turn) => boolean,
  what: string,
  person?: string,
): Promise<Result> {
  const { deps, channel, by, settle } = context;
  const result = privately(`🗑️ I have forgotten ${what}. ${stands}`);
  const change = { at: deps.now(), by, what: 'had messages forgotten' };
  for (const one of channels) {
    const amended = await deps.memory.amending.erase(
      one,
      { isMeant, why: 'forgotten', change, ...(person !== undefined && { person }) },
      [],
    );
    const asked = deps.running.current(one);
    if (asked !== undefined && amended.messageIds.includes(asked.question)) {
      deps.running.interrupt(one, 'withdraw', 'the question was forgotten');
    } else if (amended.messageIds.length > 0) {
      deps.running.interrupt(one, 'again', 'something was forgotten');
    }
    if (amended.tainted > 0) deps.memory.refold(one);
  }
  // Only now: after a crash in the middle the rest is erased when the command is run again.
  await deps.memory.conversations.change(channel, () => ({ also: [settle(result.notice)], value: undefined }));
  return result;
}
