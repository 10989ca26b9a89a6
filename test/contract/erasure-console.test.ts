import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createKeptFiles } from '../../adapters/web/kept-files.ts';
import { openUploads } from '../../adapters/web/uploads.ts';
import type { OwnThread } from '../../adapters/web/wire.ts';
import { toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { openStore } from '../../src/storage/open.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { scriptedModel } from './core.ts';
import { assertNowhere, bytesOf, newDataFolder, storeUrl } from './data-files.ts';
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

async function openConsole(t: TestContext, folder = newDataFolder(t)): Promise<Console> {
  const store = await openStore(storeUrl(folder));
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
  return JSON.parse((await client.call('/api/channels')).text).own[1].threads;
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
  const folder = newDataFolder(t);
  const old = await openStore(storeUrl(folder));
  const threads = [{ name: 'the pin is zqold', branchedFrom: 'ann.message-0' }];
  const channel = { name: 'general', createdAt: 1, by: '', lastAt: 1, threads };
  await createShelf(old, 'web').put('channel/general', channel);
  await old.close();
  const stage = await openConsole(t, folder);
  const ann = await openClient(stage.url, 'Ann');
  assert.deepEqual(await threadsOf(ann), [{ id: `${general}/ann.message-0`, branchedFrom: 'ann.message-0' }]);
  assert.ok(!(await stage.bytes()).includes('zqold'));
});

async function upload(client: WebClient, name: string, text: string): Promise<string> {
  const headers = { 'content-type': 'text/plain' };
  const answer = await client.call(`/api/uploads?name=${name}`, { method: 'POST', raw: text, headers });
  assert.equal(answer.status, 201, answer.text);
  return JSON.parse(answer.text).id;
}

test('an attached file leaves the data file with the event that brought it, answered or refused', async (t) => {
  const stage = await openConsole(t);
  const ann = await openClient(stage.url, 'Ann');
  const sent = await upload(ann, 'zqfilename.txt', 'a line with zqfilecontent in it');
  const given = { ...newPost(), text: 'look', uploads: [sent] };
  assert.equal((await ann.post(pathTo('messages'), given)).status, 202);
  await stage.quiet();
  assert.match(JSON.stringify(model.answers().at(-1)?.messages), /zqfilecontent/, 'it was read');
  const shelf = createShelf(stage.store, 'web');
  assert.deepEqual(
    await Promise.all([shelf.get(`upload/${sent}`), shelf.get(`content/${sent}`)]),
    [null, null],
    'emptied with the event',
  );
  assert.equal((await ann.post(pathTo('messages'), given)).status, 202, 'the same request again is known');
  assert.equal(await shelf.get(`upload/${sent}`), null);

  const withCommand = await upload(ann, 'zqcommandname.txt', 'zqcommandcontent');
  await send(stage, ann, '/memory show', { uploads: [withCommand] });
  await post(stage, ann, 'commands', { line: 'forget me confirm' });
  const bytes = await stage.bytes();
  for (const word of ['zqfilename', 'zqfilecontent', 'zqcommandname', 'zqcommandcontent']) assertNowhere(bytes, word);
});

test('what was accepted keeps its files through a restart; what nobody sent goes with time, also while nothing runs', async (t) => {
  const folder = newDataFolder(t);
  const store = await openStore(storeUrl(folder));
  t.after(() => store.close());
  const shelf = createShelf(store, 'web');
  let time = 1000;
  const first = await openUploads(shelf, () => time);
  const put = async (name: string) =>
    await first.put('ann', { name, mime: 'text/plain', content: Buffer.from(`${name}-content`) });
  const [left, taken] = [await put('zqleft'), await put('zqtaken')];
  await first.take('ann', [taken.id]);
  time += 3_600_000;
  const second = await openUploads(shelf, () => time);
  assert.equal(String(await second.fetch(taken.id)), 'zqtaken-content');
  await assert.rejects(second.fetch(left.id), /no longer there/);
  for (const word of ['zqleft', 'zqleft-content']) assertNowhere(bytesOf(folder), word);

  const later = await put('zqlater');
  time += 3_600_000;
  await first.sweep();
  assert.equal(await shelf.get(`content/${later.id}`), undefined, 'without another upload');
  time += 3 * 24 * 3_600_000;
  await second.sweep();
  assert.deepEqual([await shelf.list('upload/'), await shelf.list('content/')], [[], []]);
});

