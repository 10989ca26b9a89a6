import { Keyv } from 'keyv';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Backend, Entry, KeyRange } from './backend.ts';
import { planRange, type Range, toKey } from './keys.ts';

/**
 * The memory of the program, and the only file that knows Keyv. Whatever fails below, a failed read never looks like a
 * missing record and a failed write never like a success: each throws a `BotError` of kind `store`.
 */
export interface Store {
  get<T>(kind: RecordKind<T>, id: string): Promise<T | undefined>;
  /** In the order of the ids' UTF-8 bytes. */
  list<T>(kind: RecordKind<T>, idPrefix: string, range?: Range): Promise<Found<T>[]>;
  /**
   * One transaction, durable when it resolves; the later of two records with one key wins. After a failure nothing is
   * written, except that a time-out leaves it unknown: read again before trying again. The values must stay as they are
   * until it resolves.
   */
  commit(records: StoredRecord[]): Promise<void>;
  /**
   * Takes `{kind.name}:{id}` keys and resolves when their values are gone from the files. With no keys it only scrubs:
   * what was overwritten before leaves the files too.
   */
  erase(keys: string[]): Promise<void>;
  close(): Promise<void>;
}

export interface RecordKind<T> {
  /** Without a colon. */
  name: string;
  version: number;
  schema: z.ZodType<T>;
  /** `upgrades[n]` makes version n + 1 of what version n stored. */
  upgrades: Record<number, (old: unknown) => unknown>;
}

/** Made by `record` only. */
export interface StoredRecord {
  key: string;
  value: unknown;
}

/** Read one by one, so that a damaged record hides none of the others. */
export interface Found<T> {
  id: string;
  read(): T;
}

export type { Range };

export interface Limits {
  operationMs: number;
}

/** Refuses what could not be read again: found when it is read, it would cost the channel all that stands beside it. */
export function record<T>(kind: RecordKind<T>, id: string, value: T): StoredRecord {
  const { success, error } = kind.schema.safeParse(value);
  if (!success) throw new BotError('bug', `a record of the kind ${kind.name} is not as it must be`, { cause: error });
  return { key: toKey(kind.name, id), value: { v: kind.version, d: value } };
}

export function createStore(backend: Backend, limits: Limits = { operationMs: 10_000 }): Store {
  const keyv = new Keyv({ store: toKeyvStorage(backend), serialization: { stringify: JSON.stringify, parse } });
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function limited<T>(doing: string, late: string, work: Promise<T>): Promise<T> {
    try {
      return await within(limits.operationMs, `${doing} took longer than ${limits.operationMs} ms${late}`, work);
    } catch (error) {
      throw error instanceof BotError ? error : new BotError('store', `${doing} failed`, { cause: error });
    }
  }

  async function guarded<T>(doing: string, late: string, work: () => Promise<T>): Promise<T> {
    if (closing) throw new BotError('store', `${doing} failed: the memory is closed`);
    const result = limited(doing, late, work());
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
    }
  }

  const reading = <T>(what: string, work: () => Promise<T>) => guarded(`reading ${what}`, '', work);
  const writing = (doing: string, work: () => Promise<void>) =>
    guarded(doing, ', so whether it was done is unknown', work);

  return {
    async get(kind, id) {
      const key = toKey(kind.name, id);
      const stored = await reading(key, () => keyv.get<unknown>(key).catch((error) => rethrow(key, error)));
      return stored === undefined ? undefined : decode(kind, key, stored);
    },

    async list(kind, idPrefix, range = {}) {
      const prefix = toKey(kind.name, idPrefix);
      const plan = planRange(kind.name, idPrefix, range);
      const entries = await reading(`the list ${prefix}`, () => readList(backend, plan, prefix));
      return entries.map(({ key, value }) => ({
        id: key.slice(kind.name.length + 1),
        read: () => decode(kind, key, parsed(key, value)),
      }));
    },

    async commit(records) {
      const entries = [...new Map(records.map((entry) => [entry.key, entry])).values()];
      await writing('writing to the memory', async () => {
        if (entries.length > 0) await keyv.setMany(entries);
      });
    },

    async erase(keys) {
      const distinct = [...new Set(keys)];
      await writing('erasing from the memory', async () => {
        if (distinct.length > 0) {
          await keyv.deleteMany(distinct);
          // What a person asked to be forgotten is worth a second look.
          const left = await readTexts(backend, distinct);
          if (left.some((value) => value !== undefined)) throw new Error('a deleted record is still there');
        }
        await backend.scrub();
      });
    },

    close() {
      closing ??= (async () => {
        await Promise.allSettled(running);
        await limited('closing the memory', '', keyv.disconnect());
      })();
      return closing;
    },
  };
}

