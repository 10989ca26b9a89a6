import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import { parentChannel } from '../event.ts';
import { type Found, type Range as ListRange, record, type Store, type StoredRecord } from '../storage/store.ts';
import { type FoldTexts, readableFolds } from './folds.ts';
import {
  type Head,
  headKind,
  liveRanges,
  newHead,
  openSpan,
  type Range,
  uncoveredRanges,
  type View,
  viewOf,
} from './head.ts';
import { epochPrefix, pageId, pageKind, pageNumber, pageNumberOf, refId, refKind, type TurnRef } from './page.ts';
import { isSpoken, type Turn } from './turn.ts';

/**
 * A channel's journal as it stands: its head, its open page, and the turns that no fold covers, newest in memory. A
 * state is a value: a change makes a new one and the records that must be committed for it to become true.
 */
export interface ChannelState {
  channel: ChannelId;
  head: Head;
  parent: Head | undefined;
  view: View;
  nextSeq: number;
  /** The last page of the open epoch. */
  page: Turn[];
  /** Spoken turns that no fold covers, oldest first; the newest of them when they are very many. */
  tail: Turn[];
  /** What all uncovered spoken turns cost, those that are not in `tail` included. */
  rawTokens: number;
  /** Grows when a turn that was said earlier changes: what was derived from it must be derived again. */
  amended: number;
}

export interface Step {
  state: ChannelState;
  records: StoredRecord[];
}

/** How much of a channel is kept in memory: beyond this the oldest uncovered turns are read when they are needed. */
export interface TailLimit {
  tokens: number;
}

export function appendTurn(
  state: ChannelState,
  turn: Omit<Turn, 'seq' | 'rev'>,
  limit: TailLimit,
): Step & { turn: Turn } {
  const { channel, nextSeq } = state;
  const epoch = openSpan(state.head).epoch;
  const added: Turn = { ...turn, seq: nextSeq, rev: 0 };
  const number = pageNumber(nextSeq);
  const samePage = state.page[0] !== undefined && pageNumber(state.page[0].seq) === number;
  const page = samePage ? [...state.page, added] : [added];
  const spoken = isSpoken(added);
  return {
    turn: added,
    state: {
      ...state,
      nextSeq: nextSeq + 1,
      page,
      tail: spoken ? bounded([...state.tail, added], limit) : state.tail,
      rawTokens: state.rawTokens + (spoken ? added.tokens : 0),
    },
    records: [
      record(pageKind, pageId(channel, epoch, number), page),
      ...messageIds(added).map((id) => toRef(channel, id, { epoch, seq: nextSeq })),
    ],
  };
}

function messageIds(turn: Turn | undefined): string[] {
  return turn === undefined ? [] : [...new Set([turn.id, ...(turn.posts ?? [])])];
}

function toRef(channel: ChannelId, messageId: string, ref: TurnRef): StoredRecord {
  return record(refKind, refId(channel, messageId), ref);
}

/** Puts a turn in the place of its older self; `page` is the stored page it stands on. */
export function replaceTurn(state: ChannelState, epoch: number, page: readonly Turn[], turn: Turn): Step {
  const { channel } = state;
  const changed = page.map((old) => (old.seq === turn.seq ? turn : old));
  const before = page.find((old) => old.seq === turn.seq);
  const isOpen = openSpan(state.head).epoch === epoch && state.page[0]?.seq === page[0]?.seq;
  const uncovered = isUncovered(state, epoch, turn.seq);
  const cost = (one: Turn | undefined): number => (one !== undefined && uncovered && isSpoken(one) ? one.tokens : 0);
  const others = state.tail.filter((old) => old.seq !== turn.seq);
  // Where nothing was left to the store, a turn older than all in memory (a question answered after all) goes there too.
  const isWhole = state.rawTokens <= state.tail.reduce((sum, one) => sum + one.tokens, 0);
  const inMemory = uncovered && isSpoken(turn) && (isWhole || turn.seq >= (state.tail[0]?.seq ?? 0));
  const known = messageIds(before);
  return {
    state: {
      ...state,
      amended: state.amended + 1,
      page: isOpen ? changed : state.page,
      tail: inMemory ? [...others, turn].sort((a, b) => a.seq - b.seq) : others,
      rawTokens: state.rawTokens + cost(turn) - cost(before),
    },
    records: [
      record(pageKind, pageId(channel, epoch, pageNumber(turn.seq)), changed),
      ...messageIds(turn)
        .filter((id) => !known.includes(id))
        .map((id) => toRef(channel, id, { epoch, seq: turn.seq })),
    ],
  };
}

/** Replaces the head; the caller says what else changed with it. */
export function withHead(state: ChannelState, head: Head): Step {
  const next = { ...state, head, view: viewOf(head, state.parent) };
  return { state: next, records: [record(headKind, state.channel, head)] };
}

