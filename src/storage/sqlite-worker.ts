import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Entry, KeyRange } from './backend.ts';

/**
 * Owns the data file. An fsync stops this thread and nobody else; every write posted meanwhile goes into the next
 * transaction, so that fifty writers cost little more than one.
 */

type Read = { op: 'get'; keys: string[] } | { op: 'list'; range: KeyRange };
type Write = { op: 'set'; entries: Entry[] } | { op: 'delete'; keys: string[] };
type Upkeep = { op: 'scrub' } | { op: 'close' };
export type Request = Read | Write | Upkeep;

/** Of each request by its `op`; `open` is answered without having been asked. */
export interface Answers {
  open: undefined;
  get: (string | undefined)[];
  list: Entry[];
  set: boolean[];
  delete: boolean[];
  scrub: undefined;
  close: undefined;
}

/** What is left of an error on its way between threads. */
export interface Failure {
  message: string;
  /** SQLite's primary result code. */
  sqlite?: number;
  /** Of the operating system, or one of ours: `FOREIGN`, `NEWER`. */
  code?: string;
}

export type Reply = { id: number } & ({ answer: Answers[keyof Answers] } | { failure: Failure });

type Posted<R> = { id: number; request: R };

const fileFormat = 1;
const applicationId = 0x43684c72;

/** How long a start waits for a predecessor that is just ending. */
const lockMs = 2000;

/**
 * SQLite's `secure_delete` clears freed pages and cells, but a page that is balanced keeps stale copies of neighbouring
 * cells in its unused part, for good. Whole pages have no such part. A cell keeps less than a page in the tree and the
 * rest in pages of its own, so with a page of zeros before it no byte of a value is ever in the tree. Small pages keep
 * the price low.
 */
const pageBytes = 1024;

const schema = `
  CREATE TABLE records (key TEXT PRIMARY KEY, zeros BLOB NOT NULL, value TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${fileFormat};
`;

function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  ensureFile(path);
  const db = new DatabaseSync(path, { timeout: lockMs });
  try {
    // EXCLUSIVE keeps the first lock for good, and the system frees it with the process. Nothing is changed in the file
    // before it is known to be ours.
    db.exec(`
      PRAGMA page_size = ${pageBytes};
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA secure_delete = ON;
      PRAGMA temp_store = MEMORY;
      BEGIN EXCLUSIVE;
    `);
    if (isNew(db)) db.exec(schema);
    db.exec(`
      COMMIT;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${(4 << 20) / pageBytes};
      PRAGMA journal_size_limit = ${16 << 20};
    `);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * To close a file that SQLite has open in this process would drop its lock, so this opens no file that is there. Of one
 * that may not be written, SQLite would say only that its lock failed.
 */
function ensureFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    accessSync(path, constants.R_OK | constants.W_OK);
  }
}

function isNew(db: DatabaseSync): boolean {
  if (db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables === 0) return true;
  if (pragma(db, 'application_id') !== applicationId) throw codedError('FOREIGN');
  if (Number(pragma(db, 'user_version')) > fileFormat) throw codedError('NEWER');
  return false;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return db.prepare(`PRAGMA ${name}`).get()?.[name];
}

function codedError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function serve(db: DatabaseSync, reply: (message: Reply) => void): (batch: Posted<Request>[]) => void {
  const select = db.prepare('SELECT value FROM records WHERE key = ?');
  const selectUp = db.prepare('SELECT key, value FROM records WHERE key >= ? AND key < ? ORDER BY key LIMIT ?');
  const selectDown = db.prepare('SELECT key, value FROM records WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?');
  const upsert = db.prepare(
    `INSERT INTO records VALUES (?, zeroblob(${pageBytes}), ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
  const remove = db.prepare('DELETE FROM records WHERE key = ?');
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');

  function read(request: Read): Answers['get'] | Answers['list'] {
    if (request.op === 'get') return request.keys.map((key) => textOrNothing(select.get(key)?.value));
    const { from, to, limit, reverse } = request.range;
    const rows = (reverse ? selectDown : selectUp).all(from, to, limit ?? -1);
    return rows.map(({ key, value }) => ({ key: text(key), value: text(value) }));
  }

  function write(request: Write): boolean[] {
    if (request.op === 'delete') return request.keys.map((key) => remove.run(key).changes > 0);
    return request.entries.map(({ key, value }) => upsert.run(key, value).changes > 0);
  }

  function transact(writes: Posted<Write>[]): boolean[][] {
    begin.run();
    try {
      const answers = writes.map(({ request }) => write(request));
      commit.run();
      return answers;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  /** All in one; when that fails each alone, so that the one that is too large for the disk fails no other. */
  function commitAll(writes: Posted<Write>[]): void {
    try {
      const answers = transact(writes);
      for (const [index, { id }] of writes.entries()) reply({ id, answer: answers[index] });
    } catch (error) {
      if (writes.length > 1) for (const one of writes) commitAll([one]);
      else for (const { id } of writes) reply({ id, failure: toFailure(error) });
    }
  }

  function answering<R>(posted: Posted<R>[], work: (request: R) => Answers[keyof Answers]): void {
    for (const { id, request } of posted) {
      try {
        reply({ id, answer: work(request) });
      } catch (error) {
        reply({ id, failure: toFailure(error) });
      }
    }
  }

  function maintain(request: Upkeep): undefined {
    if (request.op === 'close') db.close();
    else if (db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy !== 0)
      throw new Error('checkpoint not completed');
  }

  return (batch) => {
    const { reads, writes, upkeep } = sorted(batch);
    // First, from what is committed: a read never waits for the fsync of the writes posted with it.
    answering(reads, read);
    if (writes.length > 0) commitAll(writes);
    answering(upkeep, maintain);
  };
}

function sorted(batch: Posted<Request>[]) {
  const reads: Posted<Read>[] = [];
  const writes: Posted<Write>[] = [];
  const upkeep: Posted<Upkeep>[] = [];
  for (const { id, request } of batch) {
    if (request.op === 'get' || request.op === 'list') reads.push({ id, request });
    else if (request.op === 'set' || request.op === 'delete') writes.push({ id, request });
    else upkeep.push({ id, request });
  }
  return { reads, writes, upkeep };
}

function textOrNothing(value: unknown): string | undefined {
  return value === undefined ? undefined : text(value);
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a stored value is no text');
  return value;
}

function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) };
  const failure: Failure = { message: error.message };
  if ('errcode' in error && typeof error.errcode === 'number') failure.sqlite = error.errcode & 0xff;
  if ('code' in error && typeof error.code === 'string') failure.code = error.code;
  return failure;
}

function main(port: MessagePort): void {
  const reply = (message: Reply) => port.postMessage(message);
  const waiting: Posted<Request>[] = [];
  try {
    const handle = serve(openDatabase(workerData.path), reply);
    port.on('message', (posted: Posted<Request>) => {
      // By the time the immediate runs, all that was posted during the last batch has arrived.
      if (waiting.push(posted) > 1) return;
      setImmediate(() => {
        const batch = waiting.splice(0);
        handle(batch);
        if (batch.some(({ request }) => request.op === 'close')) port.close();
      });
    });
    reply({ id: 0, answer: undefined });
  } catch (error) {
    reply({ id: 0, failure: toFailure(error) });
  }
}

if (parentPort) main(parentPort);
