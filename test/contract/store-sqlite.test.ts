import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { openStore } from '../../src/storage/open.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { createStore, record, type Store } from '../../src/storage/store.ts';
import { isStoreError, note } from './store.ts';

/** What only a store in a file can do: outlive its process, be locked, be damaged, run out of disk, and forget. */

const base = mkdtempSync(join(tmpdir(), 'store-'));
after(() => rmSync(base, { recursive: true }));

let dirs = 0;
const newPath = () => join(base, String(dirs++), 'memory.db');

const opened: Store[] = [];
after(() => Promise.allSettled(opened.map((store) => store.close())));

async function open(path: string): Promise<Store> {
  const store = await openStore(`sqlite:${path}`);
  opened.push(store);
  return store;
}

const childFile = fileURLToPath(new URL('./store-child.ts', import.meta.url));

type Child = ChildProcessByStdio<null, Readable, null>;

const started: Child[] = [];
after(() => {
  for (const child of started) child.kill('SIGKILL');
});

function startChild(program: string, path: string): Child {
  const child = spawn(process.execPath, [childFile, program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

/** The last line that the child printed. */
function runChild(command: string[]): { said: unknown; status: number | null } {
  const [file = '', ...args] = command;
  const { stdout, status } = spawnSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  return { said: JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), status };
}

const nodeChild = (program: string, path: string) => [process.execPath, childFile, program, path];

/** A file system of its own for the child, which goes with it. Needs user namespaces, where it does not run as root. */
const mounting = (script: string, ...args: string[]) => [
  'unshare',
  '--map-root-user',
  '--mount',
  'sh',
  '-ec',
  script,
  ...args,
];
const cannotMount =
  spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? false
    : 'this system lets nobody mount a file system of their own';

/** By another process: to close a file that SQLite has open in this one would drop its lock. */
function bytesOnDisk(path: string): string {
  const files = readdirSync(dirname(path)).map((name) => join(dirname(path), name));
  return execFileSync('cat', files, { encoding: 'latin1', maxBuffer: 1 << 30 });
}

test('what was committed is there after closing and opening again, in files for the owner only', async () => {
  const path = join(dirname(newPath()), 'made', 'on the way', 'memory.db');
  const first = await open(path);
  await first.commit([record(note, 'a', { text: 'one' })]);
  for (const name of readdirSync(dirname(path)))
    assert.equal(statSync(join(dirname(path), name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  await first.close();
  assert.deepEqual(readdirSync(dirname(path)), ['memory.db']);
  const second = await open(path);
  assert.deepEqual(await second.get(note, 'a'), { text: 'one' });
  await second.close();
});

test('a program that has closed its store ends by itself', () => {
  assert.deepEqual(runChild(nodeChild('write', newPath())), { said: 'closed', status: 0 });
});

test('a second opening in the same process is refused, and the first one goes on', async () => {
  const path = newPath();
  const store = await open(path);
  await assert.rejects(open(path), { kind: 'config', message: `${path} is in use by another Channelore` });
  await store.commit([record(note, 'a', { text: 'one' })]);
  const { said } = runChild(nodeChild('hold', path));
  assert.equal(said, `config: ${path} is in use by another Channelore`);
  await store.close();
});

test('a second process is refused, also when nothing is written, and the lock goes with a killed process', async () => {
  const path = newPath();
  await (await open(path)).close();
  const holder = startChild('hold', path);
  await once(holder.stdout, 'data');
  await assert.rejects(open(path), { kind: 'config', message: `${path} is in use by another Channelore` });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const store = await open(path);
  await store.close();
});

test('of five processes that start at once, one gets the store', async () => {
  const path = newPath();
  const children = Array.from({ length: 5 }, () => startChild('hold', path));
  const said = await Promise.all(children.map(async (child) => String(await once(child.stdout, 'data')).trim()));
  assert.deepEqual(said.filter((line) => line === '"open"').length, 1, said.join());
  assert.equal(said.filter((line) => line.includes('in use')).length, 4, said.join());
});

test('kill -9 loses no acknowledged commit and leaves none in half', async () => {
  const path = newPath();
  const acknowledged = new Set<string>();
  for (const [round, enough] of [1, 40, 150, 400, 90].entries()) {
    const child = startChild('write for ever', path);
    let count = 0;
    // Read to the end of the pipe, so that what was acknowledged while the signal was on its way counts too.
    for await (const line of createInterface(child.stdout)) {
      acknowledged.add(JSON.parse(line));
      if (++count === enough) child.kill('SIGKILL');
    }
    assert.ok(count >= enough, `round ${round} ended early`);
    const store = await open(path);
    const texts = async (half: string) =>
      new Map((await store.list(note, `${half}:`)).map((each) => [each.id.slice(half.length + 1), each.read().text]));
    const [first, second] = [await texts('first'), await texts('second')];
    for (const id of acknowledged) assert.equal(first.get(id), `${id} `.repeat(200));
    assert.deepEqual(first, second);
    await store.close();
  }
});

test('writes that arrive while another is being committed share a transaction', async () => {
  const logBytes = async (count: number, together: boolean) => {
    const path = newPath();
    const store = await open(path);
    const commits = [store.commit([record(note, 'large', { text: 'x'.repeat(2_000_000) })])];
    for (let index = 0; index < count; index++) {
      if (!together) await commits.at(-1);
      commits.push(store.commit([record(note, 'a', { text: `${index}` })]));
    }
    await Promise.all(commits);
    return statSync(`${path}-wal`).size;
  };
  const large = await logBytes(0, true);
  const together = (await logBytes(100, true)) - large;
  const oneByOne = (await logBytes(100, false)) - large;
  assert.ok(together < oneByOne / 10, `${together} of ${oneByOne} bytes`);
});

test('a write that cannot be done fails alone among those it came with', async () => {
  const backend = await openSqlite(newPath());
  opened.push(createStore(backend));
  const entry = (key: string) => ({ key, value: key });
  const results = await Promise.allSettled([
    backend.setMany([entry('a')]),
    backend.setMany([entry('b'), { key: 'c', value: JSON.parse('null') }, entry('d')]),
    backend.deleteMany(['a']),
    backend.setMany([entry('e')]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.deepEqual(await backend.getMany(['a', 'b', 'c', 'd', 'e']), [undefined, undefined, undefined, undefined, 'e']);
});

test('the write-ahead log does not grow for ever', async () => {
  const path = newPath();
  const store = await open(path);
  for (let round = 0; round < 40; round++) {
    await store.commit(
      Array.from({ length: 20 }, (_, index) => record(note, `${index}`, { text: `${round} `.repeat(20_000) })),
    );
  }
  assert.ok(statSync(`${path}-wal`).size < 20_000_000, String(statSync(`${path}-wal`).size));
  await store.close();
});

test('erased and overwritten words are in no file any more', async () => {
  const path = newPath();
  const store = await open(path);
  const text = (word: string) => ({ text: `${word} `.repeat(30) });
  await store.commit([
    record(note, 'a', text('SECRET-erased')),
    record(note, 'b', text('SECRET-old')),
    record(note, 'c', text('kept')),
  ]);
  assert.match(bytesOnDisk(path), /SECRET-erased/);
  await store.commit([record(note, 'b', text('new'))]);
  await store.erase(['note:a']);
  const bytes = bytesOnDisk(path);
  assert.doesNotMatch(bytes, /SECRET/);
  assert.match(bytes, /kept/);
  await store.commit([record(note, 'b', text('SECRET-again'))]);
  await store.commit([record(note, 'b', text('newer'))]);
  await store.erase([]);
  assert.doesNotMatch(bytesOnDisk(path), /SECRET/);
  await store.close();
});

test('after thousands of changes of every size, only the words still stored are in the files', async () => {
  const path = newPath();
  const store = await open(path);
  const live = new Map<string, string>();
  const random = generator(7);
  for (let change = 0; change < 4000; ) {
    const work: Promise<void>[] = [];
    for (let end = change + 100; change < end; change++) {
      const id = `${random(300)}`.padEnd(random(60), '-');
      const word = `<word ${change}>`;
      const size = [10, 100, 800, 3000, 20_000][random(5)] ?? 0;
      live.set(id, word);
      work.push(store.commit([record(note, id, { text: word.repeat(1 + random(size) / word.length) })]));
    }
    const erased = [...live.keys()].filter(() => random(8) === 0);
    await Promise.all(work);
    await store.erase(erased.map((id) => `note:${id}`));
    for (const id of erased) live.delete(id);
  }
  const left = new Set(bytesOnDisk(path).match(/<word \d+>/g));
  assert.deepEqual([...left].sort(), [...live.values()].sort());
  await store.close();
});

const diskFull = {
  before: 'done',
  beside: 'done',
  after: 'done',
  read: 'done',
  later: 'done',
  ids: ['after', 'before', 'beside', 'later'],
};

test('on a full disk the write that does not fit fails, the others are done, and reading goes on', {
  skip: cannotMount,
}, () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  const script = 'mount -t tmpfs -o size=4m none "$0"; exec "$@"';
  const { said } = runChild(mounting(script, dirname(path), ...nodeChild('fill the disk', path)));
  assert.deepEqual(said, { ...diskFull, large: 'store: the memory failed: the disk is full' });
});

test('where a file may not grow further, the write fails and what was done before is kept', async () => {
  const path = newPath();
  const script = 'ulimit -f 8000; exec "$0" "$@"';
  const { said } = runChild(['sh', '-c', script, ...nodeChild('fill the disk', path)]);
  assert.deepEqual(said, { ...diskFull, large: 'store: the memory failed: the disk is full or failing' });
  const store = await open(path);
  assert.deepEqual(
    (await store.list(note, '')).map(({ id }) => id),
    diskFull.ids,
  );
  await store.close();
});

test('on a disk that is full from the start, opening says so', { skip: cannotMount }, () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  const script = 'mount -t tmpfs -o size=8k none "$0"; head -c 8192 /dev/zero > "$0/other" || true; exec "$@"';
  const { said } = runChild(mounting(script, dirname(path), ...nodeChild('write', path)));
  assert.match(String(said), /^store: .*memory\.db cannot be opened: the disk is full/);
});

const notWritable = /^config: .*memory\.db cannot be written: check the path/;

test('a file system that is read-only is refused, whether the file is there or not', { skip: cannotMount }, () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  const remount = 'mount -o remount,ro none "$0"; exec "$@"';
  const empty = runChild(mounting(`mount -t tmpfs none "$0"; ${remount}`, dirname(path), ...nodeChild('write', path)));
  assert.match(String(empty.said), notWritable);
  const filled = runChild(
    mounting(`mount -t tmpfs none "$0"; "$@"; ${remount}`, dirname(path), ...nodeChild('write', path)),
  );
  assert.match(String(filled.said), notWritable);
});

test('a directory without the right to write is refused', {
  skip: process.getuid?.() === 0 && 'root may write anywhere',
}, async () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  chmodSync(dirname(path), 0o500);
  await assert.rejects(open(path), { kind: 'config', message: /cannot be written/ });
});

test('a path under a file, or that is a directory, is refused', async () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  await assert.rejects(open(join(path, 'memory.db')), { kind: 'config', message: /cannot be written: check the path/ });
  await assert.rejects(open(dirname(path)), { kind: 'config', message: /cannot be written: check the path/ });
});

test('a file of something else is refused and left as it was', async () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  const letter = 'Dear reader, this is a letter and no database. '.repeat(100);
  writeFileSync(path, letter);
  await assert.rejects(open(path), { kind: 'store', message: `${path} cannot be opened: the data file is damaged` });
  assert.equal(readFileSync(path, 'utf8'), letter);
});

test("another program's database is refused and left as it was", async () => {
  const path = newPath();
  mkdirSync(dirname(path), { recursive: true });
  alter(path, 'CREATE TABLE songs (title TEXT)');
  const before = readFileSync(path);
  await assert.rejects(open(path), { kind: 'config', message: `${path} is a database, but not Channelore's` });
  assert.deepEqual(readFileSync(path), before);
});

test('a file of a newer version of the program is refused', async () => {
  const path = newPath();
  await (await open(path)).close();
  alter(path, 'PRAGMA user_version = 2');
  await assert.rejects(open(path), { kind: 'config', message: `${path} was written by a newer Channelore` });
});

test('where a part of the file is overwritten, what it held is an error and never missing', async () => {
  const path = newPath();
  const ids = Array.from({ length: 300 }, (_, index) => String(index).padStart(3, '0'));
  const text = (id: string) => `${id} `.repeat(300);
  const store = await open(path);
  await store.commit(ids.map((id) => record(note, id, { text: text(id) })));
  await store.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, bytes.length / 4, bytes.length / 2);
  writeFileSync(path, bytes);

  const damaged = await open(path);
  const outcomes = await Promise.allSettled(ids.map((id) => damaged.get(note, id)));
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') assert.equal(outcome.value?.text, text(ids[index] ?? ''));
    else isStoreError(/./)(outcome.reason);
  }
  assert.ok(outcomes.some(({ status }) => status === 'rejected'));
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
  await damaged.close();
});

