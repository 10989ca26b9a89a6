/** What a place to keep records must offer; `store.ts` puts Keyv and the guard before it. */

export interface Entry {
  key: string;
  value: string;
}

/** Keys from `from` (inclusive) up to `to` (exclusive) in the order of their UTF-8 bytes, or downwards. */
export interface KeyRange {
  from: string;
  to: string;
  limit: number | undefined;
  reverse: boolean;
}

/**
 * Every method rejects when it did not do its work. Keys hold no NUL and no lone surrogate, and none comes twice in one
 * call. Errors outside an operation, of a connection or a worker, are the backend's own to listen to: they show as
 * failures of the operations that follow.
 */
export interface Backend {
  getMany(keys: string[]): Promise<(string | undefined)[]>;
  /** One transaction: all or nothing, durable when it resolves. `false` for an entry that was not written. */
  setMany(entries: Entry[]): Promise<boolean[]>;
  /** One transaction. As Keyv has it, `false` for a key that was not there. */
  deleteMany(keys: string[]): Promise<boolean[]>;
  list(range: KeyRange): Promise<Entry[]>;
  /** Resolves when no deleted or overwritten value is left in the files. */
  scrub(): Promise<void>;
  disconnect(): Promise<void>;
}
