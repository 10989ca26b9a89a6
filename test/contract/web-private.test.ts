import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { openPrivateChannels } from '../../adapters/web/private-channels.ts';
import type { OwnChannel } from '../../adapters/web/wire.ts';
import type { Event } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore } from '../../src/storage/store.ts';
import { scriptedModel } from './core.ts';
import { startWebStage, type WebStage } from './web.ts';
import { openClient, until, type WebClient } from './web-client.ts';

/** The conversation that each visitor has with the bot alone. */

const passwords = { app: 'open sesame', admin: 'let me administer' };
const model = scriptedModel(({ messages }, n) => `Answer ${n} to ${JSON.stringify(messages.at(-1))}`);
const store = createStore(createMemoryBackend());
const stage = await startWebStage({ model, store, passwords, isLoopback: false });
after(() => stage.close());
const ann = await openClient(stage.url, 'Ann', passwords.app);
const ben = await openClient(stage.url, 'Ben', passwords.app);
const admin = await openClient(stage.url, 'Admin', passwords.admin);

const key = encodeURIComponent;

async function listed(client: WebClient): Promise<OwnChannel[]> {
  return JSON.parse((await client.call('/api/channels')).text).own;
}

async function aloneOf(client: WebClient): Promise<OwnChannel> {
  const [first] = await listed(client);
  assert.ok(first?.private);
  return first;
}

let posts = 0;
async function say(client: WebClient, channel: string, text: string, where: WebStage = stage): Promise<number> {
  posts += 1;
  const post = { id: `message-${posts}`, at: Date.now(), text, uploads: [] };
  const { status } = await client.post(`/api/channels/${key(channel)}/messages`, post);
  await until(() => where.core.inbox.running() + where.core.inbox.waiting() === 0, 'it is answered');
  return status;
}

const textOf = async (client: WebClient, channel: string): Promise<string> =>
  (await client.call(`/api/channels/${key(channel)}/turns`)).text;

test('the first thing each visitor has is a conversation of their own; channels stand beside it', async () => {
  const [hers, his] = [await aloneOf(ann), await aloneOf(ben)];
  assert.notEqual(hers.id, his.id);
  assert.deepEqual([hers.name, hers.mayChange, hers.threads], ['Private', false, []]);
  assert.deepEqual(
    (await listed(ann)).slice(1).map((one) => [one.name, one.private]),
    [['general', false]],
  );
  assert.equal((await aloneOf(ann)).id, hers.id, 'the same each time');
});

