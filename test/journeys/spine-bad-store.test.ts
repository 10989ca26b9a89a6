import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, type Program, say, shownOf, startProgram } from './program.ts';

/** A data directory that is damaged, full, taken or closed: nothing in it is lost, and everybody knows where they are. */

const key = { OPENAI_API_KEY: 'sk-test-key' };
const fileIn = (folder: string) => path.join(folder, 'channelore.db');

/** Changes records as they stand in the file; gives back what was there. */
function alter(folder: string, like: string, change: (value: string) => string): Map<string, string> {
  const db = new DatabaseSync(fileIn(folder));
  const before = new Map<string, string>();
  for (const row of db.prepare('SELECT key, value FROM records WHERE key LIKE ?').all(like)) {
    before.set(String(row.key), String(row.value));
    db.prepare('UPDATE records SET value = ? WHERE key = ?').run(change(String(row.value)), String(row.key));
  }
  db.close();
  assert.ok(before.size > 0, `no ${like} in the file`);
  return before;
}

function restore(folder: string, records: Iterable<[string, string]>): void {
  const db = new DatabaseSync(fileIn(folder));
  const write = db.prepare('UPDATE records SET value = ? WHERE key = ?');
  for (const [name, value] of records) write.run(value, name);
  db.close();
}

async function turnsOf(program: Program, channel: string): Promise<string[]> {
  const { files = [] } = await program.ending(order(program, 'memory export', { channel }));
  return JSON.parse(files[0]?.content ?? '{}').turns.map((turn: { text: string }) => turn.text);
}

async function ask(program: Program, channel: string, text: string): Promise<string> {
  const id = say(program, text, { channel });
  await program.ending(id);
  return id;
}

const waiting = (program: Program, id: string) =>
  program.line((line) => line.id === id && line.type === 'say' && line.key === 'waiting');

/** Ends without having begun: the exit code and what it said. */
async function refusedStart(env: Record<string, string>, within: string[] = []) {
  const program = startProgram({ env, within });
  const code = await program.ended;
  return { code, said: program.errors() + program.output() };
}

const truncated = (value: string) => value.slice(0, value.length / 2);
const garbage = () => '{"value":{"v":1,"d":"what?"}}';
const newer = (value: string) => value.replace('"v":1', '"v":999');

const cannotLimit =
  spawnSync('prlimit', ['--version']).status === 0 ? false : 'this system has no prlimit to fill the disk with';

/** From now on no file of the program's may grow, as on a full disk; or they may again. */
function fillDisk(program: Program, isFull: boolean): void {
  const limit = isFull ? '1:unlimited' : 'unlimited:unlimited';
  const { status } = spawnSync('prlimit', ['--pid', String(program.child.pid), `--fsize=${limit}`]);
  assert.equal(status, 0);
}

