import { readFileSync } from 'node:fs';
import type { Backend, Entry } from '../src/storage/backend.ts';
import { createMemoryBackend as createEmpty } from '../src/storage/memory.ts';

/** The memory store, with the entries of `SEED_FILE` in it. */
export function createMemoryBackend(): Backend {
  const backend = createEmpty();
  const entries: Entry[] = JSON.parse(readFileSync(process.env.SEED_FILE ?? '', 'utf8'));
  void backend.setMany(entries);
  return backend;
}
