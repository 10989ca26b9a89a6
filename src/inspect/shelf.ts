import { z } from 'zod';
import { type RecordKind, record, type Store } from '../storage/store.ts';

/** A place for what an adapter has to keep for itself, beside the memory. */
export interface Shelf {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  /** In the order of the keys. */
  list(prefix: string): Promise<{ key: string; value: unknown }[]>;
  remove(keys: readonly string[]): Promise<void>;
}

const shelfKind: RecordKind<unknown> = { name: 'shelf', version: 1, schema: z.unknown(), upgrades: {} };

export function createShelf(store: Store, owner: string): Shelf {
  const toId = (key: string): string => `${owner}:${key}`;
  return {
    get: async (key) => await store.get(shelfKind, toId(key)),
    put: async (key, value) => await store.commit([record(shelfKind, toId(key), value)]),
    async list(prefix) {
      const found = await store.list(shelfKind, toId(prefix));
      return found.map((one) => ({ key: one.id.slice(owner.length + 1), value: one.read() }));
    },
    remove: async (keys) => await store.erase(keys.map((key) => `${shelfKind.name}:${toId(key)}`)),
  };
}
