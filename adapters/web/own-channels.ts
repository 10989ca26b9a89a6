import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';
import type { Shelf } from './host.ts';

/** The console's own channels and their threads, on the shelf; all visitors share them. */
export interface OwnChannels {
  /** Oldest first; always at least one. */
  list(): readonly ChannelRecord[];
  /** The channel, also of one of its threads; nothing where there is no such channel or thread. */
  find(id: string): { channel: ChannelRecord; thread: ThreadRecord | undefined } | undefined;
  /** Of those who are no admins, each may make so many. */
  create(name: string, by: string, isAdmin: boolean): Promise<ChannelRecord>;
  rename(id: ChannelId, name: string): Promise<ChannelRecord>;
  remove(id: ChannelId): Promise<void>;
  /** Opens it, or finds it. */
  openThread(id: ChannelId, branchedFrom: string, by: string): Promise<ThreadRecord>;
  /** Something was said there. */
  touch(id: ChannelId, at: number): void;
}

export interface ChannelRecord {
  id: ChannelId;
  name: string;
  /** Between one visitor and the bot alone. */
  private: boolean;
  createdAt: number;
  /** Who made it. */
  by: string;
  lastAt: number;
  threads: readonly ThreadRecord[];
}

/** What it is called is read from the message it hangs from: words that people may take back are not kept here. */
export interface ThreadRecord {
  id: ChannelId;
  branchedFrom: string;
  openedAt?: number | undefined;
  /** Who opened it. */
  by?: string | undefined;
}

const recordSchema = z.object({
  name: z.string(),
  createdAt: z.number(),
  by: z.string(),
  lastAt: z.number(),
  threads: z.array(z.object({ branchedFrom: z.string(), openedAt: z.number().optional(), by: z.string().optional() })),
});

type Stored = z.infer<typeof recordSchema>;

/** Threads were once kept with the first words of their message. */
const namedSchema = z.object({ threads: z.array(z.object({ name: z.string().optional() })) });

const prefix = 'channel/';
const firstName = 'general';
const maxChannels = 200;
const maxThreads = 300;
/** One visitor must not take the room of all. */
const maxChannelsEach = 20;
const maxThreadsEach = 60;
/** When something was last said is told to the minute: it is not worth a write each time. */
const touchMs = 60_000;

interface ChannelsDeps {
  shelf: Shelf;
  now(): number;
  /** A write that nobody waits for failed. */
  onTrouble(error: unknown): void;
}

export async function openChannels({ shelf, now, onTrouble }: ChannelsDeps): Promise<OwnChannels> {
  const records = new Map<string, ChannelRecord>();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other, and each of them kept before it is seen. */
  function inOrder<T>(change: () => Promise<T>): Promise<T> {
    const mine = queue.then(change);
    queue = mine.catch(() => undefined);
    return mine;
  }

  async function put(record: ChannelRecord): Promise<ChannelRecord> {
    await shelf.put(keyOf(record.id), toStored(record));
    records.set(record.id, record);
    return record;
  }

  function must(id: ChannelId): ChannelRecord {
    const found = records.get(id);
    if (found === undefined) throw new BotError('input', 'this channel is no longer there');
    return found;
  }

  /** Two of one name could not be told apart. */
  function mustBeFree(name: string, id?: ChannelId): void {
    const isSame = (one: ChannelRecord): boolean => one.id !== id && one.name.toLowerCase() === name.toLowerCase();
    if ([...records.values()].some(isSame)) throw new BotError('input', `there is a channel called “${name}” already`);
  }

  function make(part: string, name: string, by: string): Promise<ChannelRecord> {
    const at = now();
    return put({ id: channelId(part), name, private: false, createdAt: at, by, lastAt: at, threads: [] });
  }

  const old: ChannelRecord[] = [];
  for (const { key, value } of await shelf.list(prefix)) {
    const found = recordSchema.safeParse(value);
    const id = channelId(key.slice(prefix.length));
    if (found.success) records.set(id, toRecord(id, found.data));
    const named = namedSchema.safeParse(value);
    if (found.success && named.success && named.data.threads.some((thread) => thread.name !== undefined)) {
      old.push(toRecord(id, found.data));
    }
  }
  for (const record of old) await shelf.put(keyOf(record.id), toStored(record));
  // What was overwritten leaves the files, too.
  if (old.length > 0) await shelf.remove([]);
  if (records.size === 0) await make(firstName, firstName, '');

  return {
    list: () => [...records.values()].sort((a, b) => a.createdAt - b.createdAt),

    find(id) {
      const top = id.split('/').slice(0, 3).join('/');
      const channel = records.get(top);
      const thread = channel?.threads.find((one) => one.id === id);
      return channel !== undefined && (id === top || thread !== undefined) ? { channel, thread } : undefined;
    },

    create: (name, by, isAdmin) =>
      inOrder(async () => {
        const own = [...records.values()].filter((record) => record.by === by).length;
        if (!isAdmin && own >= maxChannelsEach)
          throw new BotError('input', `you have made ${own} channels already; delete one of them first`);
        if (records.size >= maxChannels) throw new BotError('input', `there are ${maxChannels} channels already`);
        mustBeFree(name);
        return await make(randomBytes(6).toString('hex'), name, by);
      }),

    rename: (id, name) =>
      inOrder(async () => {
        mustBeFree(name, id);
        return await put({ ...must(id), name });
      }),

    remove: (id) =>
      inOrder(async () => {
        must(id);
        if (records.size === 1) await make(randomBytes(6).toString('hex'), firstName, '');
        await shelf.remove([keyOf(id)]);
        records.delete(id);
      }),

    openThread: (id, branchedFrom, by) =>
      inOrder(async () => {
        const record = must(id);
        const known = record.threads.find((one) => one.branchedFrom === branchedFrom);
        if (known !== undefined) return known;
        if (record.threads.length >= maxThreads)
          throw new BotError('input', `there are ${maxThreads} threads in this channel already`);
        if (record.threads.filter((thread) => thread.by === by).length >= maxThreadsEach)
          throw new BotError('input', `you have opened ${maxThreadsEach} threads in this channel already`);
        const opened = { id: threadId(id, branchedFrom), branchedFrom, openedAt: now(), by };
        await put({ ...record, threads: [...record.threads, opened] });
        return opened;
      }),

    touch(id, at) {
      const record = records.get(id);
      if (record === undefined || at - record.lastAt < touchMs) return;
      inOrder(async () => {
        const current = records.get(id);
        if (current !== undefined) await put({ ...current, lastAt: at });
      }).catch(onTrouble);
    },
  };
}

function channelId(channel: string): ChannelId {
  return toChannelId({ platform: 'web', workspace: 'console', channel });
}

function threadId(channel: ChannelId, branchedFrom: string): ChannelId {
  return toChannelId({ ...channelParts(channel), thread: branchedFrom });
}

function keyOf(id: ChannelId): string {
  return `${prefix}${channelParts(id).channel}`;
}

function toRecord(id: ChannelId, { threads, ...stored }: Stored): ChannelRecord {
  return {
    ...stored,
    id,
    private: false,
    threads: threads.map((one) => ({ ...one, id: threadId(id, one.branchedFrom) })),
  };
}

function toStored({ name, createdAt, by, lastAt, threads }: ChannelRecord): Stored {
  const kept = threads.map((thread) => {
    const { id: _, ...rest } = thread;
    return rest;
  });
  return { name, createdAt, by, lastAt, threads: kept };
}