/**
 * The four methods Keyv calls for what we ask of it. There is deliberately no `on` among them and no error listener on
 * Keyv: with one, Keyv answers a failed read with `undefined` and a failed write with `false`; without, it throws.
 */
function toKeyvStorage(backend: Backend) {
  return {
    // Says "use me as I am"; nothing here expires.
    capabilities: { expires: true },
    async get(key: string) {
      const [value] = await readTexts(backend, [key]);
      return value;
    },
    async setMany(entries: { key: string; value: string }[]) {
      const done: unknown = await backend.setMany(entries.map(({ key, value }) => ({ key, value })));
      // Keyv would take any answer but an array for a success.
      const all = Array.isArray(done) && done.length === entries.length && done.every((one) => one === true);
      if (!all) throw new Error('the backend did not write everything');
      return done;
    },
    deleteMany: (keys: string[]) => backend.deleteMany(keys),
    disconnect: () => backend.disconnect(),
  };
}

const texts = z.array(z.string().optional());

/** Keyv would take null for a missing record, and any other thing but a text for a value that needs no parsing. */
async function readTexts(backend: Backend, keys: string[]): Promise<(string | undefined)[]> {
  const values = texts.parse(await backend.getMany(keys));
  if (values.length !== keys.length) throw new Error('the backend did not answer for every key');
  return values;
}

/** What Keyv could not make a record of is damaged; whatever else it throws, the store did not answer. */
function rethrow(key: string, error: unknown): never {
  throw error instanceof SyntaxError || error instanceof NoRecord ? damaged(key, error) : error;
}

class NoRecord extends Error {}

/** Keyv keeps `{value, expires}`. It would take `{}` for a missing record, and delete one with an old `expires`. */
function parse(text: string): { value: unknown } {
  const data: unknown = JSON.parse(text);
  if (typeof data !== 'object' || data === null || !('value' in data)) throw new NoRecord('not a record');
  return { value: data.value };
}

function parsed(key: string, text: string): unknown {
  try {
    return parse(text).value;
  } catch (error) {
    throw damaged(key, error);
  }
}

const versioned = z.object({ v: z.int().positive(), d: z.unknown() });

function decode<T>(kind: RecordKind<T>, key: string, stored: unknown): T {
  const { v, d } = checked(versioned, key, stored);
  if (v > kind.version)
    throw new BotError('damaged', `the record ${key} was written by a newer version of this program`);
  let value = d;
  for (let version = v; version < kind.version; version++) value = upgraded(kind, key, version, value);
  return checked(kind.schema, key, value);
}

function upgraded<T>(kind: RecordKind<T>, key: string, version: number, value: unknown): unknown {
  const upgrade = kind.upgrades[version];
  if (!upgrade) throw new BotError('store', `the record ${key} has version ${version}, which can no longer be read`);
  try {
    return upgrade(value);
  } catch (error) {
    throw damaged(key, error);
  }
}

function checked<T>(schema: z.ZodType<T>, key: string, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw damaged(key, result.error);
  return result.data;
}

function damaged(key: string, cause: unknown): BotError {
  return new BotError('damaged', `the record ${key} is damaged`, { cause });
}

const entryList = z.array(z.object({ key: z.string(), value: z.string() }));

async function readList(backend: Backend, range: KeyRange, prefix: string): Promise<Entry[]> {
  const entries = entryList.parse(await backend.list(range));
  if (!entries.every(({ key }) => key.startsWith(prefix))) throw new Error('the backend listed other keys');
  return entries;
}

async function within<T>(ms: number, late: string, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new BotError('store', late)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