test('when the thread of the store ends, everything asked of it is an error and nothing hangs', async () => {
  const starting = once(process, 'worker');
  const store = createStore(await openSqlite(newPath()));
  const [worker]: Worker[] = await starting;
  const pending = Array.from({ length: 50 }, (_, index) =>
    store.commit([record(note, `${index}`, { text: 'x'.repeat(100_000) })]),
  );
  void worker?.terminate();
  const outcomes = await Promise.allSettled(pending);
  for (const outcome of outcomes) if (outcome.status === 'rejected') isStoreError(/thread/)(outcome.reason);
  assert.ok(outcomes.some(({ status }) => status === 'rejected'));
  await assert.rejects(store.get(note, '0'), isStoreError(/thread .*ended/));
  await assert.rejects(store.commit([record(note, 'a', { text: '' })]), isStoreError(/thread .*ended/));
  await assert.rejects(store.close(), isStoreError(/thread .*ended/));
});

test('an address of another kind is refused without a word of its password', async () => {
  for (const url of ['', 'sqlite:', 'file:///tmp/x', 'mysql://bot:hunter2@db/x']) {
    await assert.rejects(
      openStore(url),
      (error: Error) => !error.message.includes('hunter2') && 'kind' in error && error.kind === 'config',
    );
  }
  assert.equal(existsSync('sqlite:'), false);
});

function alter(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/** Whole numbers below `limit`, the same at every run: what SQLite leaves behind depends on the exact history. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
}
