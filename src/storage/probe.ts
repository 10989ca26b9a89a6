import { z } from 'zod';
import { type RecordKind, record, type Store } from './store.ts';

const probeKind: RecordKind<{ at: number }> = {
  name: 'probe',
  version: 1,
  schema: z.object({ at: z.number() }),
  upgrades: {},
};

/** For so long a write that went well says that the next one will. */
const heldMs = 5_000;

/**
 * Whether the store can be read and written: one that can be read may have no room. However often it is asked, it writes
 * seldom.
 */
export function createProbe(store: Store, now: () => number): () => Promise<boolean> {
  let wroteAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    const at = now();
    await store.commit([record(probeKind, 'health', { at })]);
    wroteAt = at;
  }

  return async () => {
    try {
      if (Math.abs(now() - wroteAt) >= heldMs) {
        writing ??= write().finally(() => {
          writing = undefined;
        });
        await writing;
      }
      return (await store.get(probeKind, 'health')) !== undefined;
    } catch {
      return false; // whoever asks wants to know just that
    }
  };
}
