import { setImmediate } from 'node:timers/promises';
import { type ChannelId, parentChannel, toChannelId } from '../event.ts';
import { record, type Store, type StoredRecord } from '../storage/store.ts';
import type { Conversations, Planned } from './conversations.ts';
import { coverWith, emptiedFold, type FoldTexts, foldKind, type StoredFold } from './folds.ts';
import { type FoldRef, type Head, headKind, withChange, withForgotten } from './head.ts';
import { type ChannelState, replaceTurn } from './journal.ts';
import { lateRecord, readLate, type UnwrittenEdits, withoutLateTexts } from './late.ts';
import { maxPeople } from './names.ts';
import { pageKind, type TurnRef } from './page.ts';
import { cleanText } from './recording.ts';
import { repeats, toWanted } from './repeats.ts';
import type { TokenCounter } from './tokens.ts';
import { erasedTurn, type Turn } from './turn.ts';
import { countMessages, toMessages } from './wire.ts';

/**
 * What was said is changed or taken back. It leaves the journal, the folds that cover it and, because branches only
 * refer, the branches, in one commit; then its bytes leave the data file. Folds are written anew from what is left.
 */
export interface Amending {
  edit(
    channel: ChannelId,
    edit: { messageId: string; at: number; text: string },
    also: StoredRecord[],
  ): Promise<Amended>;
  /** By the platform's ids. Those not yet recorded leave a mark that keeps them out when they come. */
  deleteMessages(channel: ChannelId, messageIds: readonly string[], at: number, also: StoredRecord[]): Promise<Amended>;
  /** Every turn that `isMeant`, their answers, and the bot's turns that repeat them. */
  erase(channel: ChannelId, erasure: Erasure, also: StoredRecord[]): Promise<Amended>;
  /** The folds in use leave the store; the turns they cover are there to fold again. */
  dropFolds(channel: ChannelId, change: Change, also: StoredRecord[]): Promise<void>;
  /** Erases what was said before `before`; pages that hold nothing newer are dropped. */
  expire(channel: ChannelId, before: number): Promise<Amended>;
  /** Resolves when what was taken back is gone from the files, too. */
  scrubbed(): Promise<void>;
  /** Where in a workspace a person has spoken. */
  channelsWith(platform: string, workspace: string, person: string): Promise<ChannelId[]>;
  /** The channel and its threads. */
  family(channel: ChannelId): Promise<ChannelId[]>;
}

interface Change {
  at: number;
  by: string;
  what: string;
}

interface Erasure {
  isMeant(turn: Turn): boolean;
  why: NonNullable<Turn['erased']>;
  change: Change | undefined;
  /** Also forget that this person was here. */
  person?: string;
  /** What was said up to then and still waits is not taken in: by the person, or by everybody. */
  until?: number;
}

interface Amended {
  /** The platform's ids of all that changed, answers included. */
  messageIds: string[];
  /** Folds that have to be written anew. */
  tainted: number;
}

interface AmendingDeps {
  store: Store;
  conversations: Conversations;
  folds: FoldTexts;
  counter(): Promise<TokenCounter>;
  unwritten: UnwrittenEdits;
  inBackground(work: Promise<unknown>): void;
}

interface StoredPage {
  channel: ChannelId;
  id: string;
  epoch: number;
  turns: Turn[];
}

const nothing: Amended = { messageIds: [], tainted: 0 };
const pagesAtOnce = 64;
const manyTexts = 50;

