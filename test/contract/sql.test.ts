import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import { openDatabaseTool } from '../../src/tools/sql.ts';
import { endless, failing, forbidden } from './sql-attempts.ts';

/** `ask_database` over a real file, with real children. */

const folder = mkdtempSync(path.join(tmpdir(), 'channelore-sql-'));
const file = path.join(folder, 'desk.db');
const lines: string[] = [];
const log = createLog({
  level: 'debug',
  format: 'json',
  secrets: [],
  destination: { write: (line) => lines.push(line) },
});
const channel = toChannelId({ platform: 'test', workspace: 'w', channel: 'c' });

make(file, '');
const before = stateOf(folder);
const limitMs = 400;
const database = await openDatabaseTool({ file, log, limitMs });
after(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});

function make(at: string, more: string): void {
  using db = new DatabaseSync(at);
  db.exec(`
    CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
    INSERT INTO tickets VALUES (1, 'Printer on fire'), (2, 'No coffee');
    CREATE VIEW open_tickets AS SELECT title FROM tickets;
    CREATE VIRTUAL TABLE notes USING fts5(body);
    INSERT INTO notes VALUES ('the printer smells'), ('buy beans');
    CREATE TABLE words (word TEXT, picture BLOB, big INTEGER);
    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500)
    INSERT INTO words SELECT 'word ' || n, zeroblob(10), 9007199254740993 FROM c;
    ${more}
  `);
}

