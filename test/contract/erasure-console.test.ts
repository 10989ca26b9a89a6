import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OwnThread } from '../../adapters/web/wire.ts';
import { createShelf } from '../../src/inspect/shelf.ts';
import { openStore } from '../../src/storage/open.ts';
import type { Store } from '../../src/storage/store.ts';
import { scriptedModel } from './core.ts';
import { startWebStage, type WebStage } from './web.ts';
import { openClient, until, type WebClient } from './web-client.ts';

/** What people take back leaves the console too: its lists, its notices, its files and what it keeps in the data file. */

const general = 'web/console/general';
const model = scriptedModel(({ purpose }) => (purpose === 'fold' ? 'A summary.' : 'An answer.'));

const pathTo = (what: string, channel = general): string => `/api/channels/${encodeURIComponent(channel)}/${what}`;

let posts = 0;
function newPost(): { id: string; at: number } {
  posts += 1;
  return { id: `message-${posts}`, at: Date.now() };
}

interface Console extends WebStage {
  store: Store;
  /** Everything in the data files, once nothing is under way. */
  bytes(): Promise<string>;
  quiet(): Promise<void>;
}

async function openConsole(t: TestContext, folder = newFolder(t)): Promise<Console> {
  const store = await openStore(`sqlite:${path.join(folder, 'channelore.db')}`);
  const stage = await startWebStage({ model, store });
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await stage.close();
    await store.close();
  };
  t.after(close);
  const quiet = async (): Promise<void> => {
    await until(() => stage.core.inbox.running() + stage.core.inbox.waiting() === 0, 'nothing is under way');
    await stage.core.memory.idle();
  };
  const bytes = async (): Promise<string> => {
    await quiet();
    return bytesOf(folder);
  };
  return { ...stage, close, quiet, store, bytes };
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'erasure-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function bytesOf(folder: string): string {
  return readdirSync(folder)
    .map((name) => readFileSync(path.join(folder, name), 'latin1'))
    .join('');
}

async function send(stage: Console, client: WebClient, text: string, more: object = {}): Promise<string> {
  const answer = await client.post(pathTo('messages'), { ...newPost(), text, uploads: [], ...more });
  assert.equal(answer.status, 202, answer.text);
  await stage.quiet();
  return JSON.parse(answer.text).id;
}

async function post(stage: Console, client: WebClient, what: string, body: object): Promise<void> {
  const answer = await client.post(pathTo(what), { ...newPost(), ...body });
  assert.equal(answer.status, 202, answer.text);
  await stage.quiet();
}

async function threadsOf(client: WebClient): Promise<OwnThread[]> {
  return JSON.parse((await client.call('/api/channels')).text).own[0].threads;
}

for (const [way, takeBack] of [
  ['deleted', (stage, ann, id) => post(stage, ann, 'deletions', { messageId: id })],
  ['forgotten', (stage, ann) => post(stage, ann, 'commands', { line: 'forget me confirm' })],
] satisfies [string, (stage: Console, ann: WebClient, id: string) => Promise<void>][]) {
  test(`a thread is named by its message: edited, it is renamed; ${way}, it has no name, for anybody or on disk`, async (t) => {
    const stage = await openConsole(t);
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => openClient(stage.url, name)));
    assert.ok(ann !== undefined && ben !== undefined);
    const id = await send(stage, ann, 'the pin is zqfirst');
    const opened = JSON.parse((await ann.post(pathTo('threads'), { branchedFrom: id })).text);
    assert.equal(opened.name, 'the pin is zqfirst');
    assert.deepEqual(await threadsOf(ben), [opened]);
    const seen = await ben.follow(general);
    t.after(() => seen.close());
    const told = (): number => seen.events.filter(({ name }) => name === 'channels').length;

    await post(stage, ann, 'edits', { messageId: id, text: 'the pin is zqsecond' });
    await until(() => told() === 1, 'whoever shows the name is told');
    assert.deepEqual(await threadsOf(ben), [{ ...opened, name: 'the pin is zqsecond' }]);

    await takeBack(stage, ann, id);
    await until(() => told() === 2, 'whoever shows the name is told');
    const { name: _, ...nameless } = opened;
    assert.deepEqual(await threadsOf(ben), [nameless]);
    const bytes = await stage.bytes();
    for (const word of ['zqfirst', 'zqsecond']) assert.ok(!bytes.includes(word), `${word} is in the data file`);
  });
}

test('names that an older version kept with its threads are dropped, from the data file too', async (t) => {
  const folder = newFolder(t);
  const old = await openStore(`sqlite:${path.join(folder, 'channelore.db')}`);
  const threads = [{ name: 'the pin is zqold', branchedFrom: 'ann.message-0' }];
  const channel = { name: 'general', createdAt: 1, by: '', lastAt: 1, threads };
  await createShelf(old, 'web').put('channel/general', channel);
  await old.close();
  const stage = await openConsole(t, folder);
  const ann = await openClient(stage.url, 'Ann');
  assert.deepEqual(await threadsOf(ann), [{ id: `${general}/ann.message-0`, branchedFrom: 'ann.message-0' }]);
  assert.ok(!(await stage.bytes()).includes('zqold'));
});
