import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { visitorName } from '../../adapters/web/names.ts';
import { openUploads } from '../../adapters/web/uploads.ts';
import type { MemoryChange } from '../../adapters/web/views.ts';
import { type Event, toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore } from '../../src/storage/store.ts';
import { scriptedModel } from './core.ts';
import { startWebStage } from './web.ts';
import { openClient, type Told, until, type WebClient } from './web-client.ts';

/** Too much of anything, and things that are not what they seem. */

const general = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });
let say = 'An answer.';
const model = scriptedModel(() => say);
const store = createStore(createMemoryBackend());
const stage = await startWebStage({ model, store });
after(() => stage.close());
const ann = await openClient(stage.url, 'Ann');
const ben = await openClient(stage.url, 'Ben');

const pathTo = (what: string, channel: string = general): string =>
  `/api/channels/${encodeURIComponent(channel)}/${what}`;

let posts = 0;
const message = (text: string, more: object = {}): object => {
  posts += 1;
  return { id: `message-${posts}`, at: Date.now(), text, uploads: [], ...more };
};

const upload = async (client: WebClient, name: string, content: Uint8Array | string, type = 'text/plain') => {
  const path = `/api/uploads?name=${encodeURIComponent(name)}`;
  return await client.call(path, { method: 'POST', raw: content, headers: { 'content-type': type } });
};

test('what is not as it should be is refused in one sentence, and nothing is kept of it', async () => {
  const before = stage.core.inbox.running();
  const wrong: [object, number, RegExp][] = [
    [message('x', { id: 'short' }), 400, /id: must be 8 to 64/],
    [message('x', { id: 'with spaces in it' }), 400, /id/],
    [message('x', { id: `${'i'.repeat(65)}` }), 400, /id/],
    [message('x', { at: 'now' }), 400, /at/],
    [message('x'.repeat(200_001)), 400, /at most 200000 characters/],
    [message('x', { uploads: Array.from({ length: 11 }, () => 'u') }), 400, /uploads/],
    [message('x', { uploads: ['nothing'] }), 400, /no longer there/],
    [{}, 400, /id/],
    [[], 400, /What was sent/],
    [message('x'.repeat(3_000_000)), 413, /too large; at most 1 MB/],
  ];
  for (const [body, status, words] of wrong) {
    const answer = await ann.post(pathTo('messages'), body);
    assert.equal(answer.status, status, answer.text);
    assert.match(JSON.parse(answer.text).problem, words);
    assert.ok(!JSON.parse(answer.text).problem.includes('\n'));
  }
  const noJson = await ann.call(pathTo('messages'), {
    method: 'POST',
    raw: '{"id":',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(noJson.status, 400);
  assert.equal(stage.core.inbox.running(), before);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'before=-1', 'before=1.5']) {
    assert.equal((await ann.call(`${pathTo('turns')}?${query}`)).status, 400, query);
  }
});

test('a body that says it is small, and goes on and on, is cut off', async () => {
  const { hostname, port } = new URL(stage.url);
  const headers = { cookie: ann.cookie(), 'x-channelore': '1', 'content-type': 'text/plain' };
  const call = request({ hostname, port, path: '/api/uploads?name=x', method: 'POST', headers, agent: false });
  const status = new Promise<number>((resolve) => {
    call.on('response', (response) => resolve(response.resume().statusCode ?? 0));
    call.on('error', () => resolve(0));
  });
  let sent = 0;
  const chunk = Buffer.alloc(1_000_000);
  const answered = status.then(() => true);
  while (sent < 100 && !(await Promise.race([answered, sleep(1, false)]))) {
    sent += 1;
    if (!call.write(chunk)) await Promise.race([new Promise((resolve) => call.once('drain', resolve)), answered]);
  }
  assert.ok([413, 0].includes(await status));
  assert.ok(sent < 60, `${sent} MB were taken`);
  call.destroy();
});