test('files of many people push out nobody who has less: they are refused, or their own go', async () => {
  const shelf = createShelf(createStore(createMemoryBackend()), 'web');
  const uploads = await openUploads(shelf, () => 0);
  const put = async (person: string, bytes: number) =>
    await uploads.put(person, { name: 'a.bin', mime: 'image/png', content: new Uint8Array(bytes) });
  const victim = await put('victim', 8_000_000);
  const crowd = ['c1', 'c2', 'c3', 'c4'];
  const firsts = new Map<string, string>();
  for (let n = 0; n < 6; n++) for (const one of crowd) firsts.set(`${one}.${n}`, (await put(one, 8_000_000)).id);
  await assert.rejects(put('c1', 8_000_000), /no room/, 'whoever holds the most gets no more');
  await put('newcomer', 8_000_000);
  assert.equal((await uploads.fetch(victim.id)).length, 8_000_000);
  const gone = [...firsts].filter(([, id]) => !JSON.stringify(victim).includes(id));
  const left = await Promise.allSettled(gone.map(([, id]) => uploads.fetch(id)));
  assert.equal(left.filter((one) => one.status === 'rejected').length, 1, 'one of the crowd’s made room');
});

test('what a command told of the memory, and the export it made, are not had again once something is taken back', async (t) => {
  const stage = await openConsole(t);
  const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((name) => openClient(stage.url, name)));
  assert.ok(ann !== undefined && ben !== undefined);
  const id = await send(stage, ann, 'the pin is zqsecret');
  const seen = await ben.follow(general);
  const said = () => seen.events.filter(({ name }) => name === 'said').map(({ data }) => data.said);
  const before = seen.lastId();
  await post(stage, ben, 'commands', { line: 'memory search zqsecret' });
  await post(stage, ben, 'commands', { line: 'memory export' });
  const [search, exported] = await until(() => said().length === 2 && said(), 'both are told');
  assert.match(search.text, /zqsecret/);
  const order = await ben.post(`/api/memory/${encodeURIComponent(general)}/orders`, { line: 'memory export' });
  const files = [...exported.files, ...JSON.parse(order.text).files].map(
    (file: { id: string }) => `/api/files/${file.id}`,
  );
  for (const file of files) assert.match((await ben.call(file)).text, /zqsecret/);
  assert.equal(files.length, 4);
  seen.close();

  await post(stage, ann, 'deletions', { messageId: id });
  for (const file of files) assert.equal((await ben.call(file)).status, 404, file);
  for (const lastId of [undefined, before]) {
    const again = await ben.follow(general, lastId);
    t.after(() => again.close());
    await send(stage, ann, 'go on');
    await until(() => again.events.some(({ name, data }) => name === 'piece' && data.piece.last), 'it goes on');
    assert.doesNotMatch(JSON.stringify(again.events), /zqsecret/);
  }
});

test('an export that was being made while something was taken back is not kept', () => {
  const files = createKeptFiles('secret', () => 0);
  const made = [{ name: 'memory.md', mime: 'text/markdown', content: 'zqsecret' }];
  const channel = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });
  const thread = toChannelId({ platform: 'web', workspace: 'console', channel: 'general', thread: 't' });
  const since = files.moment();
  files.drop(channel);
  const of = { owner: 'o', channel: thread, only: undefined };
  assert.deepEqual(files.put({ ...of, since }, made), [], 'a thread draws on its channel');
  assert.equal(files.put({ ...of, since: files.moment() }, made).length, 1);
  const elsewhere = toChannelId({ platform: 'web', workspace: 'console', channel: 'other' });
  assert.equal(files.put({ ...of, owner: 'p', channel: elsewhere, since }, made).length, 1);
});
