import type { Turn } from './turn.ts';

/** Pages of a channel that were read for a search, for the next one: the latest, up to a size. */
export interface RecentPages {
  get(id: string): readonly Turn[] | undefined;
  put(id: string, turns: readonly Turn[]): void;
  bytes(): number;
}

const mostBytes = 3 * 1024 * 1024;
/** A turn and its fields, and what a token takes as text. */
const turnBytes = 400;
const tokenBytes = 8;

export function createRecentPages(): RecentPages {
  /** Least recently used first. */
  const pages = new Map<string, { turns: readonly Turn[]; size: number }>();
  let total = 0;

  return {
    get(id) {
      const page = pages.get(id);
      if (page === undefined) return undefined;
      pages.delete(id);
      pages.set(id, page);
      return page.turns;
    },
    put(id, turns) {
      const size = turns.reduce((sum, turn) => sum + turnBytes + turn.tokens * tokenBytes, 0);
      total += size - (pages.get(id)?.size ?? 0);
      pages.delete(id);
      pages.set(id, { turns, size });
      for (const [oldest, page] of pages) {
        if (total <= mostBytes) break;
        pages.delete(oldest);
        total -= page.size;
      }
    },
    bytes: () => total,
  };
}
