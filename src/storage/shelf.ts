import { z } from 'zod';
import { type RecordKind, record, type Store, type StoredRecord } from './store.ts';

/** A place for what an adapter has to keep for itself, beside the memory. The owner is the adapter's platform. */
export interface Shelf {
  /** Null where it was emptied and nobody has removed it yet. */
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  /** In the order of the keys; the value of what was emptied is null. */
  list(prefix: string): Promise<{ key: string; value: unknown }[]>;
  remove(keys: readonly string[]): Promise<void>;
}

const shelfKind: RecordKind<unknown> = { name: 'shelf', version: 1, schema: z.unknown(), upgrades: {} };

export function createShelf(store: Store, owner: string): Shelf {
  return {
    get: async (key) => await store.get(shelfKind, toId(owner, key)),
    put: async (key, value) => await store.commit([record(shelfKind, toId(owner, key), value)]),
    async list(prefix) {
      const found = await store.list(shelfKind, toId(owner, prefix));
      return found.map((one) => ({ key: one.id.slice(owner.length + 1), value: one.read() }));
    },
    remove: async (keys) => await store.erase(keys.map((key) => `${shelfKind.name}:${toId(owner, key)}`)),
  };
}

/** To be committed with whatever ends the need for it: a commit writes and removes nothing, so the value goes. */
export function emptiedShelfRecord(owner: string, key: string): StoredRecord {
  return record(shelfKind, toId(owner, key), null);
}

function toId(owner: string, key: string): string {
  return `${owner}:${key}`;
}
