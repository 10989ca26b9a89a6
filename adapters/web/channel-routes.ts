import { z } from 'zod';
import { readJson, refusal, toJson } from './answers.ts';
import type { MemoryViews } from './host.ts';
import type { Live } from './live.ts';
import { namePost, toName } from './names.ts';
import type { ChannelRecord, OwnChannels } from './own-channels.ts';
import type { PrivateChannels } from './private-channels.ts';
import type { OwnPlace, Route, Visitor } from './route.ts';
import { type ThreadNames, toOwnThread } from './thread-names.ts';
import { limits } from './to-event.ts';
import type { Channels, OwnChannel, ThreadPost } from './wire.ts';

/** The list on the left: channels and their threads, made, renamed, and forgotten. */
interface ChannelDeps {
  channels: OwnChannels;
  privates: PrivateChannels;
  views: MemoryViews;
  live: Live;
  names: ThreadNames;
  /** With all that was said there. */
  forget(channel: ChannelRecord, by: Visitor['person']): Promise<void>;
}

const threadPost: z.ZodType<ThreadPost> = z.object({ branchedFrom: z.string().min(1).max(300) });
const maxBodyBytes = 10_000;

export function channelRoutes({ channels, privates, views, live, names, forget }: ChannelDeps): Route[] {
  async function listAll(visitor: Visitor): Promise<Channels> {
    const others = visitor.admin ? await views.channels() : [];
    return {
      own: await Promise.all([privates.of(visitor.person.id), ...channels.list()].map((one) => toOwn(one, visitor))),
      others: others.filter((one) => one.platform !== 'web'),
    };
  }

  async function toOwn(channel: ChannelRecord, visitor: Visitor): Promise<OwnChannel> {
    const { by: _, ...shown } = channel;
    return { ...shown, threads: await names.of(channel), mayChange: mayChange(channel, visitor) };
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
        const made = await channels.create(name, visitor.person.id, visitor.admin);
        live.tellAll({ type: 'channels' });
        return toJson(await toOwn(made, visitor), 201);
      },
    },
    {
      method: 'PATCH',
      path: '/api/channels/:key',
      rights: 'own',
      async handle(c, visitor, place) {
        mustBeChannel(place);
        if (!mayChange(place.channel, visitor))
          throw refusal(403, 'Only admins and whoever made a channel may rename it.');
        const name = mustBeName((await readJson(c, namePost, maxBodyBytes)).name);
        const renamed = await channels.rename(place.id, name);
        live.tellAll({ type: 'channels' });
        return toJson(await toOwn(renamed, visitor));
      },
    },
    {
      method: 'DELETE',
      path: '/api/channels/:key',
      rights: 'own',
      async handle(_, visitor, place) {
        mustBeChannel(place);
        if (!mayChange(place.channel, visitor))
          throw refusal(403, 'Only admins and whoever made a channel may delete it.');
        await forget(place.channel, visitor.person);
        live.tellAll({ type: 'channels' });
        return new Response(null, { status: 204 });
      },
    },
    {
      method: 'POST',
      path: '/api/channels/:key/threads',
      rights: 'own',
      async handle(c, { person }, place) {
        mustBeChannel(place);
        const { branchedFrom } = await readJson(c, threadPost, maxBodyBytes);
        const turn = (await views.messages(place.id, [branchedFrom])).get(branchedFrom);
        if (turn === undefined) throw refusal(404, 'This message is not in the memory, so no thread can hang from it.');
        const opened = place.channel.private
          ? await privates.openThread(person.id, branchedFrom)
          : await channels.openThread(place.id, branchedFrom, person.id);
        live.tellAll({ type: 'channels' });
        return toJson(toOwnThread(opened, turn));
      },
    },
  ];
}

/** A conversation of one's own has no name, and is there for as long as its visitor. */
function mayChange({ by, private: isPrivate }: ChannelRecord, { person, admin }: Visitor): boolean {
  return !isPrivate && (admin || by === person.id);
}

function mustBeName(text: string): string {
  const name = toName(text, limits.nameChars);
  if (name === '') throw refusal(400, 'A name needs at least one letter.');
  return name;
}

function mustBeChannel({ thread }: OwnPlace): void {
  if (thread !== undefined) throw refusal(400, 'This is for channels, not for threads.');
}