export function createAmending(deps: AmendingDeps): Amending {
  const { store, conversations, folds } = deps;
  const toErase = new Set<string>();
  let scrubbing: Promise<void> | undefined;

  async function* pagesOf(channel: ChannelId): AsyncGenerator<StoredPage> {
    let after: string | undefined;
    for (;;) {
      const limit = { limit: pagesAtOnce };
      const batch = await store.list(pageKind, `${channel}:`, after === undefined ? limit : { ...limit, after });
      for (const one of batch) {
        yield { channel, id: one.id, epoch: Number(one.id.split(':')[1]), turns: one.read() };
      }
      if (batch.length < pagesAtOnce) return;
      after = batch.at(-1)?.id;
    }
  }

  async function family(channel: ChannelId): Promise<ChannelId[]> {
    const threads = await store.list(headKind, `${channel}/`);
    return [channel, ...threads.map((one) => one.id as ChannelId)];
  }

  /** Folds out of use and in use that cover one of the turns, and what serves instead. */
  async function taint(
    channel: ChannelId,
    head: Head,
    seqs: readonly number[],
  ): Promise<{ head: Head; gone: StoredFold[] }> {
    const all = await folds.all(channel);
    const covers = (fold: FoldRef): boolean => seqs.some((seq) => fold.from <= seq && seq <= fold.to);
    const gone = all.filter(({ ref }) => covers(ref));
    if (gone.length === 0) return { head, gone };
    const left = all.map(({ ref }) => ref).filter((fold) => !covers(fold));
    const within = (refs: readonly FoldRef[]): FoldRef[] => {
      if (!refs.some(covers)) return [...refs];
      const [from, to] = [Math.min(...refs.map((ref) => ref.from)), Math.max(...refs.map((ref) => ref.to))];
      return coverWith(left.filter((fold) => from <= fold.from && fold.to <= to));
    };
    return {
      head: {
        ...head,
        folds: within(head.folds),
        away: head.away.map((put) => ({ ...put, folds: within(put.folds) })),
      },
      gone,
    };
  }

  /** In one commit: pages with the turns emptied, the head without the tainted folds. Then the bytes go. */
  async function eraseTurns(
    channel: ChannelId,
    erasure: Erasure,
    also: StoredRecord[],
    wanted: readonly string[],
  ): Promise<Amended> {
    const gone = await conversations.change<{ folds: StoredFold[]; turns: Turn[] }>(channel, async (state) => {
      const { pages, turns } = await planErasure(channel, erasure, wanted);
      const { head, gone } = await taint(
        channel,
        state.head,
        turns.map((turn) => turn.seq),
      );
      const next = headAfter(head, erasure);
      const records = [
        ...pages.map((page) => record(pageKind, page.id, page.turns)),
        ...gone.map(emptiedFold),
        ...(erasure.why === 'forgotten' ? await withoutLateTexts(store, channel) : []),
        ...(next === state.head ? [] : [record(headKind, channel, next)]),
        ...also,
      ];
      return { also: records, reload: true, value: { folds: gone, turns } };
    });
    eraseFolds(gone.folds);
    const messageIds = gone.turns.flatMap((turn) => [turn.id, ...(turn.posts ?? [])]);
    return { messageIds, tainted: gone.folds.length };
  }

  /** The commit took them out of reach; the places they stood in, and what was overwritten, are cleared in its wake. */
  function eraseFolds(gone: readonly StoredFold[]): void {
    folds.forget(gone.map(({ ref }) => ref.id));
    for (const { ref } of gone) toErase.add(`${foldKind.name}:${ref.id}`);
    scrubbing ??= scrubAll();
    deps.inBackground(scrubbing);
  }

  /** One at a time, and one for all that came meanwhile. */
  async function scrubAll(): Promise<void> {
    // Whoever calls goes on first: an answer is interrupted before the disk is busy.
    await setImmediate();
    scrubbing = undefined;
    const keys = [...toErase];
    await store.erase(keys);
    for (const key of keys) toErase.delete(key);
  }

  async function planErasure(
    channel: ChannelId,
    erasure: Erasure,
    wanted: readonly string[],
  ): Promise<{ pages: StoredPage[]; turns: Turn[] }> {
    const questions = new Set<number>();
    const turns: Turn[] = [];
    const pages: StoredPage[] = [];
    for await (const page of pagesOf(channel)) {
      const hit = new Set<number>();
      // Comparing many texts with many answers takes long: others go first.
      if (wanted.length > manyTexts) await setImmediate();
      for (const turn of page.turns) {
        if (turn.erased !== undefined) continue;
        const isAnswer = turn.answers !== undefined && questions.has(turn.answers);
        const isRepeat = (): boolean => turn.role === 'assistant' && repeats(turn, wanted);
        if (!isAnswer && !erasure.isMeant(turn) && !isRepeat()) continue;
        questions.add(turn.seq);
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

  async function textsMeant(channel: ChannelId, isMeant: (turn: Turn) => boolean): Promise<string[]> {
    const texts: string[] = [];
    for await (const page of pagesOf(channel)) {
      for (const turn of page.turns)
        if (turn.role === 'user' && turn.erased === undefined && isMeant(turn)) texts.push(turn.text);
    }
    return texts;
  }

  /** Answers in threads that repeat what was said in the channel go with it. */
  async function erase(channel: ChannelId, erasure: Erasure, also: StoredRecord[]): Promise<Amended> {
    // Whose words wait there is not known.
    if (erasure.why === 'forgotten') deps.unwritten.clear();
    const wanted = toWanted(await textsMeant(channel, erasure.isMeant));
    const hasThreads = wanted.length > 0 && parentChannel(channel) === undefined;
    // Before the channel: after a crash in between, what is to be looked for is still known.
    for (const thread of hasThreads ? (await family(channel)).slice(1) : []) {
      await eraseTurns(thread, { isMeant: () => false, why: erasure.why, change: undefined }, [], wanted);
    }
    return await eraseTurns(channel, erasure, also, wanted);
  }

  async function edit(
    channel: ChannelId,
    change: { messageId: string; at: number; text: string },
    also: StoredRecord[],
  ): Promise<Amended> {
    const counter = await deps.counter();
    const result = await conversations.change<Amended & { gone: StoredFold[] }>(channel, async (state) => {
      const unchanged = { also, value: { ...nothing, gone: [] } };
      const ref = await conversations.journal.find(channel, change.messageId);
      if (ref === undefined) {
        if ((await readLate(store, channel, change.messageId)) === 'deleted') return unchanged;
        const late = lateRecord(channel, change.messageId, change.at, change.text);
        return { ...unchanged, also: [late, ...also] };
      }
      const found = await turnAt(state, ref);
      const text = cleanText(change.text);
      if (found === undefined || found.turn.erased !== undefined || found.turn.text === text) return unchanged;
      const draft = { ...found.turn, text, rev: found.turn.rev + 1 };
      const turn = { ...draft, tokens: await countMessages(toMessages(draft), counter) };
      return await planEdit(state, ref, found.page, turn, also);
    });
    if (result.messageIds.length > 0) eraseFolds(result.gone);
    return result;
  }

  async function planEdit(
    state: ChannelState,
    ref: TurnRef,
    page: readonly Turn[],
    turn: Turn,
    also: StoredRecord[],
  ): Promise<Planned<Amended & { gone: StoredFold[] }>> {
    const step = replaceTurn(state, ref.epoch, page, turn);
    const { head, gone } = await taint(state.channel, state.head, [turn.seq]);
    const value = { messageIds: [turn.id], tainted: gone.length, gone };
    if (gone.length === 0) return { step, also, value };
    const records = [...step.records, ...gone.map(emptiedFold), record(headKind, state.channel, head)];
    return { also: [...records, ...also], reload: true, value };
  }

  async function turnAt(state: ChannelState, ref: TurnRef): Promise<{ page: Turn[]; turn: Turn } | undefined> {
    const page = await conversations.journal.page(state.channel, ref);
    const turn = page.find((one) => one.seq === ref.seq);
    return turn === undefined ? undefined : { page, turn };
  }

  return {
    edit,
    erase,
    family,
    scrubbed: async () => await (scrubbing ?? scrubAll()),

    async channelsWith(platform, workspace, person) {
      const prefix = toChannelId({ platform, workspace, channel: '' });
      const heads = await store.list(headKind, prefix);
      // Those with very many people no longer know them all: they are searched.
      const mayKnow = (head: Head): boolean =>
        Object.hasOwn(head.people, person) || Object.keys(head.people).length >= maxPeople;
      return heads.filter((one) => mayKnow(one.read())).map((one) => one.id as ChannelId);
    },

    async deleteMessages(channel, messageIds, at, also) {
      // Under the lock: a message that is being recorded this moment is found, or finds the mark.
      const { seqs, isAllLate } = await conversations.change(channel, async () => {
        const find = async (id: string) => ({ id, ref: await conversations.journal.find(channel, id) });
        const refs = await Promise.all(messageIds.map(find));
        const missing = refs.filter((one) => one.ref === undefined);
        const late = missing.map((one) => lateRecord(channel, one.id, at, undefined));
        const isAllLate = late.length === refs.length;
        const seqs = new Set(refs.map((one) => one.ref?.seq));
        return { also: isAllLate ? [...late, ...also] : late, value: { seqs, isAllLate } };
      });
      if (isAllLate) return nothing;
      return await erase(channel, { isMeant: (turn) => seqs.has(turn.seq), why: 'deleted', change: undefined }, also);
    },

    async dropFolds(channel, change, also) {
      const gone = await conversations.change<StoredFold[]>(channel, async (state) => {
        const inUse = state.view.folds;
        const covered = (await folds.all(channel)).filter(({ ref }) =>
          inUse.some((used) => used.from <= ref.from && ref.to <= used.to),
        );
        const head = withChange(
          { ...state.head, folds: state.head.folds.filter((fold) => !inUse.includes(fold)) },
          change,
        );
        return {
          also: [...covered.map(emptiedFold), record(headKind, channel, head), ...also],
          reload: true,
          value: covered,
        };
      });
      eraseFolds(gone);
    },

    async expire(channel, before) {
      const isOld = (turn: Turn): boolean => turn.at < before;
      const { gone, turns, dropped } = await conversations.change(channel, async (state) => {
        const old: StoredPage[] = [];
        for await (const page of pagesOf(channel)) if (page.turns.some(isOld)) old.push(page);
        const turns = old.flatMap((page) => page.turns).filter((turn) => isOld(turn) && turn.erased === undefined);
        const seqs = turns.map((turn) => turn.seq);
        const { head, gone } = await taint(channel, state.head, seqs);
        // The last page of an epoch says where the numbering goes on: it is emptied and stays.
        const isWhole = (page: StoredPage, n: number): boolean =>
          page.turns.every(isOld) && old[n + 1]?.epoch === page.epoch;
        const value = { gone, turns, dropped: old.filter(isWhole) };
        if (turns.length === 0) return { value };
        const emptied = old
          .filter((page, n) => !isWhole(page, n))
          .map((page) =>
            record(
              pageKind,
              page.id,
              page.turns.map((turn) => (isOld(turn) ? expiredTurn(turn) : turn)),
            ),
          );
        const heads = head === state.head ? [] : [record(headKind, channel, head)];
        return { also: [...emptied, ...gone.map(emptiedFold), ...heads], reload: true, value };
      });
      if (turns.length > 0) eraseFolds(gone);
      if (dropped.length > 0) await store.erase(dropped.map((page) => `${pageKind.name}:${page.id}`));
      return { messageIds: turns.map((turn) => turn.id), tainted: gone.length };
    },
  };
}

function expiredTurn(turn: Turn): Turn {
  return turn.erased === undefined ? erasedTurn(turn, 'expired') : turn;
}

function headAfter(head: Head, erasure: Erasure): Head {
  const { person, until } = erasure;
  const people = Object.fromEntries(Object.entries(head.people).filter(([id]) => id !== person));
  const without = person === undefined ? head : { ...head, people };
  const marked = until === undefined ? without : withForgotten(without, person, until);
  return erasure.change === undefined ? marked : withChange(marked, erasure.change);
}
