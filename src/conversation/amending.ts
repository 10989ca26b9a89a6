import { type ChannelId, parentChannel, toChannelId } from '../event.ts';
import { record, type Store, type StoredRecord } from '../storage/store.ts';
import type { Conversations, Planned } from './conversations.ts';
import { vectorsWithout } from './embeddings-records.ts';
import { type Amended, createErasing, type Erasing, familyOf, messageIdsOf } from './erasing.ts';
import { emptiedFold, type FoldTexts, type StoredFold } from './folds.ts';
import { type Change, type Head, headKind, withChange } from './head.ts';
import { type ChannelState, replaceTurn } from './journal.ts';
import { lateRecord, readLate, type UnwrittenEdits } from './late.ts';
import { maxPeople } from './names.ts';
import { pageId, pageNumber, type TurnRef } from './page.ts';
import { cleanText } from './recording.ts';
import { isTakenBack, planRewording, type Rewording, rewordingRecords } from './rewording.ts';
import { createTaintedFolds, type TaintedFolds } from './tainted-folds.ts';
import type { TokenCounter } from './tokens.ts';
import { hasTraces, type Somebody } from './traces.ts';
import type { Turn } from './turn.ts';
import { countMessages, toMessages } from './wire.ts';

/**
 * What was said is changed or taken back. It leaves the journal, the folds that cover it and, because branches only
 * refer, the branches, in one commit; then its bytes leave the data file. Folds are written anew from what is left.
 */
export interface Amending extends Erasing {
  /** Of several edits the one made last stands, whichever comes last. */
  edit(channel: ChannelId, edit: Edit, also: StoredRecord[]): Promise<Amended>;
  /** Puts a turn in the place of its older self. `change` is asked under the lock, and throws where it will not do. */
  revise(channel: ChannelId, messageId: string, change: (turn: Turn) => Turn, also: StoredRecord[]): Promise<Amended>;
  /** By the platform's ids. Those not yet recorded leave a mark that keeps them out when they come. */
  deleteMessages(channel: ChannelId, messageIds: readonly string[], at: number, also: StoredRecord[]): Promise<Amended>;
  /** The folds in use leave the store; the turns they cover are there to fold again. */
  dropFolds(channel: ChannelId, change: Change, also: StoredRecord[]): Promise<void>;
  /** Resolves when what was taken back is gone from the files, too. */
  scrubbed(): Promise<void>;
  /** As of `TaintedFolds`: for what is written down beside the conversation. */
  follow: TaintedFolds['follow'];
  /** Where in a workspace a person has spoken or changed something. */
  channelsWith(platform: string, workspace: string, person: Somebody): Promise<ChannelId[]>;
  /** The channel and its threads. */
  family(channel: ChannelId): Promise<ChannelId[]>;
}

interface Edit {
  messageId: string;
  at: number;
  text: string;
}

interface AmendingDeps {
  store: Store;
  conversations: Conversations;
  folds: FoldTexts;
  counter(): Promise<TokenCounter>;
  unwritten: UnwrittenEdits;
  inBackground(work: Promise<unknown>): void;
}

type Edited = Planned<Amended & { gone: StoredFold[] }>;

const nothing: Amended = { messageIds: [] };
const unmoved: Rewording = { pages: [], turns: [] };

