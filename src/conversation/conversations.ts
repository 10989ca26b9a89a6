import type { ChannelId } from '../event.ts';
import { parentChannel } from '../event.ts';
import type { Store, StoredRecord } from '../storage/store.ts';
import type { Changes, MemoryChange, Taken } from './changes.ts';
import type { FoldTexts } from './folds.ts';
import { type Change, type Head, openSpan, withChange } from './head.ts';
import { type ChannelState, createJournal, type Journal, type Step, type TailLimit, withHead } from './journal.ts';

/**
 * The one writer of every channel. A change is planned on the current state under the channel's commit lock, committed
 * in one transaction, and only then becomes the state; a model is never called inside.
 */
export interface Conversations {
  journal: Journal;
  limit: TailLimit;
  read(channel: ChannelId): Promise<ChannelState>;
  /** Plans and commits. Whatever `plan` returns beside the step is handed back once it is durable. */
  change<T>(channel: ChannelId, plan: (state: ChannelState) => Promise<Planned<T>> | Planned<T>): Promise<T>;
  /** The state where it is in memory; looking does not count as using. */
  peek(channel: ChannelId): ChannelState | undefined;
  /** The channels in memory that were last used before `before`, for work that can wait for quiet. */
  quiet(before: number): ChannelId[];
}

export interface Planned<T> {
  /** Absent: the state stays as it is. */
  step?: Step | undefined;
  /** Committed together with the step: usage, the inbox entry. */
  also?: StoredRecord[];
  /** What was changed reaches so far back that the state is read again; told as this. */
  reload?: 'amended' | 'reset';
  /** Told with the change, so that nothing that rests on these messages is kept after it. */
  taken?: Taken;
  summariesGone?: boolean;
  value: T;
}

const maxChannelsInMemory = 2000;

export function createConversations(
  store: Store,
  limit: TailLimit,
  now: () => number,
  changes: Pick<Changes, 'tell'>,
  folds: FoldTexts,
): Conversations {
  const journal = createJournal(store, limit, folds);
  /** Least recently used first. */
  const states = new Map<ChannelId, { state: ChannelState; usedAt: number }>();
  const locks = new Map<ChannelId, Promise<unknown>>();
  /** Of channels that are being loaded: how many commits have ended meanwhile. */
  const commits = new Map<ChannelId, number>();
  const loading = new Map<ChannelId, Promise<ChannelState>>();

  function keep(state: ChannelState): ChannelState {
    states.delete(state.channel);
    states.set(state.channel, { state, usedAt: now() });
    for (const channel of states.keys()) {
      if (states.size <= maxChannelsInMemory) break;
      if (!locks.has(channel)) states.delete(channel);
    }
    return state;
  }

  /** What was read while something was committed is read again. */
  async function loadCurrent(channel: ChannelId, parent: Head | undefined): Promise<ChannelState> {
    for (;;) {
      const before = commits.get(channel);
      const state = await journal.load(channel, parent);
      if (commits.get(channel) === before) return keep(state);
    }
  }

  async function read(channel: ChannelId): Promise<ChannelState> {
    const above = parentChannel(channel);
    const parent = above === undefined ? undefined : (await read(above)).head;
    const known = states.get(channel)?.state;
    if (known !== undefined && known.parent?.live === parent?.live) {
      return keep(known.parent === parent ? known : { ...known, parent });
    }
    const before = loading.get(channel);
    if (before !== undefined) return await before;
    const fresh = loadCurrent(channel, parent);
    loading.set(channel, fresh);
    try {
      return await fresh;
    } finally {
      loading.delete(channel);
      commits.delete(channel);
    }
  }

  async function locked<T>(channel: ChannelId, run: () => Promise<T>): Promise<T> {
    const before = locks.get(channel) ?? Promise.resolve();
    const mine = before.then(run, run);
    const settled = mine.catch(() => undefined);
    locks.set(channel, settled);
    try {
      return await mine;
    } finally {
      if (locks.get(channel) === settled) locks.delete(channel);
    }
  }

  return {
    journal,
    limit,
    read,

    async change(channel, plan) {
      return await locked(channel, async () => {
        const before = await read(channel);
        const planned = await plan(before);
        const records = [...(planned.step?.records ?? []), ...(planned.also ?? [])];
        try {
          if (records.length > 0) await store.commit(records);
        } catch (error) {
          // What the store holds now is not known: the next reader asks it.
          states.delete(channel);
          throw error;
        } finally {
          // Readers that are loading now may have seen either state: they load again.
          if (loading.has(channel)) commits.set(channel, (commits.get(channel) ?? 0) + 1);
        }
        if (planned.reload !== undefined) states.delete(channel);
        else if (planned.step !== undefined) keep(planned.step.state);
        // Before the lock is free: what is committed next knows that it may not stand any more.
        const change = toChange(channel, before, planned);
        if (change !== undefined) changes.tell(change);
        return planned.value;
      });
    },

    peek: (channel) => states.get(channel)?.state,

    quiet(before) {
      return [...states].filter(([, { usedAt }]) => usedAt < before).map(([channel]) => channel);
    },
  };
}

function toChange(channel: ChannelId, before: ChannelState, planned: Planned<unknown>): MemoryChange | undefined {
  const { reload, step, taken, summariesGone } = planned;
  const what = reload ?? whatChanged(before, step?.state);
  return what && { channel, what, ...(taken && { taken }), ...(summariesGone && { summariesGone }) };
}

function whatChanged(before: ChannelState, after: ChannelState | undefined): 'turns' | 'reset' | 'amended' | undefined {
  if (after === undefined || after === before) return undefined;
  if (after.amended !== before.amended) return 'amended';
  return after.head.live === before.head.live ? 'turns' : 'reset';
}

/**
 * A thread whose parent was reset since it last spoke starts afresh: its next turn goes to a span of the parent's new
 * epoch. Undo in the parent brings the older spans back beside it.
 */
export function withOpenSpan(state: ChannelState): Step {
  if (state.parent === undefined) return { state, records: [] };
  const parentEpoch = openSpan(state.parent).epoch;
  const span = openSpan(state.head);
  if (state.view.spans.includes(span)) return { state, records: [] };
  const live = [...state.head.live, { epoch: span.epoch + 1, from: state.nextSeq, parentEpoch }];
  const step = withHead(state, { ...state.head, live });
  return { ...step, state: { ...step.state, page: [], tail: [], rawTokens: 0 } };
}

/** Puts away all that is remembered; role and settings stay. */
export function withReset(state: ChannelState, change: Change): Step {
  const { head, parent, nextSeq } = state;
  const span = openSpan(head);
  const fresh = { epoch: span.epoch + 1, from: nextSeq, ...(parent && { parentEpoch: openSpan(parent).epoch }) };
  const put = { live: head.live, folds: head.folds, at: change.at };
  const next = withChange({ ...head, live: [fresh], away: [...head.away, put], folds: [] }, change);
  const step = withHead(state, next);
  return { ...step, state: { ...step.state, page: [], tail: [], rawTokens: 0 } };
}

/** What the last reset put away stands before what was said since. Nothing where there is no reset to undo. */
export function withUndo(state: ChannelState, change: Change): StoredRecord[] | undefined {
  const put = state.head.away.at(-1);
  if (put === undefined) return undefined;
  const head = {
    ...state.head,
    live: [...put.live, ...state.head.live],
    folds: [...put.folds, ...state.head.folds],
    away: state.head.away.slice(0, -1),
  };
  return withHead(state, withChange(head, change)).records;
}
