import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';
import type { Shelf } from './host.ts';
import type { ChannelRecord, ThreadRecord } from './own-channels.ts';

/**
 * The conversation that each visitor has with the bot alone: nobody else sees it, admins included. It is on the shelf from
 * the first thing said in it, and belongs to a person of a session: whoever logs in takes it along.
 */
export interface PrivateChannels {
  /** Their conversation; before anything was said in it, as it will be. */
  of(person: string): ChannelRecord;
  /** Nothing where it is not theirs. */
  find(id: string, person: string): { channel: ChannelRecord; thread: ThreadRecord | undefined } | undefined;
  /** Whoever's it is. */
  has(id: ChannelId): boolean;
  /** To be called before something is said. `source`: where many new visitors may come from. */
  keep(person: string, source: string | undefined): Promise<void>;
  openThread(person: string, branchedFrom: string): Promise<ThreadRecord>;
  touch(id: ChannelId, at: number): void;
  /** To the person that the same visitor is from now on; the one before starts with an empty one. */
  handOver(from: string, to: string): Promise<void>;
  /** Those whose visitors will hardly come back. */
  stale(): readonly ChannelRecord[];
  remove(id: ChannelId): Promise<void>;
}

const threadSchema = z.object({ branchedFrom: z.string(), openedAt: z.number().optional(), by: z.string().optional() });
const recordSchema = z.object({
  createdAt: z.number(),
  by: z.string(),
  lastAt: z.number(),
  threads: z.array(threadSchema),
});

const prefix = 'private/';
const shownName = 'Private';
const maxKept = 10_000;
/** From so many on, those that are not used make room sooner. */
const manyKept = 8_000;
const maxThreads = 60;
const touchMs = 60_000;
const dayMs = 86_400_000;
const staleMs = 90 * dayMs;
const staleOfManyMs = 7 * dayMs;
const hourMs = 3_600_000;
const maxNewEach = 60;
const maxSources = 10_000;

interface PrivateDeps {
  shelf: Shelf;
  /** What makes the ids impossible to guess. */
  secret: string;
  now(): number;
  /** A write that nobody waits for failed. */
  onTrouble(error: unknown): void;
}

export async function openPrivateChannels({ shelf, secret, now, onTrouble }: PrivateDeps): Promise<PrivateChannels> {
  const records = new Map<ChannelId, ChannelRecord>();
  const byPerson = new Map<string, ChannelId>();
  const isNew = createNewcomerLimit(now);
  let queue: Promise<unknown> = Promise.resolve();

  /** One change after the other, and each of them kept before it is seen. */
  function inOrder<T>(change: () => Promise<T>): Promise<T> {
    const mine = queue.then(change);
    queue = mine.catch(() => undefined);
    return mine;
  }

  function show(record: ChannelRecord): void {
    records.set(record.id, record);
    byPerson.set(record.by, record.id);
  }

  async function put(record: ChannelRecord): Promise<void> {
    const { createdAt, by, lastAt, threads } = record;
    const kept = threads.map((one) => ({ branchedFrom: one.branchedFrom, openedAt: one.openedAt, by: one.by }));
    await shelf.put(keyOf(record.id), { createdAt, by, lastAt, threads: kept });
    show(record);
  }

  /** One that was handed over keeps its id: whoever had it before gets another. */
  function freeId(person: string): ChannelId {
    for (let n = 0; ; n++) {
      const part = createHmac('sha256', secret).update(`private ${n} ${person}`).digest('hex').slice(0, 20);
      const id = toChannelId({ platform: 'web', workspace: 'console', channel: `me-${part}` });
      if (!records.has(id)) return id;
    }
  }

  function of(person: string): ChannelRecord {
    const id = byPerson.get(person);
    const known = id === undefined ? undefined : records.get(id);
    if (known !== undefined) return known;
    const at = now();
    return { id: freeId(person), name: shownName, private: true, createdAt: at, by: person, lastAt: at, threads: [] };
  }

  for (const { key, value } of await shelf.list(prefix)) {
    const found = recordSchema.safeParse(value);
    if (!found.success) continue;
    const id = toChannelId({ platform: 'web', workspace: 'console', channel: key.slice(prefix.length) });
    const threads = found.data.threads.map((one) => ({ ...one, id: threadId(id, one.branchedFrom) }));
    show({ ...found.data, id, name: shownName, private: true, threads });
  }

  return {
    of,

    find(id, person) {
      const channel = of(person);
      if (id === channel.id) return { channel, thread: undefined };
      const thread = channel.threads.find((one) => one.id === id);
      return thread && { channel, thread };
    },

    has(id) {
      const record = records.get(id.split('/').slice(0, 3).join('/') as ChannelId);
      return record !== undefined && (record.id === id || record.threads.some((one) => one.id === id));
    },

    keep: (person, source) =>
      inOrder(async () => {
        if (byPerson.has(person)) return;
        if (records.size >= maxKept || !isNew(source))
          throw new BotError(
            'busy',
            'too many new conversations were begun just now; use a channel, or try again later',
          );
        await put(of(person));
      }),

    openThread: (person, branchedFrom) =>
      inOrder(async () => {
        const record = of(person);
        const known = record.threads.find((one) => one.branchedFrom === branchedFrom);
        if (known !== undefined) return known;
        if (record.threads.length >= maxThreads)
          throw new BotError('input', `you have opened ${maxThreads} threads in this conversation already`);
        const opened = { id: threadId(record.id, branchedFrom), branchedFrom, openedAt: now(), by: person };
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

    handOver: (from, to) =>
      inOrder(async () => {
        const id = byPerson.get(from);
        const record = id === undefined ? undefined : records.get(id);
        if (record === undefined || byPerson.has(to)) return;
        await put({ ...record, by: to });
        byPerson.delete(from);
      }),

    stale() {
      const before = now() - (records.size > manyKept ? staleOfManyMs : staleMs);
      return [...records.values()].filter(({ lastAt }) => lastAt < before);
    },

    remove: (id) =>
      inOrder(async () => {
        const record = records.get(id);
        await shelf.remove([keyOf(id)]);
        records.delete(id);
        if (record !== undefined && byPerson.get(record.by) === id) byPerson.delete(record.by);
      }),
  };
}

/** Whoever throws their cookie away is somebody new each time: where they come from, there is an end of that. */
function createNewcomerLimit(now: () => number): (source: string | undefined) => boolean {
  const counts = new Map<string, { count: number; from: number }>();
  return (source) => {
    if (source === undefined) return true;
    const known = counts.get(source);
    const current = known === undefined || now() - known.from > hourMs ? { count: 0, from: now() } : known;
    if (current.count >= maxNewEach) return false;
    counts.delete(source);
    counts.set(source, { ...current, count: current.count + 1 });
    const [oldest] = counts.keys();
    if (counts.size > maxSources && oldest !== undefined) counts.delete(oldest);
    return true;
  };
}

function keyOf(id: ChannelId): string {
  return `${prefix}${channelParts(id).channel}`;
}

function threadId(channel: ChannelId, branchedFrom: string): ChannelId {
  return toChannelId({ ...channelParts(channel), thread: branchedFrom });
}
