import { randomBytes } from 'node:crypto';
import type { ChannelId } from '../../src/event.ts';
import { parentChannel } from '../../src/event.ts';
import { createLiveRing, type LiveRing, toEventText } from './live-ring.ts';
import type { LiveEvent } from './wire.ts';

/**
 * What happens, to whoever looks on. Readers take what they can hold, from a place of their own in the channel's ring:
 * one that does not read costs nothing, and is told afterwards that it missed something.
 */
export interface Live {
  /** `only`: the one person it is for. */
  tell(channel: ChannelId, event: LiveEvent, only?: string): void;
  /** To everybody, whatever they look at. */
  tellAll(event: LiveEvent): void;
  /** What was said in a channel is not to be read again. */
  dropTalk(channel: ChannelId): void;
  /** Nothing where this session, this address, or all together have too many open. */
  read(options: ReadOptions): LiveReader | undefined;
  /** Readers whose sessions were ended see that it is so. */
  recheck(): void;
  close(): void;
}

interface ReadOptions {
  channel: ChannelId;
  person: string;
  /** Where the reader is. */
  address: string;
  /** False once the reader may see nothing more. */
  holds(): boolean;
  lastEventId: string | undefined;
  /** What stands open now, for a reader that begins or has missed something. */
  openNow(): readonly LiveEvent[];
}

export interface LiveReader {
  /** The next text for the stream, as soon as there is some; nothing when it is over. */
  next(): Promise<string | undefined>;
  end(): void;
}

interface Watched {
  ring: LiveRing;
  readers: Set<() => void>;
}

const talkTypes: ReadonlySet<LiveEvent['type']> = new Set(['message', 'edited', 'piece', 'append', 'said']);

const heartbeatMs = 15_000;
const chunkChars = 64_000;
const maxReaders = 1_000;
const maxReadersEach = 30;
/** Of all sessions together that come from one address: many share one, and none may take all. */
const maxReadersOfAddress = 150;
/** Channels that nobody looks at any more, whose last events are kept for whoever comes back. */
const maxKept = 50;

export function createLive(): Live {
  const run = randomBytes(4).toString('hex');
  const watched = new Map<ChannelId, Watched>();
  const perPerson = createCounts();
  const perAddress = createCounts();
  let seq = 0;
  let readers = 0;
  let isClosed = false;

  const toId = (n: number): string => `${run}.${n}`;

  function watch(channel: ChannelId): Watched {
    const found = watched.get(channel) ?? { ring: createLiveRing(seq), readers: new Set() };
    // The one used last stands last.
    watched.delete(channel);
    watched.set(channel, found);
    for (const [id, one] of watched) {
      if (watched.size <= maxKept) break;
      if (one.readers.size === 0) watched.delete(id);
    }
    return found;
  }

  function push(one: Watched, event: LiveEvent, only: string | undefined): void {
    one.ring.push({ seq, text: toEventText(toId(seq), event), only, isTalk: talkTypes.has(event.type) });
    for (const wake of one.readers) wake();
  }

  return {
    tell(channel, event, only) {
      const one = watched.get(familyOf(channel));
      if (one === undefined) return;
      seq += 1;
      push(one, event, only);
    },
    tellAll(event) {
      seq += 1;
      for (const one of watched.values()) push(one, event, undefined);
    },
    dropTalk(channel) {
      watched.get(familyOf(channel))?.ring.dropTalk();
    },
    recheck: wakeAll,
    read({ channel, person, address, holds, lastEventId, openNow }) {
      const isFull =
        readers >= maxReaders ||
        perPerson.of(person) >= maxReadersEach ||
        perAddress.of(address) >= maxReadersOfAddress;
      if (isClosed || isFull) return undefined;
      const family = watch(familyOf(channel));
      readers += 1;
      perPerson.add(person, 1);
      perAddress.add(address, 1);
      let wake = (): void => {};
      const onPush = (): void => wake();
      family.readers.add(onPush);
      let cursor = placeOf(lastEventId);
      let isOver = false;

      /** Everything from the start: what stands open, and before it, where something was shown already, that it is old. */
      function begin(hasShown: boolean): string {
        cursor = seq;
        const events: LiveEvent[] = hasShown ? [{ type: 'reload' }, ...openNow()] : [...openNow()];
        return `: ready\nid: ${toId(seq)}\n\n${events.map((event) => toEventText(toId(seq), event)).join('')}`;
      }

      function takeText(): string {
        if (cursor === undefined) return begin(lastEventId !== undefined);
        const entries = family.ring.after(cursor, chunkChars);
        if (entries === undefined) return begin(true);
        cursor = entries.at(-1)?.seq ?? cursor;
        const isFor = (only: string | undefined): boolean => only === undefined || only === person;
        return entries.map((entry) => (isFor(entry.only) ? entry.text : '')).join('');
      }

      return {
        async next() {
          for (;;) {
            if (isOver || isClosed || !holds()) return undefined;
            const text = takeText();
            if (text !== '') return text;
            const { promise, resolve } = Promise.withResolvers<'pushed' | 'quiet'>();
            wake = () => resolve('pushed');
            const timer = setTimeout(resolve, heartbeatMs, 'quiet');
            const why = await promise;
            clearTimeout(timer);
            if (why === 'quiet') return ': \n\n';
          }
        },
        end() {
          if (isOver) return;
          isOver = true;
          family.readers.delete(onPush);
          readers -= 1;
          perPerson.add(person, -1);
          perAddress.add(address, -1);
          wake();
        },
      };
    },
    close() {
      isClosed = true;
      wakeAll();
    },
  };

  function wakeAll(): void {
    for (const one of watched.values()) for (const wake of one.readers) wake();
  }

  /** Nothing where it is of another run, or nonsense. */
  function placeOf(id: string | undefined): number | undefined {
    const [of, n = ''] = (id ?? '').split('.');
    const place = Number(n);
    return of === run && /^\d+$/.test(n) && place <= seq ? place : undefined;
  }
}

function createCounts() {
  const counts = new Map<string, number>();
  return {
    of: (key: string): number => counts.get(key) ?? 0,
    add(key: string, more: number): void {
      const count = (counts.get(key) ?? 0) + more;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    },
  };
}

/** A channel and its threads are looked at together. */
export function familyOf(channel: ChannelId): ChannelId {
  return parentChannel(channel) ?? channel;
}