test('one line of a megabyte goes through whole, as an answer', async (t) => {
  const { id } = JSON.parse((await ann.post('/api/channels', { name: 'long' })).text);
  const seen = await ann.follow(id);
  t.after(() => seen.close());
  say = 'x'.repeat(1_000_000);
  await ann.post(pathTo('messages', id), message('y'.repeat(200_000)));
  const pieces = new Map<string, string>();
  await until(() => seen.events.some((one) => one.name === 'piece' && one.data.piece.last), 'it is whole');
  for (const { data } of seen.events) {
    if (data.type === 'piece') pieces.set(data.piece.id, data.piece.text);
    if (data.type === 'append') pieces.set(data.id, pieces.get(data.id) + data.text);
  }
  assert.equal([...pieces.values()].join(''), say);
  say = 'An answer.';
});

test('files are read by the model, only by those who sent them, and up to a size', async (t) => {
  assert.equal((await upload(ann, 'big.bin', new Uint8Array(8_000_001))).status, 413);
  const made = await upload(ann, '../../etc/pass\u0000wd\u202e.txt', 'the word is heron');
  assert.equal(made.status, 201);
  const file = JSON.parse(made.text);
  assert.deepEqual([file.name, file.mime, file.bytes], ['../../etc/pass wd .txt', 'text/plain', 17]);
  const stolen = await ben.post(pathTo('messages'), message('mine?', { uploads: [file.id] }));
  assert.deepEqual(
    [stolen.status, JSON.parse(stolen.text).problem],
    [400, 'An attached file is no longer there; attach it again.'],
  );
  const seen = await ann.follow(general);
  t.after(() => seen.close());
  const look = JSON.parse((await ann.post(pathTo('messages'), message('look', { uploads: [file.id] }))).text);
  const isAnswer = (one: Told): boolean => one.name === 'piece' && one.data.piece.question === look.id;
  await until(() => seen.events.some((one) => isAnswer(one) && one.data.piece.last), 'it is answered');
  assert.match(JSON.stringify(model.answers().at(-1)?.messages), /the word is heron/);
  const told = seen.events.find((one) => one.name === 'message' && one.data.message.id === look.id);
  assert.deepEqual(told?.data.message.attachments, [{ name: file.name, mime: 'text/plain', bytes: 17 }]);
});

test('a file that was sent before a restart can be read after it', async (t) => {
  const kept = createStore(createMemoryBackend());
  const first = await startWebStage({ store: kept, model });
  const client = await openClient(first.url, 'Ann');
  const made = JSON.parse((await upload(client, 'a.png', new Uint8Array(7_900_000).fill(7), 'image/png')).text);
  await first.close();
  const fetched: Uint8Array[] = [];
  const second = await startWebStage({
    store: kept,
    host: {
      openIntake: async (_, surface) => ({
        lastSeen: () => new Map(),
        async accept(event: Event) {
          if (event.kind !== 'message') return 'accepted';
          for (const one of event.attachments) fetched.push(await surface.fetch(one, AbortSignal.timeout(5000)));
          return 'accepted';
        },
      }),
    },
  });
  t.after(() => second.close());
  const headers = { cookie: client.cookie(), 'x-channelore': '1', 'content-type': 'application/json' };
  const body = JSON.stringify(message('look', { uploads: [made.id] }));
  assert.equal((await fetch(second.url + pathTo('messages'), { method: 'POST', headers, body })).status, 202);
  assert.deepEqual(
    fetched.map((one) => [one.length, one.at(-1)]),
    [[7_900_000, 7]],
  );
});

test('one person’s many files are too many, and what nobody sends goes after an hour', async () => {
  let time = 0;
  const shelf = createShelf(createStore(createMemoryBackend()), 'web');
  const uploads = await openUploads(shelf, () => time);
  const content = new Uint8Array(8_000_000);
  const put = async (person: string) => await uploads.put(person, { name: 'a.bin', mime: 'image/png', content });
  const first = await put('ann');
  for (let n = 1; n < 7; n++) await put('ann');
  await assert.rejects(put('ann'), /many files/);
  await put('ben');
  time += 3_600_000;
  await put('ann');
  assert.equal((await shelf.list('content/')).length, 1, 'what nobody sent within an hour is gone');
  await assert.rejects(uploads.take('ann', [first.id]), /no longer there/);
  await assert.rejects(uploads.fetch(first.id), /no longer there/);
});

