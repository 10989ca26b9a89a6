import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { type Event, toChannelId } from '../../src/event.ts';
import { sweep } from '../../src/housekeeping.ts';
import { createLog } from '../../src/log.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { openStore } from '../../src/storage/open.ts';
import { createStore } from '../../src/storage/store.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { chatter, contentOf, goodSummary, say, talk, textOf } from './memory-talk.ts';

/** What is taken back is out of every later request, and its bytes are out of the data file. */

const base = mkdtempSync(path.join(tmpdir(), 'erasing-'));
after(() => rmSync(base, { recursive: true }));

const secret = 'xylophone-4711';
const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm0' });
const cat = person('Cat');
const dayMs = 86_400_000;
const noon = Date.UTC(2026, 10, 3, 12);

/** By another process: to close a file that SQLite has open in this one would drop its lock. */
function bytesOf(folder: string): string {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  return execFileSync('cat', files, { encoding: 'latin1', maxBuffer: 1 << 30 });
}

interface Kept extends TestCore {
  folder: string;
}

/** Answers that say `echo …` say it again; summaries keep the secret. */
async function start(t: { after(run: () => Promise<void>): void }, env: Record<string, string> = {}): Promise<Kept> {
  const folder = mkdtempSync(path.join(base, 'case-'));
  const store = await openStore(`sqlite:${path.join(folder, 'memory.db')}`);
  const model = scriptedModel((request, n) => {
    if (request.purpose === 'fold') return textOf(request).includes(secret) ? `${goodSummary} ${secret}` : goodSummary;
    const asked = contentOf(request.messages.at(-1));
    const echo = /echo (.*)/.exec(asked)?.[1];
    return echo === undefined ? `Reply ${n}, briefly.` : `You said: ${echo}`;
  });
  const core = await startCore({ model, store, env: { MEMORY_TOKENS: '1000', STORE_URL: 'memory:', ...env } });
  t.after(async () => {
    await core.stop();
    await store.close();
  });
  return { ...core, folder };
}

const inThread = { channel: thread, branchedFrom: 'm0', to: 'thread' as const };
const words = `the word is ${secret} and nobody else may know it`;

/** Cat says the secret; it is answered, repeated, folded twice over, and stands before a thread. */
async function tellTheSecret(core: Kept, { isRepeated = true } = {}): Promise<void> {
  await core.send(message(0, `mark0x ${words}`, { author: cat }));
  if (isRepeated) {
    await core.send(message(1, `echo mark0x ${words}`, { author: cat }));
    await core.send(message(1000, `echo mark0x ${words}`, { ...inThread, author: cat }));
  }
  await core.send(message(1001, chatter(1001, 10), { ...inThread, author: person('Ann') }));
  await core.send(message(1002, chatter(1002, 10), { ...inThread, author: cat, to: 'mention' }));
  await talk(core, 2, 30);
  const { folds } = (await core.memory.conversations.read(room)).view;
  assert.ok((folds[0]?.level ?? 0) >= 2, 'folded twice over');
  assert.ok(textOf(core.model.answers().at(-1)).includes(secret), 'the summary knows it');
  await core.send(message(1003, 'mark1003x what do you know?', { ...inThread, author: cat, to: 'mention' }));
  assert.ok(textOf(core.model.answers().at(-1)).includes(secret), 'the thread knows it');
  assert.ok(bytesOf(core.folder).includes(secret));
}

/** In no request from now on, wherever it is asked, and nowhere in the files. */
async function assertGone(core: Kept, requestsBefore: number): Promise<void> {
  await core.memory.idle();
  assert.ok(!bytesOf(core.folder).includes(secret), 'not in the data file, nor in the WAL');
  await say(core, 800);
  await core.send(message(1004, 'and now?', { ...inThread, author: person('Bob'), to: 'mention' }));
  const shown = await core.send(command(801, 'export'));
  assert.ok(!JSON.stringify(shown).includes(secret));
  assert.ok(!JSON.stringify(await core.send(command(802, 'memory show'))).includes(secret));
  for (const request of core.model.requests.slice(requestsBefore)) assert.ok(!textOf(request).includes(secret));
  assert.ok(!bytesOf(core.folder).includes(secret));
}

const removal = (...ids: string[]): Event => ({
  kind: 'delete',
  id: `removal-${ids.join()}`,
  channel: room,
  at: noon,
  messageIds: ids,
  origin: {},
});
const edit = (id: string, text: string, n = 0): Event => ({
  kind: 'edit',
  id: `edit-${id}-${n}`,
  channel: room,
  at: noon + n,
  messageId: id,
  text,
  origin: {},
});
const housekeeping = (core: Kept, retentionDays?: number) =>
  sweep({
    store: core.store,
    memory: core.memory,
    inbox: core.inbox,
    audit: core.audit,
    auditDays: 365,
    retentionDays,
    log: createLog({ level: 'silent', format: 'json', secrets: [] }),
    now: core.now,
  });

