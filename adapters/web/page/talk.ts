import { type ReadonlySignal, signal } from '@preact/signals';
import type { MemoryChange } from '../views.ts';
import type { LiveEvent, Turns } from '../wire.ts';
import { applied, type Entry, type Renewal, renewed, withEarlier } from './entries.ts';
import { channelPath, get, problemOf } from './server.ts';

/** One conversation as it is shown: a channel's, or a thread's. */
export interface Talk {
  readonly key: string;
  readonly entries: ReadonlySignal<readonly Entry[]>;
  readonly state: ReadonlySignal<TalkState>;
  readonly more: ReadonlySignal<boolean>;
  /** The fold being written. */
  readonly fold: ReadonlySignal<MemoryChange['fold']>;
  /** What the stream tells of it. */
  take(event: LiveEvent): void;
  change(edit: (entries: readonly Entry[]) => readonly Entry[]): void;
  renew(renewal: Renewal): void;
  loadEarlier(): Promise<void>;
}

type TalkState = { is: 'loading' } | { is: 'ready' } | { is: 'failed'; problem: string };

/** Fast enough to look continuous, seldom enough to cost little. */
const paintMs = 50;
const renewMs = 120;
const pageTurns = 40;
/** Pages of nothing but erased turns are passed over, so many at one click. */
const mostEmptyPages = 10;

export function createTalk(key: string): Talk {
  const entries = signal<readonly Entry[]>([]);
  const state = signal<TalkState>({ is: 'loading' });
  const more = signal(false);
  const fold = signal<MemoryChange['fold']>(undefined);
  let waiting: LiveEvent[] = [];
  let painting: ReturnType<typeof setTimeout> | undefined;
  let renewing: ReturnType<typeof setTimeout> | undefined;
  let due: Renewal = 'soft';
  let loads = 0;
  /** The oldest turn that was read: what is earlier is before it, whatever is shown of it. */
  let oldestSeq: number | undefined;

  return { key, entries, state, more, fold, take, change, renew, loadEarlier };

  function take(event: LiveEvent): void {
    if (event.type === 'memory') takeMemory(event.change);
    else if (event.type === 'reload') renew('hard');
    else {
      waiting.push(event);
      if (painting === undefined) painting = setTimeout(paint, paintMs);
    }
  }

  function paint(): void {
    painting = undefined;
    const events = waiting;
    waiting = [];
    entries.value = events.reduce(applied, entries.value);
  }

  function takeMemory({ what, fold: written }: MemoryChange): void {
    switch (what) {
      case 'folding':
        fold.value = written ?? { from: 0, to: 0, done: 0 };
        return;
      case 'folded':
      case 'fold-failed':
        fold.value = undefined;
        return;
      case 'turns':
        renew('soft');
        return;
      case 'amended':
        renew('hard');
        return;
      case 'reset':
        // What was said before belongs to what is put away; the line that tells of it comes after.
        change((before) => before.filter((entry) => entry.kind !== 'said'));
        renew('hard');
    }
  }

  function change(edit: (entries: readonly Entry[]) => readonly Entry[]): void {
    paint();
    entries.value = edit(entries.value);
  }

  function renew(renewal: Renewal): void {
    if (renewal === 'hard') due = renewal;
    if (renewing !== undefined) return;
    renewing = setTimeout(() => void load(), state.peek().is === 'loading' ? 0 : renewMs);
  }

  async function load(): Promise<void> {
    renewing = undefined;
    const renewal = due;
    due = 'soft';
    const load = ++loads;
    try {
      const turns = await get<Turns>(channelPath(key, `/turns?limit=${pageTurns}`));
      // What was asked for later is newer.
      if (load !== loads) {
        renew(renewal);
        return;
      }
      const first = turns.turns[0]?.seq;
      const hasOlder = renewal === 'soft' && oldestSeq !== undefined && first !== undefined && oldestSeq < first;
      change((before) => renewed(before, turns.turns, renewal));
      if (!hasOlder) {
        more.value = turns.more;
        oldestSeq = first;
        if (turns.more && turns.turns.every(({ erased }) => erased)) await loadEarlier();
      }
      state.value = { is: 'ready' };
    } catch (error) {
      if (state.value.is !== 'ready') state.value = { is: 'failed', problem: problemOf(error) };
      else if (renewal === 'hard') due = renewal;
    }
  }

  async function loadEarlier(): Promise<void> {
    for (let pages = 0; pages < mostEmptyPages && oldestSeq !== undefined; pages++) {
      const before = oldestSeq;
      const { turns, more: isMore } = await get<Turns>(channelPath(key, `/turns?before=${before}&limit=${pageTurns}`));
      // All of it was read again meanwhile: this page need not stand right before it.
      if (oldestSeq !== before) return;
      change((entries) => withEarlier(entries, turns));
      oldestSeq = turns[0]?.seq ?? oldestSeq;
      more.value = isMore;
      if (!isMore || turns.some(({ erased }) => !erased)) return;
    }
  }
}
