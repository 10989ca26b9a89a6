import { setImmediate } from 'node:timers/promises';
import { type ChannelId, parentChannel } from '../event.ts';
import { record, type Store, type StoredRecord } from '../storage/store.ts';
import type { Conversations } from './conversations.ts';
import { vectorsWithout } from './embeddings-records.ts';
import { emptiedFold, type StoredFold } from './folds.ts';
import { type Change, type Head, headKind, withChange, withForgotten } from './head.ts';
import { withHead } from './journal.ts';
import { withoutLateTexts } from './late.ts';
import { pageKind } from './page.ts';
import { repeats, toWanted } from './repeats.ts';
import type { TaintedFolds } from './tainted-folds.ts';
import { type Somebody, withoutAnybody, withoutOld, withoutPlace, withoutSomebody } from './traces.ts';
import { citesTurn, erasedTurn, type Turn } from './turn.ts';

/**
 * Turns are emptied where they stand, in one commit with the folds that cover them; then their bytes leave the file. What
 * is dropped whole is emptied in that commit, too: from then on nobody can read it, however long its erasure takes.
 */
export interface Erasing {
  /** Every turn that `isMeant`, their answers, and the bot's turns that repeat them, also in the channel's threads. */
  erase(channel: ChannelId, erasure: Erasure, also: StoredRecord[]): Promise<Amended>;
  /** Erases what was said before `before`; pages that hold nothing newer are dropped. */
  expire(channel: ChannelId, before: number): Promise<Amended>;
}

export interface Amended {
  /** The platform's ids of all that changed, answers included. */
  messageIds: string[];
}

interface Erasure {
  isMeant(turn: Turn): boolean;
  why: NonNullable<Turn['erased']>;
  change: Change | undefined;
  /** Also forget that this person was here, or that anybody was. */
  person?: Somebody;
  everybody?: boolean;
  /** What was said up to then and still waits is not taken in: by the person, or by everybody. */
  until?: number;
}

interface ErasingDeps {
  store: Store;
  conversations: Conversations;
  tainted: TaintedFolds;
}

interface StoredPage {
  id: string;
  epoch: number;
  turns: Turn[];
}

/** What goes along with what is meant: answers with its words, and those that rest on it. */
interface Wanted {
  texts: readonly string[];
  /** In a thread: the turns that go in the channel above. */
  above: ReadonlySet<number>;
}

const none: ReadonlySet<number> = new Set();
const pagesAtOnce = 64;
const manyTexts = 50;

/** The channel and its threads. */
export async function familyOf(store: Store, channel: ChannelId): Promise<ChannelId[]> {
  const threads = await store.list(headKind, `${channel}/`);
  return [channel, ...threads.map((one) => one.id as ChannelId)];
}