/** What waits for messages that have not come yet, as it is stored. */
async function earlyChanges(core: Kept): Promise<string> {
  const kind = { name: 'late', version: 1, schema: z.unknown(), upgrades: {} };
  return (await core.store.list(kind, '')).map((one) => JSON.stringify(one.read())).join();
}

const ways: [string, (core: Kept) => Promise<unknown>][] = [
  ['its messages are deleted', (core) => core.send(removal('m0', 'm1'))],
  ['its author wants to be forgotten', (core) => core.send(command(900, 'forget me confirm', { author: cat }))],
  ['an admin has its author forgotten', (core) => core.send(command(900, 'forget user Cat confirm'))],
  ['everything is forgotten', (core) => core.send(command(900, 'forget everything confirm'))],
  ['as many messages are forgotten as there are', (core) => core.send(command(900, 'forget last 500 confirm'))],
];

for (const [what, erase] of ways) {
  test(`when ${what}, a secret leaves turns, folds, threads, repetitions and the data file`, async (t) => {
    const core = await start(t);
    await tellTheSecret(core);
    const asked = core.model.requests.length;
    await erase(core);
    if (what.startsWith('its messages') || what.startsWith('as many')) {
      // What was said in the thread is the thread's own.
      await core.send({ ...removal('m1000'), channel: thread });
    }
    await assertGone(core, asked);
  });
}

test('the answer in a thread that repeats a deleted message of its channel goes with it', async (t) => {
  const core = await start(t);
  await tellTheSecret(core);
  await core.send(removal('m0'));
  const turns = await core.memory.conversations.journal.turns(thread, { epoch: 1, from: 0, to: 1 });
  assert.deepEqual(
    turns.map((turn) => [turn.role, turn.erased]),
    [
      ['user', undefined],
      ['assistant', 'deleted'],
    ],
  );
});

test('an edit takes the old text out of turns, folds, threads and the data file, and the new one is folded', async (t) => {
  const core = await start(t);
  await tellTheSecret(core, { isRepeated: false });
  const asked = core.model.requests.length;
  await core.send(edit('m0', 'mark0x something harmless'));
  assert.ok(core.model.requests.slice(asked).some((one) => textOf(one).includes('something harmless')));
  await assertGone(core, asked);
  const [first] = (await core.memory.conversations.read(room)).view.folds;
  assert.equal(first?.from, 0, 'folded anew');
});

test('of two edits the later one stands, in whatever order they come', async (t) => {
  const core = await start(t, { LISTEN: 'all' });
  const now = async (id: string) => {
    const turns = await core.memory.conversations.journal.turns(room, { epoch: 1, from: 0, to: 100 });
    return turns.find((turn) => turn.id === id)?.text;
  };
  await core.send(message(0, 'first'));
  await core.send(edit('m0', 'third', 3));
  await core.send(edit('m0', 'second', 2));
  assert.equal(await now('m0'), 'third');
  await core.send(edit('m0', 'fourth', 4));
  assert.equal(await now('m0'), 'fourth');

  await core.send(message(1, 'as it was'));
  await core.send(edit('m1', 'as it was', 2));
  await core.send(edit('m1', 'not for long', 1));
  assert.equal(await now('m1'), 'as it was', 'changed and changed back');

  await core.send(edit('m2', 'third', 3));
  await core.send(edit('m2', 'second', 2));
  await core.send(message(2, 'first'));
  assert.equal(await now('m2'), 'third', 'before the message itself');
  await core.send(edit('m2', 'second again', 1));
  assert.equal(await now('m2'), 'third', 'and after it');
});

test('what expires is gone from turns, folds, threads and the data file; what is younger stays', async (t) => {
  const core = await start(t);
  await tellTheSecret(core);
  core.advance(40 * dayMs);
  const at = core.now();
  for (let n = 200; n < 220; n++) await core.send(message(n, chatter(n), { at: at + n }));
  for (let n = 300; n < 312; n++)
    await core.send(message(n, chatter(n, 5), { ...inThread, at: at + n, to: 'mention' }));
  const asked = core.model.requests.length;
  await housekeeping(core, 30);
  await housekeeping(core, 30);
  const kept = await core.memory.conversations.journal.turns(room, { epoch: 1, from: 0, to: 10_000 });
  assert.ok(kept.some((turn) => turn.text.startsWith('mark219x')));
  assert.ok(kept.every((turn) => turn.erased !== undefined || turn.at >= at - dayMs));
  await assertGone(core, asked);
});

test('retention takes nothing from a page that is being written to', async (t) => {
  const core = await start(t);
  await talk(core, 0, 2);
  core.advance(40 * dayMs);
  const expiring = core.memory.amending.expire(room, core.now() - 30 * dayMs);
  await core.intake.accept(message(3, chatter(3), { at: core.now() }));
  await expiring;
  await say(core, 4, 'echo anything');
  const turns = await core.memory.conversations.journal.turns(room, { epoch: 1, from: 0, to: 100 });
  assert.deepEqual(
    turns.filter((turn) => turn.role === 'user' && turn.erased === undefined).map((turn) => turn.id),
    ['m3', 'm4'],
  );
});

