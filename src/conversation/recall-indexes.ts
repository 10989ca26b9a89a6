import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import type { Conversations } from './conversations.ts';
import type { Range } from './head.ts';
import { pageId, pageNumber, type TurnRef } from './page.ts';
import { follow, planStep, readPage, type Seen, toSeen } from './recall-follow.ts';
import { createRecallIndex, type RecallIndex } from './recall-index.ts';
import { createRecentPages, type RecentPages } from './recall-pages.ts';
import { createTermReader } from './recall-terms.ts';
import { createSlices } from './slices.ts';
import type { Turn } from './turn.ts';

/**
 * The indexes of the channels that were asked in lately. They are made of the journal when they are first needed, kept
 * up with it, and never stored: whichever was used longest ago goes when they grow too large together.
 */
export interface RecallIndexes {
  /** Works on the index as the channel stands now, with nobody changing it meanwhile. */
  use<T>(channel: ChannelId, work: (index: RecallIndex, seen: Seen) => Generator<void, T>): Promise<T>;
  /** Brings it up to date where there is one. */
  refresh(channel: ChannelId): Promise<void>;
  /** The turns of a page as they stood then or later; none where it is damaged. */
  page(channel: ChannelId, ref: TurnRef, seen: Seen): Promise<readonly Turn[]>;
  /** Is it still true what was found in a channel that had been seen so? More may have been said. */
  holds(channel: ChannelId, seen: Seen): Promise<boolean>;
  /** All of them together, roughly, in memory. */
  bytes(): number;
  channels(): number;
}

export interface IndexesDeps {
  conversations: Conversations;
  log: Log;
  /** Of all indexes together, and of one. */
  maxBytes?: { all: number; one: number };
}

/** Room for the largest one, of 50,000 messages, and for hundreds of a usual size beside it. */
const defaultBytes = { all: 96 * 1024 * 1024, one: 56 * 1024 * 1024 };
/** In a channel that never stays as it is, somewhat old is good enough: each hit is checked before it is told. */
const mostRounds = 5;
const mostGapsNamed = 1000;

interface Kept {
  index: RecallIndex;
  seen: Seen;
  /** As long as nothing that was said earlier changes. */
  pages: RecentPages;
}

export function createRecallIndexes(deps: IndexesDeps): RecallIndexes {
  const { conversations, log, maxBytes = defaultBytes } = deps;
  /** Least recently used first. */
  const indexes = new Map<ChannelId, Kept>();
  const locks = new Map<ChannelId, Promise<unknown>>();
  const refreshes = new Map<ChannelId, Promise<void>>();
  const named = new Set<string>();
  const inSlices = createSlices();

  async function locked<T>(channel: ChannelId, run: () => Promise<T>): Promise<T> {
    const before = locks.get(channel) ?? Promise.resolve();
    const mine = before.then(run);
    const settled = mine.catch(() => undefined);
    locks.set(channel, settled);
    try {
      return await mine;
    } finally {
      if (locks.get(channel) === settled) locks.delete(channel);
    }
  }

  async function current(channel: ChannelId): Promise<Kept> {
    for (let round = 1; ; round++) {
      const state = await conversations.read(channel);
      const known = indexes.get(channel);
      const step = known === undefined ? 'other' : planStep(known.seen, state);
      if (known !== undefined && (step === 'current' || round > mostRounds)) return keep(channel, known);
      const seen = toSeen(state);
      const index = known === undefined || step === 'other' ? createRecallIndex() : known.index;
      const pages = known === undefined || step !== 'longer' ? createRecentPages() : known.pages;
      const from = known !== undefined && step === 'longer' ? known.seen.nextSeq : 0;
      await follow(index, since(seen.ranges, from), {
        channel,
        journal: conversations.journal,
        read: createTermReader(),
        inSlices,
        onGap: (where, why, error) => tell(channel, where, why, error),
        maxBytes: maxBytes.one,
      });
      keep(channel, { index, seen, pages });
    }
  }

  function keep(channel: ChannelId, kept: Kept): Kept {
    indexes.delete(channel);
    indexes.set(channel, kept);
    let total = bytes();
    for (const [oldest, one] of indexes) {
      if (total <= maxBytes.all || oldest === channel) break;
      indexes.delete(oldest);
      total -= bytesOf(one);
    }
    return kept;
  }

  function bytes(): number {
    let sum = 0;
    for (const one of indexes.values()) sum += bytesOf(one);
    return sum;
  }

  async function readTurns(channel: ChannelId, { epoch, seq }: TurnRef): Promise<Turn[]> {
    const onGap = (where: Range, why: 'damaged' | 'missing', error: unknown) => tell(channel, where, why, error);
    const piece = { epoch, from: seq, to: seq };
    return (await readPage(piece, { channel, journal: conversations.journal, onGap })).turns ?? [];
  }

  /** Once: it stays so, and every search would say it again. */
  function tell(channel: ChannelId, { epoch, from }: Range, why: 'damaged' | 'missing', error: unknown): void {
    const place = `${channel} ${epoch} ${pageNumber(from)}`;
    if (named.has(place) || named.size >= mostGapsNamed) return;
    named.add(place);
    const text = `a page of the journal is ${why}: what was said there is not found again, all else is`;
    log.error({ channel, epoch, turn: from, err: error }, text);
  }

  return {
    async use(channel, work) {
      return await locked(channel, async () => {
        const { index, seen } = await current(channel);
        return await inSlices(work(index, seen));
      });
    },

    async refresh(channel) {
      // One that has not begun yet sees all that happened until it does.
      const waiting = refreshes.get(channel);
      if (waiting !== undefined) return await waiting;
      const mine = locked(channel, async () => {
        refreshes.delete(channel);
        if (indexes.has(channel)) await current(channel);
      });
      refreshes.set(channel, mine);
      await mine;
    },

    async page(channel, ref, seen) {
      const kept = indexes.get(channel);
      const isOpen = pageNumber(ref.seq) >= pageNumber(seen.nextSeq);
      // What was kept with another state may be older than this one.
      if (kept?.seen !== seen || isOpen) return await readTurns(channel, ref);
      const id = pageId(channel, ref.epoch, pageNumber(ref.seq));
      const known = kept.pages.get(id);
      if (known !== undefined) return known;
      const turns = await readTurns(channel, ref);
      kept.pages.put(id, turns);
      return turns;
    },

    async holds(channel, seen) {
      const step = planStep(seen, await conversations.read(channel));
      return step === 'current' || step === 'longer';
    },

    bytes,
    channels: () => indexes.size,
  };
}

function bytesOf({ index, pages }: Kept): number {
  return index.bytes() + pages.bytes();
}

function since(ranges: readonly Range[], seq: number): Range[] {
  return ranges.filter((range) => range.to >= seq).map((range) => ({ ...range, from: Math.max(range.from, seq) }));
}