export function createErasing({ store, conversations, tainted }: ErasingDeps): Erasing {
  async function* pagesOf(channel: ChannelId): AsyncGenerator<StoredPage> {
    let after: string | undefined;
    for (;;) {
      const limit = { limit: pagesAtOnce };
      const batch = await store.list(pageKind, `${channel}:`, after === undefined ? limit : { ...limit, after });
      for (const one of batch) yield { id: one.id, epoch: Number(one.id.split(':')[1]), turns: one.read() };
      if (batch.length < pagesAtOnce) return;
      after = batch.at(-1)?.id;
    }
  }

  /** In one commit: pages with the turns emptied, the head without the tainted folds. Then the bytes go. */
  async function eraseTurns(
    channel: ChannelId,
    erasure: Erasure,
    also: StoredRecord[],
    wanted: Wanted,
  ): Promise<Amended> {
    const gone = await conversations.change<{ folds: StoredFold[]; turns: Turn[] }>(channel, async (state) => {
      const { pages, turns } = await planErasure(channel, erasure, wanted);
      const seqs = turns.map((turn) => turn.seq);
      const { head, gone } = await tainted.find(channel, state.head, seqs);
      const next = headAfter(head, erasure, parentChannel(channel) !== undefined);
      const late = erasure.why === 'forgotten' ? await withoutLateTexts(store, channel) : [];
      const value = { folds: gone, turns };
      if (pages.length === 0) {
        return { ...(next !== state.head && { step: withHead(state, next) }), also: [...late, ...also], value };
      }
      const records = [
        ...pages.map((page) => record(pageKind, page.id, page.turns)),
        ...gone.map(emptiedFold),
        ...(await vectorsWithout(store, idsOf(pages), new Set(seqs), 'erased')),
        ...late,
        ...(next === state.head ? [] : [record(headKind, channel, next)]),
        ...also,
      ];
      const taken = { why: erasure.why, messageIds: messageIdsOf(turns) };
      return { also: records, reload: 'amended', taken, summariesGone: gone.length > 0, value };
    });
    tainted.clear(gone.folds);
    return { messageIds: messageIdsOf(gone.turns) };
  }

  async function planErasure(
    channel: ChannelId,
    erasure: Erasure,
    { texts, above }: Wanted,
  ): Promise<{ pages: StoredPage[]; turns: Turn[] }> {
    const gone = new Set<number>();
    const turns: Turn[] = [];
    const pages: StoredPage[] = [];
    for await (const page of pagesOf(channel)) {
      const hit = new Set<number>();
      // Comparing many texts with many answers takes long: others go first.
      if (texts.length > manyTexts) await setImmediate();
      for (const turn of page.turns) {
        if (turn.erased !== undefined) continue;
        const isRepeat = (): boolean => turn.role === 'assistant' && repeats(turn, texts);
        if (!restsOn(turn, gone, above) && !erasure.isMeant(turn) && !isRepeat()) continue;
        gone.add(turn.seq);
        hit.add(turn.seq);
        turns.push(turn);
      }
      if (hit.size === 0) continue;
      pages.push({
        ...page,
        turns: page.turns.map((turn) => (hit.has(turn.seq) ? erasedTurn(turn, erasure.why) : turn)),
      });
    }
    return { pages, turns };
  }

  /**
   * Pages with something old to empty, and pages to drop: those with nothing younger, from the front of an epoch only, so
   * that a page missing behind another is known to be lost. The last page of an epoch says where the numbering goes on:
   * it stays. And who has said nothing since.
   */
  async function planExpiry(
    channel: ChannelId,
    isOld: (turn: Turn) => boolean,
  ): Promise<{ kept: StoredPage[]; dropped: StoredPage[]; silent: ReadonlySet<string> }> {
    const isOldAndThere = (turn: Turn): boolean => turn.erased === undefined && isOld(turn);
    const kept: StoredPage[] = [];
    const dropped: StoredPage[] = [];
    const silent = new Set<string>();
    const speakers = new Set<string>();
    /** The page before, where it can be dropped should another follow it in its epoch. */
    let front: StoredPage | undefined;
    let epoch: number | undefined;
    for await (const page of pagesOf(channel)) {
      const isFirst = page.epoch !== epoch;
      if (front !== undefined) (isFirst ? kept : dropped).push(front);
      const isDroppable = (isFirst || front !== undefined) && page.turns.every(isOld);
      front = isDroppable ? page : undefined;
      epoch = page.epoch;
      if (!isDroppable) kept.push(page);
      for (const turn of page.turns) {
        if (turn.author !== undefined) (isOld(turn) ? silent : speakers).add(turn.author);
      }
    }
    if (front !== undefined) kept.push(front);
    const toEmpty = kept.filter((page) => page.turns.some(isOldAndThere));
    return { kept: toEmpty, dropped, silent: silent.difference(speakers) };
  }

  /** What is meant, and which turns go with it, as far as they can be told without its words. */
  async function findMeant(channel: ChannelId, isMeant: (turn: Turn) => boolean): Promise<Wanted> {
    const texts: string[] = [];
    const seqs = new Set<number>();
    for await (const page of pagesOf(channel)) {
      for (const turn of page.turns) {
        if (turn.erased !== undefined || !(isMeant(turn) || restsOn(turn, seqs, none))) continue;
        seqs.add(turn.seq);
        if (turn.role === 'user') texts.push(turn.text);
      }
    }
    return { texts: toWanted(texts), above: seqs };
  }

  return {
    /** Answers in threads that repeat or cite what was said in the channel go with it. */
    async erase(channel, erasure, also) {
      const wanted = await findMeant(channel, erasure.isMeant);
      const hasThreads = wanted.above.size > 0 && parentChannel(channel) === undefined;
      // Before the channel: after a crash in between, what is to be looked for is still known.
      for (const thread of hasThreads ? (await familyOf(store, channel)).slice(1) : []) {
        await eraseTurns(thread, { isMeant: () => false, why: erasure.why, change: undefined }, [], wanted);
      }
      return await eraseTurns(channel, erasure, also, { ...wanted, above: none });
    },

    async expire(channel, before) {
      const isOld = (turn: Turn): boolean => turn.at < before;
      const { gone, turns, dropped, isSame } = await conversations.change(channel, async (state) => {
        const { kept, dropped, silent } = await planExpiry(channel, isOld);
        const old = [...dropped, ...kept];
        const turns = old.flatMap((page) => page.turns).filter((turn) => isOld(turn) && turn.erased === undefined);
        const seqs = turns.map((turn) => turn.seq);
        const { head: left, gone } = await tainted.find(channel, state.head, seqs);
        const head = withoutOld(left, before, silent);
        const emptied = [
          ...dropped.filter((page) => page.turns.length > 0).map((page) => ({ ...page, turns: [] })),
          ...kept.map((page) => ({
            ...page,
            turns: page.turns.map((turn) => (isOld(turn) ? expiredTurn(turn) : turn)),
          })),
        ];
        const vectors = await vectorsWithout(store, idsOf(kept), new Set(seqs), 'erased');
        const droppedVectors = await vectorsWithout(store, idsOf(dropped), new Set(seqs), 'erased');
        const droppedKeys = [
          ...dropped.map((page) => `${pageKind.name}:${page.id}`),
          ...droppedVectors.map(({ key }) => key),
        ];
        const isSame = emptied.length === 0 && head === state.head;
        const value = { gone, turns, dropped: droppedKeys, isSame };
        if (emptied.length === 0) return { ...(!isSame && { step: withHead(state, head) }), value };
        const records = [
          ...emptied.map((page) => record(pageKind, page.id, page.turns)),
          ...gone.map(emptiedFold),
          ...vectors,
          ...droppedVectors,
          ...(head === state.head ? [] : [record(headKind, channel, head)]),
        ];
        const taken = { why: 'expired' as const, messageIds: messageIdsOf(turns) };
        return { also: records, reload: 'amended', taken, summariesGone: gone.length > 0, value };
      });
      if (!isSame || dropped.length > 0) tainted.clear(gone, dropped);
      return { messageIds: turns.map((turn) => turn.id) };
    },
  };
}

export function messageIdsOf(turns: readonly Turn[]): string[] {
  return turns.flatMap((turn) => [turn.id, ...(turn.posts ?? [])]);
}

function idsOf(pages: readonly StoredPage[]): string[] {
  return pages.map((page) => page.id);
}

/** It answers what is gone, or cites it, in whatever words. */
function restsOn(turn: Turn, gone: ReadonlySet<number>, goneAbove: ReadonlySet<number>): boolean {
  if (turn.answers !== undefined && gone.has(turn.answers)) return true;
  return citesTurn(turn, gone, goneAbove);
}

function expiredTurn(turn: Turn): Turn {
  return turn.erased === undefined ? erasedTurn(turn, 'expired') : turn;
}

function headAfter(head: Head, { person, everybody, until, change }: Erasure, isThread: boolean): Head {
  const marked = until === undefined ? head : withForgotten(head, person?.id, until);
  const emptied = everybody ? withoutAnybody(marked) : marked;
  const changed = change === undefined ? emptied : withChange(emptied, change);
  // Last: whoever asks to be forgotten is not named as having asked.
  return person === undefined ? changed : withoutSomebody(isThread ? withoutPlace(changed) : changed, person);
}
