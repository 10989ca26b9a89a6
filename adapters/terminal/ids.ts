import { randomUUID } from 'node:crypto';

/** Unique for ever and rising within a run: what an inbox sorts by time, it sorts by id within the same millisecond. */
export function createIds() {
  const run = `${randomUUID()}.`;
  let count = 0;
  return {
    next: () => run + String(++count).padStart(9, '0'),
    isOurs: (id: string) => id.startsWith(run),
  };
}