function stateOf(where: string): string {
  const names = readdirSync(where).sort();
  return names
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(path.join(where, name)))
          .digest('hex')}`,
    )
    .join('\n');
}

async function ask(query: unknown, signal = new AbortController().signal): Promise<string> {
  const [tool] = await database.tools();
  assert.equal(tool?.name, 'ask_database');
  return await tool.run({ query }, { channel, signal, now: 0 });
}

/** What comes of a query: what is answered, or the kind and the words of what is thrown. */
async function outcome(query: string): Promise<string> {
  return await ask(query).catch((error: unknown) => {
    assert.ok(error instanceof BotError, String(error));
    return `${error.kind}: ${error.message}`;
  });
}

test('a question is answered with the names of the columns and a line for each row', async () => {
  assert.equal(
    await ask('SELECT id, title FROM tickets ORDER BY id'),
    '["id","title"]\n[1,"Printer on fire"]\n[2,"No coffee"]',
  );
  assert.equal(await ask('SELECT title FROM open_tickets WHERE 0'), '["title"]\n[no rows]');
});

test('reading in all its forms is allowed, with comments, and a semicolon at the end', async () => {
  const all = [
    `select count(*) as n from tickets;`,
    `-- how many\nSELECT 2 AS n /* ; */ ; -- done;`,
    `/* a */ WITH t AS (SELECT 2 AS n) SELECT n FROM t ;;`,
    `VALUES (2)`,
    `SELECT count(*) FROM (SELECT ';' UNION SELECT 'DROP TABLE tickets; --')`,
    `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2) SELECT max(n) FROM c`,
    `SELECT id + 1 FROM tickets WHERE title LIKE 'printer%'`,
    `SELECT rowid + 1 FROM notes WHERE notes MATCH 'smells'`,
    `SELECT count(*) FROM sqlite_schema WHERE name IN ('tickets', 'words')`,
    `SELECT json_extract('{"a": 2}', '$.a')`,
  ];
  for (const query of all) assert.match(await ask(query), /^\["[^\n]+"\]\n\[2\]$/, query);
  assert.match(await ask('EXPLAIN QUERY PLAN SELECT * FROM tickets'), /SCAN tickets/);
});

test('what SQLite says of a wrong query goes back to the model, to mend it', async () => {
  assert.match(await ask('SELECT nme FROM tickets'), /^The query failed: no such column: nme/);
  assert.match(await ask('SELECT title FROM tickets WHERE title = "No coffee"'), /^The query failed: .*single-quotes/);
});

test('at most 100 rows come back, with a word that there are more', async () => {
  const told = (await ask('SELECT word FROM words')).split('\n');
  assert.equal(told.length, 102);
  assert.match(told.at(-1) ?? '', /^\[only the first 100 rows are shown/);
  assert.doesNotMatch(await ask('SELECT word FROM words LIMIT 100'), /are shown/);
});

test('long rows and long values are cut, bytes are named, large numbers are exact', async () => {
  const wide = await ask(`SELECT word, printf('%.900c', 'x') FROM words`);
  assert.ok(wide.length < 17_000);
  assert.match(wide, /would be too long; \d+ rows are shown/);
  assert.match(await ask(`SELECT printf('%.5000c', 'x')`), /x… \(5000 characters\)"\]$/);
  assert.match(await ask(`SELECT ${'('.repeat(1000)}1${')'.repeat(1000)}`), /^\["\({100}"\]\n\[1\]$/);
  assert.match(await ask('SELECT picture, big FROM words LIMIT 1'), /\["\(10 bytes\)","9007199254740993"\]$/);
});

test('no attempt to write, attach, steer or read elsewhere succeeds', async () => {
  for (const query of forbidden) assert.match(await outcome(query), /^input: /, query.slice(0, 100));
  for (const query of failing) assert.match(await outcome(query), /^(The query failed|input): /, query.slice(0, 100));
  assert.ok(forbidden.length + failing.length + endless.length > 100);
});

test('what never ends, or wants all memory, is ended in time, several at once', async () => {
  const begun = performance.now();
  await Promise.all(
    endless.map(async (query) => {
      assert.match(await outcome(query), /^input: .*(took longer|more memory)|^The query failed: out of memory/, query);
    }),
  );
  const each = (performance.now() - begun) / endless.length;
  assert.ok(each < limitMs + 1000, `${each} ms each`);
  assert.equal(await ask('SELECT 1 AS n'), '["n"]\n[1]');
});

test('after all that the file, and the folder it lies in, are as they were', () => {
  assert.equal(stateOf(folder), before);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith('channelore-stolen')),
    [],
  );
});

test('stopping the answer ends the query at once', async () => {
  const stop = new AbortController();
  const running = ask(endless[0], stop.signal);
  setTimeout(() => stop.abort(new BotError('stopped', 'enough')), 50);
  await assert.rejects(running, { kind: 'stopped', message: 'enough' });
  await assert.rejects(ask('SELECT 1', stop.signal), { kind: 'stopped' });
});

test('arguments that are no query are refused', async () => {
  for (const query of [undefined, 5, ['SELECT 1']]) await assert.rejects(ask(query), { name: 'ZodError' });
});

test('the description tells the tables, without the insides of full-text search, and follows the file', async () => {
  const [tool] = await database.tools();
  assert.match(tool?.description ?? '', /CREATE TABLE tickets \(id INTEGER PRIMARY KEY, title TEXT NOT NULL\)/);
  assert.match(tool?.description ?? '', /CREATE VIRTUAL TABLE notes USING fts5\(body\)/);
  assert.doesNotMatch(tool?.description ?? '', /notes_data/);
  assert.equal((await database.tools())[0], tool);

  const next = path.join(folder, 'next.db');
  make(next, 'CREATE TABLE rooms (name TEXT)');
  renameSync(next, file);
  const [changed] = await database.tools();
  assert.match(changed?.description ?? '', /CREATE TABLE rooms/);
  assert.equal(await ask('SELECT count(*) AS n FROM rooms'), '["n"]\n[0]');
});

test('many tables are told where the chat API has room for them', async () => {
  const large = path.join(folder, 'large.db');
  const tables = Array.from(
    { length: 30 },
    (_, n) => `CREATE TABLE goods_${n} (id INTEGER PRIMARY KEY, name TEXT NOT NULL)`,
  );
  make(large, tables.join(';'));
  const other = await openDatabaseTool({ file: large, log });
  const [tool] = await other.tools();
  assert.ok(tool !== undefined && tool.description.length <= 1024, 'OpenAI takes no longer description of a tool');
  assert.match(JSON.stringify(tool.parameters), /goods_0 .*goods_29 \(id INTEGER PRIMARY KEY, name TEXT NOT NULL\)/);
  await other.close();
});

test('a file that is gone is said once in the log, and to the model when it asks', async () => {
  renameSync(file, `${file}.away`);
  await database.tools();
  assert.match(await ask('SELECT 1'), /^The query failed: unable to open/);
  renameSync(`${file}.away`, file);
  assert.equal(await ask('SELECT 1 AS n'), '["n"]\n[1]');
  const warnings = lines.filter((line) => line.includes('"level":40') && line.includes('SQL_TOOL_FILE'));
  assert.equal(warnings.length, 1);
});

test('a file that is no database is a problem of the configuration', async () => {
  const other = path.join(folder, 'notes.txt');
  writeFileSync(other, 'these are no tables, however long they are. '.repeat(100));
  for (const wrong of [other, path.join(folder, 'missing.db'), folder]) {
    await assert.rejects(openDatabaseTool({ file: wrong, log }), { kind: 'config', message: /^SQL_TOOL_FILE: / });
  }
});

test('a database that another program is writing to can be read', async () => {
  const busy = path.join(folder, 'busy.db');
  make(busy, '');
  using writer = new DatabaseSync(busy);
  writer.exec(`PRAGMA journal_mode = WAL; INSERT INTO tickets VALUES (3, 'New'); BEGIN IMMEDIATE; DELETE FROM tickets`);
  const other = await openDatabaseTool({ file: busy, log });
  const [tool] = await other.tools();
  const use = { channel, signal: new AbortController().signal, now: 0 };
  assert.equal(await tool?.run({ query: 'SELECT count(*) AS n FROM tickets' }, use), '["n"]\n[3]');
  writer.exec('ROLLBACK; CREATE TABLE later (a)');
  assert.match((await other.tools())[0]?.description ?? '', /CREATE TABLE later/);
  await other.close();
});

test('the music sample says how to use it, can be asked, and is never written over', async () => {
  const music = path.join(folder, 'samples', 'music.db');
  const program = path.join(import.meta.dirname, '../../src/tools/sample-music.ts');
  const run = () => execFileSync(process.execPath, [program, music], { encoding: 'utf8' });
  assert.match(run(), /10 artists, 47 tracks\.\n.*SQL_TOOL_FILE=.*music\.db/);
  const bytes = readFileSync(music);
  assert.match(run(), /nothing was changed/);
  assert.deepEqual(readFileSync(music), bytes);
  const sample = await openDatabaseTool({ file: music, log });
  const query = `SELECT artists.name, count(*) AS tracks FROM artists JOIN albums ON artist_id = artists.id
    JOIN tracks ON album_id = albums.id GROUP BY artists.id ORDER BY tracks DESC, artists.name LIMIT 2`;
  const use = { channel, signal: new AbortController().signal, now: 0 };
  const told = await (await sample.tools())[0]?.run({ query }, use);
  assert.equal(told, '["name","tracks"]\n["The Beatles",8]\n["Miles Davis",7]');
  await sample.close();
});
