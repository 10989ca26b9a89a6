import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ChannelId } from '../../src/event.ts';
import { readJson, refusal, toJson } from './answers.ts';
import type { MemoryViews } from './host.ts';
import type { Live } from './live.ts';
import { namePost, toName } from './names.ts';
import type { OpenTalk } from './open-talk.ts';
import type { ChannelRecord, OwnChannels } from './own-channels.ts';
import type { Posting } from './posting.ts';
import type { OwnPlace, Route, Visitor } from './route.ts';
import { limits, toCommand } from './to-event.ts';
import type { TurnView } from './views.ts';
import type { Channels, OwnChannel, ThreadPost } from './wire.ts';

/** The list on the left: channels and their threads, made, renamed, and forgotten. */
interface ChannelDeps {
  channels: OwnChannels;
  views: MemoryViews;
  posting: Posting;
  talk: OpenTalk;
  live: Live;
  now(): number;
}

const threadPost: z.ZodType<ThreadPost> = z.object({ branchedFrom: z.string().min(1).max(300) });
const maxBodyBytes = 10_000;
const turnsAtOnce = 100;
/** A thread is opened on what is in sight, not on what was said a year ago. */
const turnsBack = 2_000;
const threadNameChars = 40;

export function channelRoutes({ channels, views, posting, talk, live, now }: ChannelDeps): Route[] {
  async function listAll(visitor: Visitor): Promise<Channels> {
    const others = visitor.admin ? await views.channels() : [];
    return {
      own: channels.list().map((one) => toOwn(one, visitor)),
      others: others.filter((one) => one.platform !== 'web'),
    };
  }

  async function findTurn(channel: ChannelId, id: string): Promise<TurnView | undefined> {
    let before: number | undefined;
    for (let seen = 0; seen < turnsBack; seen += turnsAtOnce) {
      const range = { limit: turnsAtOnce, ...(before === undefined ? {} : { before }) };
      const { turns, more } = await views.turns(channel, range);
      const found = turns.findLast((one) => !one.erased && (one.id === id || one.posts.includes(id)));
      if (found !== undefined || !more) return found;
      before = turns[0]?.seq;
    }
    return undefined;
  }

  /** What was said there is forgotten first: what is off the list could no longer be reached. */
  async function remove(visitor: Visitor, place: OwnPlace): Promise<void> {
    const posted = { id: `delete-${randomUUID()}`, at: now() };
    const admin = { ...visitor, admin: true };
    await posting.post(toCommand({ visitor: admin, place, posted }, 'forget everything confirm', undefined));
    await channels.remove(place.id);
    talk.drop(place.id);
    live.tellAll({ type: 'channels' });
    live.dropTalk(place.id);
  }

  return [
    {
      method: 'GET',
      path: '/api/channels',
      rights: 'console',
      handle: async (_, visitor) => toJson(await listAll(visitor)),
    },
    {
      method: 'POST',
      path: '/api/channels',
      rights: 'console',
      async handle(c, visitor) {
        const name = mustBeName((await readJson(c, namePost, maxBodyBytes)).name);
        const made = await channels.create(name, visitor.person.id);
        live.tellAll({ type: 'channels' });
        return toJson(toOwn(made, visitor), 201);
      },
    },
    {
      method: 'PATCH',
      path: '/api/channels/:key',
      rights: 'own',
      async handle(c, visitor, place) {
        mustBeChannel(place);
        const name = mustBeName((await readJson(c, namePost, maxBodyBytes)).name);
        const renamed = await channels.rename(place.id, name);
        live.tellAll({ type: 'channels' });
        return toJson(toOwn(renamed, visitor));
      },
    },
    {
      method: 'DELETE',
      path: '/api/channels/:key',
      rights: 'own',
      async handle(_, visitor, place) {
        mustBeChannel(place);
        if (!toOwn(place.channel, visitor).mayDelete)
          throw refusal(403, 'Only admins and whoever made a channel may delete it.');
        await remove(visitor, place);
        return new Response(null, { status: 204 });
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/threads',
      rights: 'own',
      async handle(c, _, place) {
        mustBeChannel(place);
        const { branchedFrom } = await readJson(c, threadPost, maxBodyBytes);
        const turn = await findTurn(place.id, branchedFrom);
        if (turn === undefined) throw refusal(404, 'This message is not in the memory, so no thread can hang from it.');
        const name = toName(turn.text.slice(0, 10 * threadNameChars), threadNameChars) || 'Thread';
        const opened = await channels.openThread(place.id, turn.role === 'assistant' ? branchedFrom : turn.id, name);
        live.tellAll({ type: 'channels' });
        return toJson(opened);
      },
    },
  ];
}

function toOwn({ by, ...channel }: ChannelRecord, { person, admin }: Visitor): OwnChannel {
  return { ...channel, mayDelete: admin || by === person.id };
}

function mustBeName(text: string): string {
  const name = toName(text, limits.nameChars);
  if (name === '') throw refusal(400, 'A name needs at least one letter.');
  return name;
}

function mustBeChannel({ thread }: OwnPlace): void {
  if (thread !== undefined) throw refusal(400, 'This is for channels, not for threads.');
}
