import type { ChannelId } from '../event.ts';

/** What happens to channels' memories, told to whoever looks on, once it is so. */

export interface MemoryChange {
  channel: ChannelId;
  /** `amended`: something said earlier reads otherwise or is gone. `reset`: another stretch of talk is remembered. */
  what: 'turns' | 'amended' | 'reset' | 'folding' | 'folded' | 'fold-failed';
  taken?: Taken;
  /** Summaries went with it: what they covered is to be summarised again. */
  summariesGone?: boolean;
  /** Of a fold being written: what it covers, and a guess at how far it is, from 0 to 1. */
  fold?: { from: number; to: number; done: number };
}

/** Messages that do not stand any more as they were said: what is being written may rest on them. */
export interface Taken {
  why: 'edited' | 'deleted' | 'forgotten' | 'expired' | 'reset';
  /** The platform's ids, answers included. After a reset none: it takes them all. */
  messageIds: readonly string[];
  /** Who did it, as people are shown it. */
  by?: string;
}

export interface Changes {
  tell(change: MemoryChange): void;
  /** Returns how to end it. A watcher must not throw: the change is made already. */
  watch(onChange: (change: MemoryChange) => void): () => void;
}

export function createChanges(): Changes {
  const watchers = new Set<(change: MemoryChange) => void>();
  return {
    tell(change) {
      for (const watcher of watchers) watcher(change);
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
  };
}
