import { constants, DatabaseSync } from 'node:sqlite';
import { type RowLimits, rowsText } from './sql-rows.ts';
import type { Table } from './sql-schema.ts';
import { hasMore } from './sql-statement.ts';

/**
 * A program of its own, so that it can be ended whatever it does: a thread that counts for ever inside SQLite cannot
 * be. It reads one file and answers one question at a time. Whoever starts it limits its memory and its time.
 */

export type Request = { op: 'tables' } | { op: 'query'; sql: string; limits: RowLimits };

type Answer =
  | { kind: 'tables'; tables: Table[] }
  | { kind: 'rows'; text: string }
  /** We do not let it. */
  | { kind: 'refused'; reason: string }
  /** SQLite's own words, for whoever wrote the query. */
  | { kind: 'failed'; message: string };

export type Reply = Answer & { cpuMs: number };

const busyMs = 1000;

const sizes = {
  /** Of any value or row. */
  length: 8_000_000,
  sqlLength: 20_000,
  compoundSelect: 100,
  likePatternLength: 1000,
  attach: 0,
};

const allowed: ReadonlySet<number> = new Set([
  constants.SQLITE_SELECT,
  constants.SQLITE_READ,
  constants.SQLITE_FUNCTION,
  constants.SQLITE_RECURSIVE,
]);

/** What reaches beyond the data: files, other code, the insides of full-text search. */
const refusedFunctions = new Set(['load_extension', 'readfile', 'writefile', 'edit', 'fts3_tokenizer', 'fts5']);

/** So full-text search sees whether the file has changed. */
const harmlessPragma = 'data_version';

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyMs, limits: sizes });
  // What is sorted or put aside stays in memory, which is limited, and never fills a disk.
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF');
  return db;
}

function readTables(db: DatabaseSync): Table[] {
  db.setAuthorizer(null);
  const shadows = `SELECT name FROM pragma_table_list WHERE type = 'shadow'`;
  const tables = db.prepare(
    `SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
     AND sql IS NOT NULL AND name NOT IN (${shadows}) ORDER BY rowid LIMIT 500`,
  );
  const columns = db.prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1');
  return tables.all().map(({ name, sql }) => ({
    name: String(name),
    sql: String(sql),
    columns: namesIn(() => columns.all(String(name))),
  }));
}

/** A view over what is no longer there has no columns. */
function namesIn(read: () => Record<string, unknown>[]): string[] {
  try {
    return read().map(({ name }) => String(name));
  } catch {
    return [];
  }
}

function query(db: DatabaseSync, sql: string, limits: RowLimits): Answer {
  let denied: string | undefined;
  db.setAuthorizer((action, first, second) => {
    const isAllowed =
      allowed.has(action) &&
      !(action === constants.SQLITE_FUNCTION && refusedFunctions.has(second?.toLowerCase() ?? ''));
    if (isAllowed || (action === constants.SQLITE_PRAGMA && first === harmlessPragma)) return constants.SQLITE_OK;
    denied = [nameOf(action), first, second].filter((part) => part).join(' ');
    return constants.SQLITE_DENY;
  });
  try {
    const statement = db.prepare(sql);
    if (hasMore(sql, statement.sourceSQL.length)) {
      return { kind: 'refused', reason: 'only one statement at a time is allowed' };
    }
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    const columns = statement.columns().map(({ name }) => name);
    return { kind: 'rows', text: rowsText(columns, statement.iterate(), limits) };
  } catch (error) {
    if (denied !== undefined) return { kind: 'refused', reason: `only reading is allowed (${denied})` };
    return { kind: 'failed', message: error instanceof Error ? error.message : 'unknown' };
  }
}

function nameOf(action: number): string {
  const actions = Object.entries(constants).filter(([name]) => !/CHANGESET|_OK$|_DENY$|_IGNORE$/.test(name));
  const found = actions.find(([, code]) => code === action)?.[0] ?? 'SQLITE_SOMETHING_ELSE';
  return found.replace('SQLITE_', '').replaceAll('_', ' ').toLowerCase();
}

function answer(path: string, request: Request): Answer {
  try {
    // Opened anew each time: the file may have been replaced.
    using db = open(path);
    if (request.op === 'tables') return { kind: 'tables', tables: readTables(db) };
    return query(db, request.sql, request.limits);
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : 'unknown' };
  }
}

const path = process.argv[2] ?? '';
process.on('message', (request: Request) => {
  const { user, system } = process.cpuUsage();
  const reply: Reply = { ...answer(path, request), cpuMs: (user + system) / 1000 };
  process.send?.(reply);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
