import { liveRanges } from '../conversation/head.ts';
import { type Somebody, wroteRole } from '../conversation/traces.ts';
import type { Turn } from '../conversation/turn.ts';
import { BotError } from '../errors.ts';
import { type ChannelId, channelParts, parentChannel } from '../event.ts';
import { type Context, privately, type Result } from './context.ts';
import { quote } from './nearest.ts';

/** Erased from turns, folds and recall, for good. Whoever asks may have their own words erased; an admin anybody's. */

export async function forgetLast(context: Context): Promise<Result> {
  const { channel } = context;
  const chosen = await lastMessages(context);
  const seqs = new Set(chosen.map((turn) => turn.seq));
  const what = `${context.isAdmin ? 'the' : 'your'} last ${chosen.length === 1 ? 'message' : `${chosen.length} messages`}, answers included`;
  return await forgetIn(context, {
    channels: [channel],
    isMeant: (turn) => seqs.has(turn.seq),
    what,
    others: true,
    all: false,
  });
}

export async function checkForgetLast(context: Context): Promise<void> {
  await lastMessages(context);
}

/** Throws where there are none. */
async function lastMessages({ deps, channel, author, isAdmin, values }: Context): Promise<Turn[]> {
  const state = await deps.memory.conversations.read(channel);
  const said: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq)) {
    said.push(...(await deps.memory.conversations.journal.turns(channel, range)));
  }
  const own = said.filter(
    (turn) => turn.role === 'user' && turn.erased === undefined && (isAdmin || turn.author === author.id),
  );
  const chosen = own.slice(-Number(values.n));
  if (chosen.length === 0)
    throw new BotError('input', `there is nothing ${isAdmin ? '' : 'of yours '}here that could be forgotten`);
  return chosen;
}

export async function forgetMe(context: Context): Promise<Result> {
  const { author, by } = context;
  const myself = { id: author.id, names: [by, author.name] };
  return await forgetPerson(context, myself, 'everything you wrote in any channel here, answers included');
}

export async function forgetUser(context: Context): Promise<Result> {
  const found = await knownPerson(context);
  const somebody = { id: found.id, names: [found.shown] };
  return await forgetPerson(context, somebody, 'everything that person wrote in any channel here, answers included');
}

export async function checkForgetUser(context: Context): Promise<void> {
  await knownPerson(context);
}

/** Throws where nobody of that name has spoken. */
async function knownPerson(context: Context): Promise<{ id: string; shown: string }> {
  const who = String(context.values.who);
  const found = await personCalled(context, who);
  if (found !== undefined) return found;
  throw new BotError('input', `nobody called ${quote(who)} has spoken here; give the name as I show it, or the id`);
}

/** By the name shown here, or in the thread's channel; by the id wherever it has spoken. */
async function personCalled(
  { deps, channel }: Context,
  who: string,
): Promise<{ id: string; shown: string } | undefined> {
  const { conversations, amending } = deps.memory;
  const above = parentChannel(channel);
  for (const one of above === undefined ? [channel] : [channel, above]) {
    const people = Object.entries((await conversations.read(one)).head.people);
    const named = people.find(([id, { shown }]) => id === who || shown.toLowerCase() === who.toLowerCase());
    if (named !== undefined) return { id: named[0], shown: named[1].shown };
  }
  const { platform, workspace } = channelParts(channel);
  for (const one of await amending.channelsWith(platform, workspace, { id: who, names: [] })) {
    const person = (await conversations.read(one)).head.people[who];
    if (person !== undefined) return { id: who, shown: person.shown };
  }
  return undefined;
}

export async function forgetEverything(context: Context): Promise<Result> {
  // Threads first: what is gone there need not be searched for what the channel's words repeat.
  const channels = (await context.deps.memory.amending.family(context.channel)).reverse();
  const what = 'everything that was said here, threads included';
  return await forgetIn(context, { channels, isMeant: () => true, what, others: false, all: true });
}

async function forgetPerson(context: Context, person: Somebody, what: string): Promise<Result> {
  const { deps, channel } = context;
  const { platform, workspace } = channelParts(channel);
  const known = await deps.memory.amending.channelsWith(platform, workspace, person);
  // Also here, where something may wait that nothing is known of yet.
  const channels = [...new Set([...known, channel])];
  return await forgetIn(context, {
    channels,
    isMeant: (turn) => turn.author === person.id,
    what,
    person,
    others: true,
    all: true,
  });
}

interface Forgetting {
  channels: readonly ChannelId[];
  isMeant(turn: Turn): boolean;
  /** For the person who asked. */
  what: string;
  /** Everything of this person's. */
  person?: Somebody;
  /** Also what was said before and waits to be handled. */
  all: boolean;
  /** Are there words of others left? */
  others: boolean;
}

async function forgetIn(context: Context, forgetting: Forgetting): Promise<Result> {
  const { deps, channel, changed, settle, job } = context;
  const { channels, isMeant, what, person, others, all } = forgetting;
  const stays = others ? ' What others wrote about it in their own words stays, and so do my answers to them.' : '';
  const role = await roleSentence(context, forgetting);
  const result = privately(`🗑️ I have forgotten ${what}.${role}${stays}`);
  const change = changed('had messages forgotten');
  const erasure = {
    isMeant,
    why: 'forgotten' as const,
    change,
    ...(person === undefined ? { everybody: all } : { person }),
    ...(all && { until: job.event.at }),
  };
  let damaged: BotError | undefined;
  for (const one of channels) {
    try {
      await deps.memory.amending.erase(one, erasure, []);
    } catch (error) {
      // Told once the other channels are done.
      if (!(error instanceof BotError && error.kind === 'damaged')) throw error;
      damaged ??= error;
    }
  }
  if (damaged !== undefined) throw damaged;
  if (person !== undefined) await deps.memory.workspaces.forget(channel, person);
  await deps.memory.amending.scrubbed();
  // Only now: after a crash in the middle the rest is erased when the command is run again.
  await deps.memory.conversations.change(channel, () => ({ also: [settle(result.notice)], value: undefined }));
  return result;
}

/** A role is words of whoever wrote it; what is set for all stays when all that was said is forgotten. */
async function roleSentence({ deps, author }: Context, { channels, person, all }: Forgetting): Promise<string> {
  if (person === undefined) return all ? ' The role and the settings stay.' : '';
  for (const one of channels) {
    const { head } = await deps.memory.conversations.read(one);
    if (!wroteRole(head, person)) continue;
    return ` A role that ${person.id === author.id ? 'you' : 'they'} wrote is gone, too; the usual one holds there again.`;
  }
  return '';
}