function isUncovered(state: ChannelState, epoch: number, seq: number): boolean {
  return openRanges(state).some((range) => range.epoch === epoch && range.from <= seq && seq <= range.to);
}

/** Between one person and the bot: no names stand before what is said. A head of an older version does not say so. */
export function isDirect({ head, tail }: Pick<ChannelState, 'head' | 'tail'>): boolean {
  return head.direct ?? tail.findLast((turn) => turn.role === 'user')?.name === undefined;
}

/** What is remembered word for word: the stretches no fold covers. */
export function openRanges(state: ChannelState): Range[] {
  return uncoveredRanges(liveRanges(state.head, state.view, state.nextSeq), state.view.folds);
}

function bounded(tail: Turn[], limit: TailLimit): Turn[] {
  let tokens = 0;
  let from = tail.length;
  while (from > 0 && tokens <= limit.tokens) tokens += tail[--from]?.tokens ?? 0;
  return from === 0 ? tail : tail.slice(from);
}

export interface Journal {
  load(channel: ChannelId, parent: Head | undefined): Promise<ChannelState>;
  /** The turns of a stretch, oldest first, erased and unanswered ones included. */
  turns(channel: ChannelId, range: Range): Promise<Turn[]>;
  page(channel: ChannelId, ref: TurnRef): Promise<Turn[]>;
  find(channel: ChannelId, messageId: string): Promise<TurnRef | undefined>;
}

const pagesAtOnce = 64;

export function createJournal(store: Store, limit: TailLimit, folds: Pick<FoldTexts, 'unreadable' | 'all'>): Journal {
  async function pages(channel: ChannelId, epoch: number, range: ListRange): Promise<Found<Turn[]>[]> {
    return await store.list(pageKind, epochPrefix(channel, epoch), range);
  }

  async function turns(channel: ChannelId, range: Range): Promise<Turn[]> {
    const found: Turn[] = [];
    const last = pageId(channel, range.epoch, pageNumber(range.to));
    const first = pageNumber(range.from);
    let after = first === 0 ? undefined : pageId(channel, range.epoch, first - 1);
    let next = first;
    for (;;) {
      const within = after === undefined ? { limit: pagesAtOnce } : { after, limit: pagesAtOnce };
      const batch = await pages(channel, range.epoch, within);
      for (const one of batch) {
        const number = pageNumberOf(one.id);
        if (number > next) await mustBeDropped(channel, range.epoch, Math.min(number, pageNumber(range.to) + 1));
        if (one.id > last) return found;
        next = number + 1;
        found.push(...one.read().filter((turn) => range.from <= turn.seq && turn.seq <= range.to));
      }
      if (batch.length < pagesAtOnce) return found;
      after = batch.at(-1)?.id;
    }
  }

  /** Retention drops an epoch's first pages: one that is missing behind another, or with all others, is lost. */
  async function mustBeDropped(channel: ChannelId, epoch: number, before: number): Promise<void> {
    const [first] = await pages(channel, epoch, { limit: 1 });
    if (first !== undefined && pageNumberOf(first.id) >= before) return;
    const id = pageId(channel, epoch, before - 1);
    throw new BotError('damaged', `the record ${pageKind.name}:${id} is lost`);
  }

  return {
    turns,

    async load(channel, parent) {
      const isThread = parentChannel(channel) !== undefined;
      const stored = await store.get(headKind, channel);
      const named = stored ?? newHead(isThread && parent !== undefined ? openSpan(parent).epoch : undefined);
      const head = { ...named, folds: await readableFolds(folds, channel, named.folds) };
      const span = openSpan(head);
      const [last] = await pages(channel, span.epoch, { reverse: true, limit: 1 });
      const page = last?.read() ?? [];
      const nextSeq = (page.at(-1)?.seq ?? span.from - 1) + 1;
      const view = viewOf(head, parent);
      const empty: ChannelState = { channel, head, parent, view, nextSeq, page, tail: [], rawTokens: 0, amended: 0 };
      let tail: Turn[] = [];
      let rawTokens = 0;
      for (const range of openRanges(empty)) {
        const all = await turns(channel, range);
        if (all.at(-1)?.seq !== range.to) await mustBeDropped(channel, range.epoch, pageNumber(range.to) + 1);
        const spoken = all.filter(isSpoken);
        for (const turn of spoken) rawTokens += turn.tokens;
        tail = bounded([...tail, ...spoken], limit);
      }
      return { ...empty, tail, rawTokens };
    },

    async page(channel, ref) {
      const number = pageNumber(ref.seq);
      const found = await store.get(pageKind, pageId(channel, ref.epoch, number));
      if (found === undefined) await mustBeDropped(channel, ref.epoch, number + 1);
      return found ?? [];
    },

    async find(channel, messageId) {
      return await store.get(refKind, refId(channel, messageId));
    },
  };
}