const mount = ['unshare', '--map-root-user', '--mount'] as const;
const [command, ...mountArgs] = mount;
const cannotMount =
  spawnSync(command, [...mountArgs, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? false
    : 'this system lets nobody mount anything';

describe('the data', { concurrency: true }, () => {
  const damages = [
    {
      what: 'page',
      like: 'page:lines/local/page:%',
      change: truncated,
      says: /page:lines\/local\/page:\S+ is damaged/,
    },
    { what: 'head', like: 'head:lines/local/head', change: garbage, says: /head:lines\/local\/head is damaged/ },
    { what: 'half', like: 'head:lines/local/half', change: truncated, says: /head:lines\/local\/half is damaged/ },
    { what: 'newer', like: 'page:lines/local/newer:%', change: newer, says: /written by a newer version/ },
  ];

  test('a damaged record: each question there ends in one line, all others are answered, and nothing is lost', async (t) => {
    let isSilent = false;
    const server = await startModelServer({
      answer: ({ n }) => (isSilent ? { hang: 'before-headers' } : `answer ${n}`),
    });
    t.after(() => server.close());
    const folder = newFolder(t);
    const env = { ...key, DATA_DIR: folder, OPENAI_BASE_URL: server.url };
    const channels = [...damages.map(({ what }) => what), 'fine'];

    const first = startProgram({ env });
    await Promise.all(channels.map((channel) => ask(first, channel, `My cat in ${channel} is Mirabelle.`)));
    isSilent = true;
    // Of these nothing but the inbox knows when the program is killed.
    const [spoiled = '', pending = ''] = ['spoiled', 'pending'].map((channel) => say(first, 'Hello?', { channel }));
    await server.asked(channels.length + 2);
    await first.signal('SIGKILL');
    isSilent = false;
    const before = damages.flatMap(({ like, change }) => [...alter(folder, like, change)]);
    before.push(...alter(folder, 'inbox:lines/local/spoiled:%', truncated));

    const second = startProgram({ env });
    await second.ending(pending);
    await ask(second, 'fine', 'And here?');
    const told = await Promise.all(
      damages.flatMap(({ what: channel }) => {
        const ids = ['What is my cat called?', 'What is it?'].map((text) => say(second, text, { channel }));
        return ids.map((id) => second.line((line) => line.id === id && line.type === 'say'));
      }),
    );
    for (const { text } of told)
      assert.match(text ?? '', /^⚠️ A part of what I remember here is damaged[^\n]+admin[^\n]+$/);
    assert.equal(await second.signal('SIGTERM'), 0);
    for (const { says } of damages) assert.match(second.errors(), says);
    assert.match(second.errors(), /"entry":"lines\/local\/spoiled:[^\n]*an event in the inbox cannot be read/);
    assert.doesNotMatch(second.errors(), /Mirabelle|What is/);
    assert.equal(server.requests.length, channels.length + 4, 'nothing was asked without its memory');

    restore(folder, before);
    const third = startProgram({ env });
    for (const { what } of damages) {
      await ask(third, what, 'What is my cat called?');
      assert.match(JSON.stringify(server.requests.at(-1)?.body), new RegExp(`My cat in ${what} is Mirabelle`));
      assert.equal((await turnsOf(third, what)).length, 4);
    }
    await third.ending(spoiled);
    assert.equal((await turnsOf(third, 'spoiled')).length, 2);
    assert.equal(await third.end(), 0);
  });

  test('a second program on the same data is refused, and the first one goes on', async (t) => {
    const server = await startModelServer();
    t.after(() => server.close());
    const env = { ...key, DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url };
    const program = startProgram({ env });
    await ask(program, 'room', 'Hello?');
    const { code, said } = await refusedStart(env);
    assert.equal(code, 78);
    assert.match(said, /^channelore: \S+channelore\.db is in use by another Channelore\n$/);
    await ask(program, 'room', 'And now?');
    assert.equal((await turnsOf(program, 'room')).length, 4);
    assert.equal(await program.end(), 0);
  });

  test('a full disk in the middle of a talk: one line says so, and all is answered once there is room', {
    skip: cannotLimit,
  }, async (t) => {
    const gate = Promise.withResolvers<void>();
    const server = await startModelServer({
      answer: ({ last, n }) =>
        last.includes('slow') && n < 3 ? { pieces: ['begun ', gate.promise, 'ended'] } : `answer ${n}`,
    });
    t.after(() => server.close());
    const program = startProgram({ env: { ...key, DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url } });
    await ask(program, 'quiet', 'Hello?');
    const slow = say(program, 'A slow question', { channel: 'slow' });
    await program.line((line) => line.id === slow && line.type === 'write');
    const behind = say(program, 'And behind it?', { channel: 'slow' });
    await program.line((line) => line.id === behind && line.type === 'accepted');

    fillDisk(program, true);
    const refused = say(program, 'Is anybody there?', { channel: 'quiet' });
    const error = await program.line((line) => line.id === refused && line.type === 'error');
    assert.match(String(error.message), /^⚠️ I cannot reach my memory just now[^\n]+$/);
    gate.resolve();
    const line = await waiting(program, slow);
    assert.match(line.text ?? '', /^⚠️ I cannot reach my memory just now[^\n]+$/);
    fillDisk(program, false);

    await program.ending(behind);
    assert.deepEqual((await turnsOf(program, 'slow')).length, 4);
    const { text, messageIds } = shownOf(program.lines, { channel: 'slow', id: slow });
    assert.equal(text, (await turnsOf(program, 'slow'))[1]);
    assert.deepEqual(messageIds, [`${slow}.0`]);
    await ask(program, 'quiet', 'And now?');
    assert.deepEqual(
      (await turnsOf(program, 'quiet')).filter((one) => one.endsWith('?')),
      ['Hello?', 'And now?'],
    );
    assert.match(program.errors(), /the disk is full/);
    assert.equal(await program.end(), 0);
  });

  describe('a data directory that cannot be used ends the start in one line', { concurrency: true }, () => {
    test('where it is a file', async (t) => {
      const file = path.join(newFolder(t), 'a-file');
      writeFileSync(file, '');
      const { code, said } = await refusedStart({ DATA_DIR: file });
      assert.equal(code, 78);
      assert.match(said, /^channelore: \S+channelore\.db cannot be written: check the path and who may write there\n$/);
    });

    test('where it is read-only', { skip: cannotMount }, async (t) => {
      const folder = newFolder(t);
      const script = 'mount -t tmpfs none "$0"; mount -o remount,ro none "$0"; exec "$@"';
      const { code, said } = await refusedStart({ DATA_DIR: folder }, [...mount, 'sh', '-ec', script, folder]);
      assert.equal(code, 78);
      assert.match(said, /^channelore: \S+channelore\.db cannot be written: check the path and who may write there\n$/);
    });

    test('where the data file is of something else, which is left as it was', async (t) => {
      const folder = newFolder(t);
      mkdirSync(folder, { recursive: true });
      const letter = 'Dear reader, this is a letter and no database. '.repeat(100);
      writeFileSync(fileIn(folder), letter);
      const { code, said } = await refusedStart({ DATA_DIR: folder });
      assert.equal(code, 1);
      assert.match(said, /^channelore: \S+channelore\.db cannot be opened: the data file is damaged\n$/);
      assert.equal(readFileSync(fileIn(folder), 'utf8'), letter);
    });
  });
});
