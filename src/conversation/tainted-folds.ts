import { setImmediate } from 'node:timers/promises';
import type { ChannelId } from '../event.ts';
import type { Store } from '../storage/store.ts';
import { coverWith, type FoldTexts, foldKind, type StoredFold } from './folds.ts';
import type { FoldRef, Head } from './head.ts';

/**
 * Folds that cover what was changed or taken back: a commit takes them out of reach, and in its wake the places they
 * stood in, and what was overwritten, are cleared from the data file.
 */
export interface TaintedFolds {
  /** Folds out of use and in use that cover one of the turns, and the head with what serves instead. */
  find(channel: ChannelId, head: Head, seqs: readonly number[]): Promise<{ head: Head; gone: StoredFold[] }>;
  /** Once they are out of reach. `keys`: other records that were emptied with them. */
  clear(gone: readonly StoredFold[], keys?: readonly string[]): void;
  /** Resolves when all that was cleared is gone from the files, too. */
  cleared(): Promise<void>;
  /**
   * To be called before something that holds what people said is written down; what it answers, once that was
   * overwritten. Where anything was cleared in between, the bytes overwritten since leave the files as well.
   */
  follow(): () => void;
}

interface TaintedFoldsDeps {
  store: Store;
  folds: FoldTexts;
  inBackground(work: Promise<unknown>): void;
}

export function createTaintedFolds({ store, folds, inBackground }: TaintedFoldsDeps): TaintedFolds {
  const toErase = new Set<string>();
  let clearing: Promise<void> | undefined;
  let cleared = 0;

  /** One at a time, and one for all that came meanwhile. */
  async function clearAll(): Promise<void> {
    // Whoever calls goes on first: an answer is interrupted before the disk is busy.
    await setImmediate();
    clearing = undefined;
    const keys = [...toErase];
    await store.erase(keys);
    for (const key of keys) toErase.delete(key);
  }

  function clearSoon(): void {
    clearing ??= clearAll();
    inBackground(clearing);
  }

  return {
    async find(channel, head, seqs) {
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
      const away = head.away.map((put) => ({ ...put, folds: within(put.folds) }));
      return { head: { ...head, folds: within(head.folds), away }, gone };
    },

    clear(gone, keys = []) {
      folds.forget(gone.map(({ ref }) => ref.id));
      for (const key of keys) toErase.add(key);
      for (const { ref } of gone) toErase.add(`${foldKind.name}:${ref.id}`);
      cleared += 1;
      clearSoon();
    },

    follow() {
      const before = cleared;
      return () => {
        if (cleared !== before) clearSoon();
      };
    },

    cleared: async () => await (clearing ?? clearAll()),
  };
}