export function createAmending(deps: AmendingDeps): Amending {
  const { store, conversations, folds } = deps;
  const tainted = createTaintedFolds(deps);
  const { erase, expire } = createErasing({ store, conversations, tainted });

  async function planEdit(state: ChannelState, edit: Edit, counter: TokenCounter): Promise<Edited> {
    const unchanged = { value: { ...nothing, gone: [] } };
    const ref = await conversations.journal.find(state.channel, edit.messageId);
    if (ref === undefined) return { ...unchanged, also: await lateRecords(state.channel, edit) };
    const page = await conversations.journal.page(state.channel, ref);
    const found = page.find((one) => one.seq === ref.seq);
    if (found === undefined || found.erased !== undefined || edit.at < (found.editedAt ?? 0)) return unchanged;
    const text = cleanText(edit.text);
    const dated = { ...found, editedAt: edit.at };
    if (found.text === text) return { ...unchanged, step: replaceTurn(state, ref.epoch, page, dated) };
    const draft = { ...dated, text, rev: found.rev + 1 };
    const tokens = await countMessages(toMessages(draft), counter);
    const edited = { ref, isAbove: false, before: found.text, now: text };
    const others = isTakenBack(edited) ? await planRewording(store, state.channel, edited, counter) : unmoved;
    const planned = await withoutOldText(state, ref, page, { ...draft, tokens }, others);
    return { ...planned, taken: { why: 'edited', messageIds: planned.value.messageIds } };
  }

  async function withoutOldText(
    state: ChannelState,
    ref: TurnRef,
    page: readonly Turn[],
    turn: Turn,
    others = unmoved,
  ): Promise<Edited> {
    const step = replaceTurn(state, ref.epoch, page, turn);
    const seqs = [turn, ...others.turns].map(({ seq }) => seq);
    const { head, gone } = await tainted.find(state.channel, state.head, seqs);
    const value = { messageIds: messageIdsOf([turn, ...others.turns]), gone };
    const where = [pageId(state.channel, ref.epoch, pageNumber(ref.seq)), ...others.pages.map(({ id }) => id)];
    const vectors = await vectorsWithout(store, [...new Set(where)], new Set(seqs), 'edited');
    if (gone.length === 0 && others.turns.length === 0) return { step, also: vectors, value };
    const heads = head === state.head ? [] : [record(headKind, state.channel, head)];
    // Of two records of one page the later one counts: it has the edit as well.
    const pages = [...step.records, ...rewordingRecords(others, turn)];
    const records = [...pages, ...vectors, ...gone.map(emptiedFold), ...heads];
    return { also: records, reload: 'amended', summariesGone: gone.length > 0, value };
  }

  /** Answers in the channel's threads that rest on what it said before the edit. */
  async function rewordThreads(channel: ChannelId, edit: Edit, counter: TokenCounter): Promise<void> {
    const ref =
      parentChannel(channel) === undefined ? await conversations.journal.find(channel, edit.messageId) : undefined;
    if (ref === undefined) return;
    const found = (await conversations.journal.page(channel, ref)).find((one) => one.seq === ref.seq);
    if (found === undefined || found.erased !== undefined || edit.at < (found.editedAt ?? 0)) return;
    const edited = { ref, isAbove: true, before: found.text, now: cleanText(edit.text) };
    if (!isTakenBack(edited)) return;
    for (const thread of (await familyOf(store, channel)).slice(1)) {
      const gone = await conversations.change<StoredFold[]>(thread, async (state) => {
        const others = await planRewording(store, thread, edited, counter);
        if (others.turns.length === 0) return { value: [] };
        const seqs = others.turns.map(({ seq }) => seq);
        const { head, gone } = await tainted.find(thread, state.head, seqs);
        const where = others.pages.map(({ id }) => id);
        return {
          also: [
            ...rewordingRecords(others),
            ...(await vectorsWithout(store, where, new Set(seqs), 'edited')),
            ...gone.map(emptiedFold),
            ...(head === state.head ? [] : [record(headKind, thread, head)]),
          ],
          reload: 'amended',
          taken: { why: 'edited', messageIds: messageIdsOf(others.turns) },
          summariesGone: gone.length > 0,
          value: gone,
        };
      });
      if (gone.length > 0) tainted.clear(gone);
    }
  }

  /** It waits for its message, unless that was deleted, or changed again later. */
  async function lateRecords(channel: ChannelId, { messageId, at, text }: Edit): Promise<StoredRecord[]> {
    const late = await readLate(store, channel, messageId);
    const isVoid = late === 'deleted' || (late !== undefined && at < late.at);
    return isVoid ? [] : [lateRecord(channel, messageId, at, text)];
  }

  return {
    expire,
    family: (channel) => familyOf(store, channel),
    scrubbed: tainted.cleared,
    follow: tainted.follow,

    async edit(channel, edit, also) {
      const counter = await deps.counter();
      // Before the channel: after a crash in between, what the message said is still known.
      await rewordThreads(channel, edit, counter);
      const result = await conversations.change(channel, async (state) => {
        const planned = await planEdit(state, edit, counter);
        return { ...planned, also: [...(planned.also ?? []), ...also] };
      });
      // Also of a message that waits: what it said before is written down there.
      tainted.clear(result.gone);
      return result;
    },

    async revise(channel, messageId, change, also) {
      const counter = await deps.counter();
      const result = await conversations.change<Amended & { gone: StoredFold[] }>(channel, async (state) => {
        const ref = await conversations.journal.find(channel, messageId);
        const page = ref === undefined ? [] : await conversations.journal.page(channel, ref);
        const found = page.find((one) => one.seq === ref?.seq);
        if (ref === undefined || found === undefined) return { value: { ...nothing, gone: [] } };
        const draft = change(found);
        const turn = { ...draft, tokens: await countMessages(toMessages(draft), counter) };
        const planned = await withoutOldText(state, ref, page, turn);
        return { ...planned, also: [...(planned.also ?? []), ...also] };
      });
      if (result.gone.length > 0) tainted.clear(result.gone);
      return result;
    },

    async erase(channel, erasure, also) {
      // Whose words wait there is not known.
      if (erasure.why === 'forgotten') deps.unwritten.clear();
      return await erase(channel, erasure, also);
    },

    async channelsWith(platform, workspace, person) {
      const prefix = toChannelId({ platform, workspace, channel: '' });
      const heads = await store.list(headKind, prefix);
      // Those with very many people no longer know them all: they are searched.
      const mayKnow = (head: Head): boolean => hasTraces(head, person) || Object.keys(head.people).length >= maxPeople;
      return heads.filter((one) => isDamaged(one) || mayKnow(one.read())).map((one) => one.id as ChannelId);
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
      if (isAllLate) {
        // The message may be on its way, and be written down where it waits.
        tainted.clear([]);
        return nothing;
      }
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
          reload: 'amended',
          summariesGone: true,
          value: covered,
        };
      });
      tainted.clear(gone);
    },
  };
}

/** Whether it knows the person cannot be told: whoever goes on with its channel finds out that it is damaged. */
function isDamaged(head: { read(): Head }): boolean {
  try {
    head.read();
    return false;
  } catch {
    return true;
  }
}
