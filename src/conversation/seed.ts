import { type ChannelId, parentChannel } from '../event.ts';
import type { ChatMessage } from '../model/model.ts';
import type { Conversations } from './conversations.ts';
import { coverWith, type FoldTexts } from './folds.ts';
import { branchSeq, type FoldRef, type Head, liveRanges, type Range, uncoveredRanges } from './head.ts';
import { isSpoken, type Turn } from './turn.ts';
import { foldMessage, toMessages } from './wire.ts';

/**
 * What a thread is given of its parent: by reference, so that what is erased or reset there is gone here too. The same
 * messages each time, as long as the parent's past stays as it is.
 */
interface Seed {
  messages: ChatMessage[];
  /** Of the parent's turns, those it shows word for word. */
  shown: ReadonlySet<number>;
  tokens: number;
}

const none: Seed = { messages: [], shown: new Set(), tokens: 0 };
/** More turns than any share of a budget will hold. */
const turnsBack = 400;
const maxCached = 500;

export interface Seeds {
  of(channel: ChannelId, share: number): Promise<Seed>;
}

export function createSeeds(conversations: Conversations, folds: FoldTexts): Seeds {
  const cached = new Map<ChannelId, { head: Head; amended: number; seq: number; share: number; seed: Seed }>();

  return {
    async of(channel, share) {
      const above = parentChannel(channel);
      if (above === undefined) return none;
      const { head: own } = await conversations.read(channel);
      const parent = await conversations.read(above);
      const seq = branchSeq(own, parent.head);
      if (seq === undefined) return none;
      const known = cached.get(channel);
      if (
        known?.head === parent.head &&
        known.amended === parent.amended &&
        known.seq === seq &&
        known.share === share
      ) {
        return known.seed;
      }
      const { head, amended } = parent;
      const ranges = liveRanges(head, parent.view, parent.nextSeq)
        .map((range) => ({ ...range, to: Math.min(range.to, seq) }))
        .filter((range) => range.from <= range.to);
      const epochs = new Set(ranges.map((range) => range.epoch));
      const all = (await folds.all(above)).map(({ ref }) => ref);
      const cover = coverWith(all.filter((fold) => fold.to <= seq && epochs.has(fold.epoch)));
      const turns = await lastTurns(uncoveredRanges(ranges, cover), (range) =>
        conversations.journal.turns(above, range),
      );
      const plan = planSeed(cover, turns, share);
      const texts = await folds.texts(plan.folds);
      const seed = {
        messages: [...texts.map((fold) => foldMessage(fold.text)), ...plan.turns.flatMap(toMessages)],
        shown: new Set(plan.turns.map((turn) => turn.seq)),
        tokens: plan.tokens,
      };
      cached.delete(channel);
      cached.set(channel, { head, amended, seq, share, seed });
      const oldest = cached.keys().next().value;
      if (cached.size > maxCached && oldest !== undefined) cached.delete(oldest);
      return seed;
    },
  };
}

async function lastTurns(ranges: readonly Range[], read: (range: Range) => Promise<Turn[]>): Promise<Turn[]> {
  const found: Turn[] = [];
  for (const range of [...ranges].reverse()) {
    const room = turnsBack - found.length;
    if (room <= 0) break;
    found.unshift(...(await read({ ...range, from: Math.max(range.from, range.to - room + 1) })).filter(isSpoken));
  }
  return found;
}

/** A channel's folds take no more than this of what a thread is given: the same as in the channel's own prompts. */
const foldsOfShare = 0.6;

/** The newest round before the folds, newest first, before the other turns, in whole rounds. */
export function planSeed(
  folds: readonly FoldRef[],
  turns: readonly Turn[],
  share: number,
): { folds: FoldRef[]; turns: Turn[]; tokens: number } {
  const newestRound = turnsThatFit(turns, share, 1);
  let foldRoom = Math.min(Math.floor(share * foldsOfShare), share - sum(newestRound));
  const kept: FoldRef[] = [];
  for (const fold of [...folds].reverse()) {
    foldRoom -= fold.tokens;
    if (foldRoom < 0) break;
    kept.unshift(fold);
  }
  const near = turnsThatFit(turns, share - sum(kept), Number.POSITIVE_INFINITY);
  return { folds: kept, turns: near, tokens: sum(kept) + sum(near) };
}

function turnsThatFit(turns: readonly Turn[], room: number, mostRounds: number): Turn[] {
  let from = turns.length;
  let left = room;
  let rounds = 0;
  for (let n = turns.length - 1; n >= 0 && rounds < mostRounds; n--) {
    left -= turns[n]?.tokens ?? 0;
    if (left < 0) break;
    if (turns[n]?.role !== 'user') continue;
    from = n;
    rounds++;
  }
  return turns.slice(from);
}

function sum(items: readonly { tokens: number }[]): number {
  return items.reduce((total, item) => total + item.tokens, 0);
}
