import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';
import type { Shelf } from './host.ts';
import type { OwnThread } from './wire.ts';

/** The console's own channels and their threads, on the shelf; all visitors share them. */
export interface OwnChannels {
  /** Oldest first; always at least one. */
  list(): readonly ChannelRecord[];
  /** The channel, also of one of its threads; nothing where there is no such channel or thread. */
  find(id: string): { channel: ChannelRecord; thread: OwnThread | undefined } | undefined;
  create(name: string, by: string): Promise<ChannelRecord>;
  rename(id: ChannelId, name: string): Promise<ChannelRecord>;
  remove(id: ChannelId): Promise<void>;
  /** Opens it, or finds it. */
  openThread(id: ChannelId, branchedFrom: string, name: string): Promise<OwnThread>;
  /** Something was said there. */
  touch(id: ChannelId, at: number): void;
}

export interface ChannelRecord {
  id: ChannelId;
  name: string;
  createdAt: number;
  /** Who made it. */
  by: string;
  lastAt: number;
  threads: readonly OwnThread[];
}

const recordSchema = z.object({
  name: z.string(),
  createdAt: z.number(),
  by: z.string(),
  lastAt: z.number(),
  threads: z.array(z.object({ name: z.string(), branchedFrom: z.string() })),
});

type Stored = z.infer<typeof recordSchema>;

const prefix = 'channel/';
const firstName = 'general';
const maxChannels = 200;
const maxThreads = 300;
/** When something was last said is not worth a write each time. */
const touchMs = 60_000;

interface ChannelsDeps {
  shelf: Shelf;
  now(): number;
  /** A write that nobody waits for failed. */
  onTrouble(error: unknown): void;
}

export async function openChannels({ shelf, now, onTrouble }: ChannelsDeps): Promise<OwnChannels> {
  const records = new Map<ChannelId, Stored>();
  const lastAt = new Map<ChannelId, number>();
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other, and each of them kept before it is seen. */
  function inOrder<T>(change: () => Promise<T>): Promise<T> {
    const mine = queue.then(change);
    queue = mine.catch(() => undefined);
    return mine;
  }

  async function put(id: ChannelId, record: Stored): Promise<ChannelRecord> {
    await shelf.put(`${prefix}${channelParts(id).channel}`, record);
    records.set(id, record);
    return toRecord(id, record);
  }

  function toRecord(id: ChannelId, record: Stored): ChannelRecord {
    const threads = record.threads.map((one) => ({ ...one, id: threadId(id, one.branchedFrom) }));
    return { ...record, id, threads, lastAt: Math.max(record.lastAt, lastAt.get(id) ?? 0) };
  }

  function must(id: ChannelId): Stored {
    const found = records.get(id);
    if (found === undefined) throw new BotError('input', 'this channel is no longer there');
    return found;
  }

  function make(part: string, name: string, by: string): Promise<ChannelRecord> {
    const at = now();
    return put(channelId(part), { name, createdAt: at, by, lastAt: at, threads: [] });
  }

  for (const { key, value } of await shelf.list(prefix)) {
    const found = recordSchema.safeParse(value);
    if (found.success) records.set(channelId(key.slice(prefix.length)), found.data);
  }
  if (records.size === 0) await make(firstName, firstName, '');

  return {
    list() {
      const all = [...records].map(([id, record]) => toRecord(id, record));
      return all.sort((a, b) => a.createdAt - b.createdAt);
    },

    find(id) {
      const top = id.split('/').slice(0, 3).join('/');
      for (const [known, record] of records) {
        if (known !== top) continue;
        const channel = toRecord(known, record);
        const thread = channel.threads.find((one) => one.id === id);
        return id === known || thread !== undefined ? { channel, thread } : undefined;
      }
      return undefined;
    },

    create: (name, by) =>
      inOrder(async () => {
        if (records.size >= maxChannels) throw new BotError('input', `there are ${maxChannels} channels already`);
        return await make(randomBytes(6).toString('hex'), name, by);
      }),

    rename: (id, name) => inOrder(async () => await put(id, { ...must(id), name })),

    remove: (id) =>
      inOrder(async () => {
        must(id);
        if (records.size === 1) await make(randomBytes(6).toString('hex'), firstName, '');
        await shelf.remove([`${prefix}${channelParts(id).channel}`]);
        records.delete(id);
        lastAt.delete(id);
      }),

    openThread: (id, branchedFrom, name) =>
      inOrder(async () => {
        const record = must(id);
        const known = record.threads.find((one) => one.branchedFrom === branchedFrom);
        if (known === undefined) {
          if (record.threads.length >= maxThreads)
            throw new BotError('input', `there are ${maxThreads} threads in this channel already`);
          await put(id, { ...record, threads: [...record.threads, { name, branchedFrom }] });
        }
        return { id: threadId(id, branchedFrom), name: known?.name ?? name, branchedFrom };
      }),

    touch(id, at) {
      lastAt.set(id, Math.max(at, lastAt.get(id) ?? 0));
      if (at - (records.get(id)?.lastAt ?? at) < touchMs) return;
      inOrder(async () => {
        const record = records.get(id);
        if (record !== undefined) await put(id, { ...record, lastAt: at });
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