test('nobody sees another’s, admins included, and no request of one has a word of the other', async () => {
  const [hers, his] = [await aloneOf(ann), await aloneOf(ben)];
  assert.equal(await say(ann, hers.id, 'my canary is zqteal'), 202);
  assert.equal(await say(ben, his.id, 'what is the colour zqheron?'), 202);
  assert.equal(await say(ben, 'web/console/general', 'and what is it here?'), 202);
  const requests = model.answers().map((one) => JSON.stringify(one.messages));
  assert.equal(requests.filter((one) => one.includes('zqteal')).length, 1);
  assert.equal(requests.filter((one) => one.includes('zqheron')).length, 1);
  assert.ok(!requests.some((one) => one.includes('zqteal') && one.includes('zqheron')));
  assert.match(await textOf(ann, hers.id), /zqteal/);
  for (const other of [ben, admin]) {
    for (const path of ['turns', 'events']) {
      const { status } = await other.call(`/api/channels/${key(hers.id)}/${path}`);
      assert.ok([403, 404].includes(status), `${path} ${status}`);
    }
    for (const path of ['', '/prompt'])
      assert.ok([403, 404].includes((await other.call(`/api/memory/${key(hers.id)}${path}`)).status));
    const order = await other.post(`/api/memory/${key(hers.id)}/orders`, { line: 'memory export' });
    assert.ok([403, 404].includes(order.status));
    for (const what of ['messages', 'commands', 'edits', 'deletions', 'threads']) {
      const body = {
        id: 'intruder-1',
        at: Date.now(),
        text: 'x',
        uploads: [],
        line: 'memory show',
        messageId: 'm',
        branchedFrom: 'm',
      };
      assert.equal((await other.post(`/api/channels/${key(hers.id)}/${what}`, body)).status, 404, what);
    }
    assert.equal((await other.call(`/api/channels/${key(hers.id)}`, { method: 'DELETE' })).status, 404);
    const { text } = await other.call('/api/channels');
    assert.ok(!text.includes(hers.id) && !text.includes('zqteal'));
  }
  const day = new Date().toISOString().slice(0, 10);
  const usage = await admin.call(`/api/usage?from=${day}&to=${day}`);
  assert.match(usage.text, /"channelName":"direct message/);
  assert.ok(!usage.text.includes('zqteal'));
});

test('it has a role, a reset and an undo of its own', async () => {
  const [hers, his] = [await aloneOf(ann), await aloneOf(ben)];
  const order = async (line: string) => {
    posts += 1;
    await ann.post(`/api/channels/${key(hers.id)}/commands`, { id: `command-${posts}`, at: Date.now(), line });
    await until(() => stage.core.inbox.running() + stage.core.inbox.waiting() === 0, 'it is done');
  };
  const memoryOf = async (client: WebClient, id: string) =>
    JSON.parse((await client.call(`/api/memory/${key(id)}`)).text);
  await order('role set You are a heron.');
  assert.equal((await memoryOf(ann, hers.id)).role, 'You are a heron.');
  assert.doesNotMatch((await memoryOf(ben, his.id)).role, /heron/);
  await order('reset');
  assert.deepEqual([(await memoryOf(ann, hers.id)).turns.total, (await memoryOf(ben, his.id)).turns.total], [0, 2]);
  await order('undo');
  assert.equal((await memoryOf(ann, hers.id)).turns.total, 2);
});

test('a thread in it is as private as it is, and says so to the core', async () => {
  const hers = await aloneOf(ann);
  const { turns } = JSON.parse(await textOf(ann, hers.id));
  const opened = await ann.post(`/api/channels/${key(hers.id)}/threads`, { branchedFrom: turns[0].id });
  assert.equal(opened.status, 200, opened.text);
  const thread = JSON.parse(opened.text).id;
  assert.equal(await say(ann, thread, 'and in the thread'), 202);
  assert.match(await textOf(ann, thread), /in the thread/);
  assert.ok([403, 404].includes((await ben.call(`/api/channels/${key(thread)}/turns`)).status));
  assert.equal((await listed(ann))[0]?.threads.length, 1);
  const shown = await stage.core.views.channels();
  assert.ok(!shown.some((one) => one.id.includes('/me-')), 'neither is in any list');
});

test('it is there after a restart, and whoever logs in takes it along', async (t) => {
  const hers = await aloneOf(ann);
  const planted = ann.cookie();
  const second = await startWebStage({ model, store, passwords, isLoopback: false });
  t.after(() => second.close());
  const headers = { cookie: planted };
  const after = JSON.parse(await (await fetch(`${second.url}/api/channels`, { headers })).text());
  assert.equal(after.own[0].id, hers.id);
  assert.equal(after.own[0].threads.length, 1);
});

test('a login takes it along; whoever has the cookie from before begins with an empty one', async (t) => {
  const open = await startWebStage({ model, passwords: { app: undefined, admin: passwords.admin } });
  t.after(() => open.close());
  const client = await openClient(open.url, 'Ann');
  const before = client.cookie();
  const hers = await aloneOf(client);
  await say(client, hers.id, 'from before', open);
  const [message] = JSON.parse(await textOf(client, hers.id)).turns;
  await client.call('/login', { method: 'POST', raw: `password=${passwords.admin}` });
  assert.equal((await aloneOf(client)).id, hers.id);
  const edit = { id: 'edit-00001', at: Date.now(), messageId: message.id, text: 'mended' };
  assert.equal((await client.post(`/api/channels/${key(hers.id)}/edits`, edit)).status, 202);
  const old = JSON.parse(await (await fetch(`${open.url}/api/channels`, { headers: { cookie: before } })).text());
  assert.notEqual(old.own[0].id, hers.id);
  const read = await fetch(`${open.url}/api/channels/${key(hers.id)}/turns`, { headers: { cookie: before } });
  assert.ok([403, 404].includes(read.status));
});

test('there is an end to them: of new ones from one place, and of those that nobody comes back to', async () => {
  let time = Date.UTC(2026, 10, 21);
  const shelf = createShelf(createStore(createMemoryBackend()), 'web');
  const deps = { shelf, secret: 's', now: () => time, onTrouble: assert.ifError };
  const channels = await openPrivateChannels(deps);
  for (let n = 0; n < 60; n++) await channels.keep(`p${n}`, 'address-1');
  await assert.rejects(channels.keep('p60', 'address-1'), /too many new conversations/);
  await channels.keep('p0', 'address-1');
  await channels.keep('p61', 'address-2');
  await channels.keep('p62', undefined);
  assert.equal((await shelf.list('private/')).length, 62);
  time += 89 * 86_400_000;
  channels.touch(channels.of('p0').id, time);
  await setImmediate();
  await channels.keep('later', undefined);
  time += 2 * 86_400_000;
  const stale = channels.stale();
  assert.deepEqual([stale.length, stale.some((one) => ['p0', 'later'].includes(one.by))], [61, false]);
  for (const one of stale) await channels.remove(one.id);
  assert.equal((await shelf.list('private/')).length, 2);
  assert.ok((await openPrivateChannels(deps)).has(channels.of('p0').id));
});

test('a new visitor’s address pays; whoever came yesterday pays for themselves', async (t) => {
  let time = Date.UTC(2026, 10, 21, 12);
  const payers: (string | undefined)[] = [];
  const proxies = { trustedProxies: ['127.0.0.1'], passwords, isLoopback: false };
  const counted = await startWebStage({
    ...proxies,
    now: () => time,
    host: {
      openIntake: async () => ({
        lastSeen: () => new Map(),
        async accept(event: Event) {
          if (event.kind === 'message' || event.kind === 'command') payers.push(event.author.payer);
          return 'accepted';
        },
      }),
    },
  });
  t.after(() => counted.close());
  const ask = async (client: WebClient, from: string): Promise<string | undefined> => {
    posts += 1;
    const post = { id: `message-${posts}`, at: time, text: 'a question', uploads: [] };
    const path = `/api/channels/${key('web/console/general')}/messages`;
    await client.call(path, { method: 'POST', body: post, headers: { 'x-forwarded-for': from } });
    return payers.at(-1);
  };
  const open = async () => await openClient(counted.url, 'Guest', passwords.app);
  const regular = await open();
  const first = await ask(regular, '203.0.113.1');
  assert.match(first ?? '', /^address-[0-9a-f]{16}$/);
  assert.equal(await ask(await open(), '203.0.113.1'), first);
  assert.notEqual(await ask(await open(), '203.0.113.2'), first);
  assert.ok(!(first ?? '').includes('203'));
  time += 25 * 3_600_000;
  assert.equal(await ask(regular, '203.0.113.1'), undefined);
  assert.equal(await ask(await open(), '203.0.113.1'), first);
});

test('a daily budget is shared by all new visitors of one address; whoever came yesterday has their own', async (t) => {
  let time = Date.UTC(2026, 10, 21, 12);
  const spending = scriptedModel(() => 'An answer.');
  const env = { BUDGET_USER_TOKENS: '3000', MEMORY_TOKENS: '4000' };
  const proxies = { trustedProxies: ['127.0.0.1'], passwords, isLoopback: false };
  const counted = await startWebStage({ ...proxies, model: spending, env, now: () => time });
  t.after(() => counted.close());
  const regular = await openClient(counted.url, 'Regular', passwords.app);
  time += 25 * 3_600_000;
  const ask = async (client: WebClient, from: string): Promise<number> => {
    const before = spending.answers().length;
    posts += 1;
    const post = { id: `message-${posts}`, at: time, text: 'a question', uploads: [] };
    const headers = { 'x-forwarded-for': from };
    const path = `/api/channels/${key('web/console/general')}/messages`;
    assert.equal((await client.call(path, { method: 'POST', body: post, headers })).status, 202);
    await until(() => counted.core.inbox.running() + counted.core.inbox.waiting() === 0, 'it has ended');
    return spending.answers().length - before;
  };
  let answered = 0;
  for (let n = 0; n < 20; n++)
    answered += await ask(await openClient(counted.url, 'Guest', passwords.app), '203.0.113.1');
  assert.ok(answered > 0 && answered < 15, `${answered} answers`);
  assert.equal(
    await ask(await openClient(counted.url, 'Guest', passwords.app), '203.0.113.2'),
    1,
    'of another address',
  );
  assert.equal(await ask(regular, '203.0.113.1'), 1);
});
