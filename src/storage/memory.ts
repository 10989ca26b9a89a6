import type { Backend } from './backend.ts';
import { fromSortable, toSortable } from './keys.ts';

/** For tests and for trying out: what it holds is gone with the process. */
export function createMemoryBackend(): Backend {
  const values = new Map<string, string>();
  /** The keys of `values`, ascending. */
  const sorted: string[] = [];

  return {
    async getMany(keys) {
      return keys.map((key) => values.get(toSortable(key)));
    },
    async setMany(entries) {
      for (const { key, value } of entries) {
        const name = toSortable(key);
        if (!values.has(name)) sorted.splice(position(sorted, name), 0, name);
        values.set(name, value);
      }
      return entries.map(() => true);
    },
    async deleteMany(keys) {
      return keys.map((key) => {
        const name = toSortable(key);
        if (!values.delete(name)) return false;
        sorted.splice(position(sorted, name), 1);
        return true;
      });
    },
    async list({ from, to, limit, reverse }) {
      const names = sorted.slice(position(sorted, toSortable(from)), position(sorted, toSortable(to)));
      if (reverse) names.reverse();
      return names.slice(0, limit).map((name) => ({ key: fromSortable(name), value: values.get(name) ?? '' }));
    },
    async scrub() {},
    async disconnect() {
      values.clear();
      sorted.length = 0;
    },
  };
}

/** Where the first name stands that is not below the given one. */
function position(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