test('names are one line of visible letters, whatever is sent', async () => {
  const rename = async (name: string) => await ann.post('/api/me', { name });
  const named = async (name: string) => JSON.parse((await rename(name)).text).person.name;
  assert.equal(await named('  Ann\n\tof\u2028Green\u202e Gables\u0000 '), 'Ann of Green Gables');
  assert.equal(await named('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>');
  assert.equal(await named('👩‍👩‍👧 Zoë'), '👩‍👩‍👧 Zoë');
  assert.equal((await named('x'.repeat(999))).length, 60);
  assert.ok((await named('\ud800 half')).isWellFormed());
  for (const name of ['', ' \n ', '\u202e\u200b', 'x'.repeat(1001)]) assert.equal((await rename(name)).status, 400);
  await rename('Ann');
});

test('channels are made, renamed and deleted for all to see; what was said in them is forgotten', async (t) => {
  const seen = await ben.follow(general);
  t.after(() => seen.close());
  const told = (): number => seen.events.filter((one) => one.name === 'channels').length;
  const made = await ann.post('/api/channels', { name: ' garden\u202e ' });
  const garden = JSON.parse(made.text);
  assert.deepEqual([made.status, garden.name, garden.mayChange], [201, 'garden', true]);
  const path = `/api/channels/${encodeURIComponent(garden.id)}`;
  const renamed = await ben.call(path, { method: 'PATCH', body: { name: 'orchard' } });
  assert.equal(JSON.parse(renamed.text).name, 'orchard');
  await until(() => told() === 2, 'both are told');
  const below = await ann.follow(garden.id);
  await ann.post(`${path}/messages`, message('the tree is an apple'));
  await until(() => below.events.some((one) => one.name === 'piece' && one.data.piece.last), 'it is answered');
  below.close();
  assert.equal((await ann.call(path, { method: 'DELETE' })).status, 204);
  await until(() => told() === 3, 'it is told');
  assert.equal((await ann.call(`${path}/turns`)).status, 404);
  assert.equal((await ann.post(`${path}/messages`, message('x'))).status, 404);
  await until(() => stage.core.inbox.running() === 0, 'it is forgotten');
  const { turns } = await stage.core.views.turns(garden.id, { limit: 10 });
  assert.ok(!JSON.stringify(turns).includes('apple'));
  const back = await ann.follow(general);
  assert.ok(!JSON.stringify(back.events).includes('apple'));
  back.close();
});

test('one visitor’s many channels leave room for others, who made a channel renames it, and no visitor is called admin', async (t) => {
  const guarded = await startWebStage({ model, passwords: { app: 'open', admin: 'administer' } });
  t.after(() => guarded.close());
  const [cara, dan] = await Promise.all(['Cara', 'Dan'].map((name) => openClient(guarded.url, name, 'open')));
  assert.ok(cara !== undefined && dan !== undefined);
  let made = 0;
  const make = async (client: WebClient) => await client.post('/api/channels', { name: `x${made++}` });
  for (let n = 0; n < 20; n++) assert.equal((await make(cara)).status, 201);
  const refused = await make(cara);
  assert.deepEqual([refused.status, /you have made 20 channels/i.test(refused.text)], [400, true]);
  assert.equal((await make(dan)).status, 201);
  const admin = await openClient(guarded.url, 'Administrator', 'administer');
  const path = `/api/channels/${encodeURIComponent(general)}`;
  const rename = async (client: WebClient) => await client.call(path, { method: 'PATCH', body: { name: 'lobby' } });
  assert.deepEqual([(await rename(dan)).status, (await rename(admin)).status], [403, 200]);
  for (const name of ['Administrator', 'A d m i n', 'Аdmin', '4dm1n', 'The ADMIN team', 'Ｃhannelore', 'System'])
    assert.equal((await dan.post('/api/me', { name })).status, 400, name);
  for (const name of ['Ann', 'Adminah', 'Robot Joe', 'Système D', 'Рената'])
    assert.equal((await dan.post('/api/me', { name })).status, 200, name);
  assert.equal(visitorName('Administrator', false), 'Administrator (visitor)', 'a cookie from before keeps its name');
  assert.equal(visitorName('Administrator', true), 'Administrator');
});

test('there is always a channel, and the same ones after a restart', async (t) => {
  const kept = createStore(createMemoryBackend());
  const first = await startWebStage({ store: kept, model });
  const client = await openClient(first.url, 'Ann');
  const names = async (one: WebClient) => {
    const { own } = JSON.parse((await one.call('/api/channels')).text);
    return own.slice(1).map((each: { name: string }) => each.name);
  };
  assert.deepEqual(await names(client), ['general']);
  await client.post('/api/channels', { name: 'garden' });
  assert.equal((await client.call(`/api/channels/${encodeURIComponent(general)}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await names(client), ['garden']);
  await first.close();
  const second = await startWebStage({ store: kept, model });
  t.after(() => second.close());
  const again = await openClient(second.url, 'Ann');
  const [, only] = JSON.parse((await again.call('/api/channels')).text).own;
  assert.equal(only.name, 'garden');
  assert.equal((await again.call(`/api/channels/${encodeURIComponent(only.id)}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await names(again), ['general']);
});

test('names of channels that are none lead nowhere', async () => {
  const keys = ['', 'general', 'web/console', 'web/console/nothing', `${general}/no-thread`, `${general}/../x`, '%'];
  for (const key of [...keys, 'web/console/general/x/y', 'WEB/console/general', '__proto__', 'x'.repeat(5000)]) {
    for (const what of ['turns', 'events']) {
      const { status } = await ann.call(`/api/channels/${encodeURIComponent(key)}/${what}`);
      assert.equal(status, 404, `${key} ${what}`);
    }
  }
});

test('a stream that was left takes no place from the next', async () => {
  for (let n = 0; n < 35; n++) {
    await ann.call(pathTo('events'), { method: 'HEAD' });
    (await ann.follow(general)).close();
  }
  const open = await Promise.all(Array.from({ length: 20 }, () => ann.follow(general)));
  const status = open.map((one) => one.status);
  for (const one of open) one.close();
  assert.deepEqual([...new Set(status)], [200]);
});

test('a browser that does not read costs the server next to nothing, and reads again when it wakes', async (t) => {
  const watchers: ((change: MemoryChange) => void)[] = [];
  const watch = (onChange: (change: MemoryChange) => void) => {
    watchers.push(onChange);
    return () => {};
  };
  const own = await startWebStage({ host: { views: { ...stage.core.views, watch } } });
  t.after(() => own.close());
  const client = await openClient(own.url, 'Ann');
  const asleep = await client.follow(general);
  await until(() => asleep.lastId() !== '', 'it begins');
  asleep.pause();
  const before = bytesHeld();
  const change: MemoryChange = { channel: general, what: 'folding', fold: { from: 1, to: 2, done: 0.5 } };
  const tell = (): void => {
    for (const onChange of watchers) onChange(change);
  };
  const total = 150_000; // about 25 MB on the wire
  for (let n = 0; n < total; n++) {
    tell();
    if (n % 1000 === 0) await sleep(0);
  }
  assert.ok(bytesHeld() - before < 10_000_000, 'nothing of it is kept');
  asleep.resume();
  await until(() => asleep.events.some((one) => one.name === 'reload'), 'it is told that it missed something');
  assert.ok(asleep.events.length < total / 4, `${asleep.events.length} events`);
  tell();
  await until(() => asleep.events.at(-1)?.name === 'memory', 'and goes on');
  asleep.close();
});

/** Once nothing is left that could be thrown away. */
function bytesHeld(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
