import type { ChannelId } from '../event.ts';

/** What happens to channels' memories, told to whoever looks on, once it is so. */

export interface MemoryChange {
  channel: ChannelId;
  what: 'turns' | 'amended' | 'reset' | 'folding' | 'folded' | 'fold-failed';
  /** Of a fold being written: what it covers, and a guess at how far it is, from 0 to 1. */
  fold?: { from: number; to: number; done: number };
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