test('neither the events nor an edit that came early keep what is deleted', async (t) => {
  const core = await start(t, { LISTEN: 'all' });
  await core.send(edit('m0', `early ${words}`, 1));
  assert.match(await earlyChanges(core), /early/);
  await core.send(message(0, `first ${words}`));
  assert.doesNotMatch(await earlyChanges(core), /early/, 'its message has come: the text stands in the journal alone');
  assert.ok(textOf(core.model.answers().at(-1)).includes(`early ${words}`));
  await core.send(edit('m0', `later ${words}`, 2));
  await core.send(command(3, `ask echo ${words}`));
  assert.ok(bytesOf(core.folder).includes(secret));
  const asked = core.model.requests.length;
  await core.send(removal('m0'));
  await housekeeping(core);
  await assertGone(core, asked);
});

test('a message that is deleted before it could be recorded leaves nothing behind', async (t) => {
  const core = await start(t);
  await core.send(removal('m0'));
  await core.send(message(0, words));
  await core.send(edit('m0', `again ${words}`, 3));
  await core.send({ ...message(0, words), id: 'redelivered' });
  assert.equal(core.model.requests.length, 0);
  await housekeeping(core);
  assert.ok(!bytesOf(core.folder).includes(secret));
});

test('an edit whose message never comes is kept no longer than anything else', async (t) => {
  const core = await start(t, { LISTEN: 'all' });
  await core.send(edit('m77', words));
  await housekeeping(core, 3);
  assert.ok(bytesOf(core.folder).includes(secret), 'its message may yet come');
  core.advance(2 * dayMs);
  await housekeeping(core, 1);
  assert.equal(await earlyChanges(core), '');
  assert.ok(!bytesOf(core.folder).includes(secret));
});

test('an edit of a message that has expired is not kept', async (t) => {
  const core = await start(t);
  await talk(core, 0, 12);
  core.advance(40 * dayMs);
  await housekeeping(core, 30);
  await core.send(edit('m0', words));
  await housekeeping(core, 30);
  assert.ok(!bytesOf(core.folder).includes(secret));
});

test('other answers of a question that is deleted go too', async (t) => {
  const core = await start(t);
  await core.send(message(0, `echo ${words}`));
  await core.send(command(1, 'retry'));
  await core.send(command(2, 'retry'));
  const asked = core.model.requests.length;
  await core.send(removal('m0'));
  await assertGone(core, asked);
});

test('a thread that is being answered when its channel forgets something is answered anew without it', async (t) => {
  const core = await start(t);
  await core.send(message(0, `mark0x ${words}`, { author: cat }));
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  let isHeld = true;
  const stream = core.model.stream;
  core.model.stream = async function* (request: ModelRequest, signal: AbortSignal) {
    if (isHeld) {
      reached.resolve();
      await Promise.race([held.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    }
    yield* stream(request, signal);
  };
  await core.intake.accept(message(1000, 'what is the word?', { ...inThread, author: person('Ann'), to: 'mention' }));
  await reached.promise;
  isHeld = false;
  await core.intake.accept(command(900, 'forget last 1 confirm', { author: cat }));
  while (core.inbox.running() > 1) await new Promise((resolve) => setImmediate(resolve));
  held.resolve();
  while (core.inbox.running() + core.inbox.waiting() > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(core.outcomes.get('e1000')?.answer);
  assert.ok(!textOf(core.model.answers().at(-1)).includes(secret));
});

test('a fold that is void is out of reach even where its place cannot be cleared', async (t) => {
  const backend = createMemoryBackend();
  const deleteMany = () => Promise.reject(new Error('not now'));
  const model = scriptedModel((request) => {
    if (request.purpose !== 'fold') return 'Well.';
    return textOf(request).includes(secret) ? `${goodSummary} ${secret}` : goodSummary;
  });
  const store = createStore({ ...backend, deleteMany });
  const core = await startCore({ model, store, env: { MEMORY_TOKENS: '1000', STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(0, `mark0x ${words}`, { author: cat }));
  await talk(core, 1, 30);
  const { folds } = (await core.memory.conversations.read(room)).view;
  assert.ok(JSON.stringify(await core.memory.folds.texts(folds)).includes(secret));
  await core.send(removal('m0')).catch(() => undefined);
  await core.memory.idle();
  assert.ok(!JSON.stringify(await core.memory.folds.all(room)).includes(secret));
  assert.ok(!JSON.stringify(await core.memory.folds.texts(folds)).includes(secret));
  await core.send(message(1000, 'what is the word?', { ...inThread, author: cat, to: 'mention', branchedFrom: 'm30' }));
  assert.ok(!textOf(core.model.answers().at(-1)).includes(secret));
  const all = await backend.list({ from: 'a', to: '{', limit: undefined, reverse: false });
  assert.ok(!JSON.stringify(all).includes(secret));
});
