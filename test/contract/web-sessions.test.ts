import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createLoginLimits } from '../../adapters/web/login-limits.ts';
import { openRevokedSessions } from '../../adapters/web/revoked-sessions.ts';
import { openSessions } from '../../adapters/web/sessions.ts';
import { toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore } from '../../src/storage/store.ts';
import { type StageOptions, startWebStage } from './web.ts';
import { openClient, until, type WebClient } from './web-client.ts';

/** Passwords, and the sessions they open: how they begin, what ends them, and who is kept out for whose guesses. */

const passwords = { app: 'open sesame', admin: 'let me administer' };
const general = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });
const hour = 3_600_000;
const day = 24 * hour;

async function start(t: { after(end: () => Promise<void>): void }, options: StageOptions = {}) {
  const clock = { time: Date.UTC(2026, 10, 21, 12) };
  const store = options.store ?? createStore(createMemoryBackend());
  const proxies = { trustedProxies: ['127.0.0.1'] };
  const stage = await startWebStage({
    passwords,
    isLoopback: false,
    ...proxies,
    now: () => clock.time,
    ...options,
    store,
  });
  t.after(() => stage.close());
  return { stage, store, clock };
}

async function enter(client: WebClient, password: string, from = '203.0.113.1') {
  const raw = new URLSearchParams({ password }).toString();
  const answer = await client.call('/login', { method: 'POST', raw, headers: { 'x-forwarded-for': from } });
  return { status: answer.status, wait: Number(answer.headers.get('retry-after') ?? 0) };
}

const me = async (client: WebClient) => {
  const { status, text } = await client.call('/api/me');
  return { status, admin: status === 200 && JSON.parse(text).admin, person: status === 200 && JSON.parse(text).person };
};

test('whoever knows one password guesses the other no faster', async (t) => {
  const { stage, clock } = await start(t);
  let looked = 0;
  let letIn = 0;
  for (let n = 0; n < 120; n++) {
    // Each time as a new browser and as the one that logged in before.
    const fresh = await openClient(stage.url, 'Guesser');
    if ((await enter(fresh, passwords.app)).status === 303) letIn += 1;
    if ((await enter(fresh, `guess ${n}`)).status === 401) looked += 1;
    clock.time += 5000;
  }
  assert.ok(looked < 30, `${looked} guesses in ten minutes`);
  assert.ok(letIn > 0);
});

test('a browser with the mark of the lesser password guesses no admin’s password while others wait', async (t) => {
  const { stage } = await start(t);
  const client = await openClient(stage.url, 'Mallory', passwords.app);
  const guesser = await openClient(stage.url, 'Mallory');
  for (let n = 0; n < 8; n++) await enter(guesser, 'guess', '127.0.0.1');
  const [wrong, right] = [await enter(client, 'guess', '127.0.0.1'), await enter(client, passwords.admin, '127.0.0.1')];
  assert.deepEqual([wrong.status, right.status], [429, 429], 'a right guess looks like a wrong one');
  assert.equal((await enter(client, passwords.app, '127.0.0.1')).status, 303, 'what it had, it may have again');
});

test('a guesser behind the same address shuts out nobody who has logged in before', async (t) => {
  const { stage, clock } = await start(t);
  const [ann, guesser] = [await openClient(stage.url, 'Ann'), await openClient(stage.url, 'Guesser')];
  assert.equal((await enter(ann, passwords.admin)).status, 303);
  await ann.call('/logout', { method: 'POST' });
  let refused = 0;
  for (let n = 0; n < 30; n++) {
    for (let guess = 0; guess < 5; guess++) await enter(guesser, 'guess');
    if ((await enter(ann, passwords.admin)).status !== 303) refused += 1;
    clock.time += 5_000;
  }
  assert.equal(refused, 0);
});

test('guesses from everywhere together shut out nobody who has logged in before', async (t) => {
  const { stage } = await start(t);
  const [ann, guesser] = [await openClient(stage.url, 'Ann'), await openClient(stage.url, 'Guesser')];
  assert.equal((await enter(ann, passwords.app)).status, 303);
  const answers: number[] = [];
  for (let n = 0; n < 60; n++) answers.push((await enter(guesser, 'guess', `198.51.${n}.1`)).status);
  assert.equal(answers.at(-1), 429, 'they have to wait');
  assert.equal((await enter(guesser, passwords.app, '192.0.2.200')).status, 429);
  assert.equal((await enter(ann, passwords.app)).status, 303);
});

test('a mark has a count of its own, counts fall with time, and right passwords have an end, too', () => {
  let time = 0;
  const limits = createLoginLimits(() => time);
  const mark = { id: 'm1', rights: 'admin' as const };
  const looksAt = (from: Parameters<typeof limits.attempt>[0]) => limits.attempt(from).most !== undefined;
  let looked = 0;
  for (let n = 0; n < 100; n++) if (looksAt({ address: `192.0.2.${n}`, mark })) looked += 1;
  assert.equal(looked, 5);
  time += 5 * 600_000 + 60_000;
  for (let n = 0; n < 5; n++) assert.ok(looksAt({ address: '203.0.113.1', mark: undefined }));
  assert.ok(!looksAt({ address: '203.0.113.1', mark: undefined }));
  time += 600_000;
  assert.ok(looksAt({ address: '203.0.113.1', mark: undefined }), 'one less counts');
  assert.ok(!looksAt({ address: '203.0.113.1', mark: undefined }), 'and not all of them');
  time += 900_000;
  for (let n = 0; n < 4; n++) limits.attempt({ address: '203.0.113.1', mark: undefined }).succeeded();
  assert.ok(looksAt({ address: '203.0.113.1', mark: undefined }));
  assert.ok(!looksAt({ address: '203.0.113.1', mark: undefined }), 'right ones make it fall no faster');
  let entered = 0;
  for (let n = 0; n < 200; n++) {
    const one = limits.attempt({ address: '2001:db8:1:1::1', mark: undefined });
    if (one.most === undefined) continue;
    one.succeeded();
    entered += 1;
  }
  assert.equal(entered, 30);
  assert.ok(!looksAt({ address: '2001:db8:1:1:ffff::1', mark: undefined }), 'the same network');
  assert.ok(looksAt({ address: '2001:db8:1:2::1', mark: undefined }));
});

test('whoever planted a cookie shares nothing with whoever logs in by it', async (t) => {
  const { stage } = await start(t, {
    passwords: { app: undefined, admin: passwords.admin },
    isLoopback: true,
    trustedProxies: [],
  });
  const planter = await openClient(stage.url, 'Mallory');
  const planted = planter.cookie();
  const raw = new URLSearchParams({ password: passwords.admin }).toString();
  const headers = { cookie: planted, 'x-channelore': '1', 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${stage.url}/login`, { method: 'POST', body: raw, headers, redirect: 'manual' });
  const own = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const victim = JSON.parse(await (await fetch(`${stage.url}/api/me`, { headers: { cookie: own } })).text());
  assert.equal(victim.admin, true);
  assert.notEqual(victim.person.id, planter.person().id);
  assert.equal((await me(planter)).admin, false);
});

test('a new login ends the session before it; logging out ends it for every copy of its cookie, and its streams', async (t) => {
  const { stage, store } = await start(t);
  const client = await openClient(stage.url, 'Ann', passwords.admin);
  const first = client.cookie();
  const as = async (cookie: string, url = stage.url) => (await fetch(`${url}/api/me`, { headers: { cookie } })).status;
  assert.equal(await as(first), 200);
  await enter(client, passwords.admin);
  assert.deepEqual([await as(first), await as(client.cookie())], [401, 200]);

  const second = client.cookie();
  const stream = await client.follow(general);
  await until(() => stream.lastId() !== '', 'it begins');
  await client.call('/logout', { method: 'POST' });
  await until(stream.isOver, 'the stream ends');
  assert.equal(await as(second), 401);
  const restarted = await start(t, { store });
  assert.equal(await as(second, restarted.stage.url), 401, 'after a restart, too');
});

test('an admin logs everybody out, streams included; whoever may not, does not', async (t) => {
  const { stage, clock } = await start(t);
  const [ann, ben] = [
    await openClient(stage.url, 'Ann', passwords.app),
    await openClient(stage.url, 'Ben', passwords.app),
  ];
  const admin = await openClient(stage.url, 'Admin', passwords.admin);
  assert.equal((await ann.call('/logout/everybody', { method: 'POST' })).status, 403);
  assert.equal((await me(ben)).status, 200);
  const stream = await ben.follow(general);
  clock.time += 1000;
  assert.equal((await admin.call('/logout/everybody', { method: 'POST' })).headers.get('location'), '/login');
  await until(stream.isOver, 'the stream ends');
  for (const one of [ann, ben, admin]) assert.equal((await me(one)).status, 401);
  clock.time += 1000;
  assert.equal((await enter(ann, passwords.app)).status, 303);
  assert.equal((await me(ann)).status, 200);
});

test('an admin’s session ends after twelve hours, however much it is used; nobody’s is renewed for ever', async (t) => {
  const { stage, clock } = await start(t);
  const [admin, ann] = [
    await openClient(stage.url, 'Admin', passwords.admin),
    await openClient(stage.url, 'Ann', passwords.app),
  ];
  const stream = await admin.follow(general);
  await until(() => stream.lastId() !== '', 'it begins');
  for (let n = 0; n < 12; n++) {
    assert.deepEqual((await me(admin)).status, 200, `after ${n} hours`);
    clock.time += hour;
  }
  clock.time += 1000;
  assert.equal((await me(admin)).status, 401);
  await stage.core.memory.idle();
  // The next time it looks up; here somebody logs out.
  await ann.call('/api/channels');
  const other = await openClient(stage.url, 'Ben', passwords.app);
  await other.call('/logout', { method: 'POST' });
  await until(stream.isOver, 'its stream ends');
  for (let n = 0; n < 29; n++) {
    assert.equal((await me(ann)).status, 200, `after ${n} days`);
    clock.time += day;
  }
  clock.time += day;
  assert.equal((await me(ann)).status, 401);
});

test('without a password a browser stays who it is for as long as it comes, up to a year and a month', async (t) => {
  const { stage, clock } = await start(t, {
    passwords: { app: undefined, admin: undefined },
    isLoopback: true,
    trustedProxies: [],
  });
  const client = await openClient(stage.url, 'Ann');
  const { id } = client.person();
  for (let n = 0; n < 19; n++) {
    clock.time += 21 * day;
    assert.equal((await me(client)).person.id, id, `after ${(n + 1) * 21} days`);
  }
  clock.time += 21 * day;
  assert.notEqual((await me(client)).person.id, id);
});

test('over TLS the cookies have a name that no other host can set, and others are not read', async (t) => {
  const { stage } = await start(t);
  const tls = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.1' };
  const raw = new URLSearchParams({ password: passwords.app }).toString();
  const client = await openClient(stage.url, 'Ann');
  const given = (await client.call('/login', { method: 'POST', raw, headers: tls })).headers.getSetCookie();
  assert.equal(given.length, 2);
  for (const one of given)
    assert.match(one, /^__Host-channelore_\w+=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  const [session = ''] = given[0]?.split(';') ?? [];
  const as = async (cookie: string) => (await fetch(`${stage.url}/api/me`, { headers: { ...tls, cookie } })).status;
  assert.equal(await as(session), 200);
  assert.equal(await as(session.replace('__Host-', '')), 401, 'one that any page without TLS can set');
});

test('a cookie of the first version still says who somebody is, and can be ended', async () => {
  const shelf = createShelf(createStore(createMemoryBackend()), 'web');
  let time = Date.UTC(2026, 10, 21);
  const sessions = await openSessions(shelf, passwords, () => time);
  const old = { person: { id: '0123456789abcdef', name: 'Ann' }, rights: 'console' as const };
  const token = sessions.sign(old as Parameters<typeof sessions.sign>[0]);
  const read = sessions.read(token);
  assert.deepEqual([read?.person, read?.rights, read?.born, read?.since], [old.person, 'console', time, time]);
  assert.ok(read && read.id.length > 10);
  const renewed = sessions.sign(read);
  await sessions.end(read);
  assert.equal(sessions.read(token), undefined);
  assert.equal(sessions.read(renewed), undefined);
  time += 1;
  assert.ok(sessions.read(sessions.sign(sessions.begin('Ben', 'admin'))));
});

test('the list of ended sessions has an end, and those that are void anyway make room', async () => {
  const shelf = createShelf(createStore(createMemoryBackend()), 'web');
  let time = 0;
  const revoked = await openRevokedSessions(shelf, () => time);
  for (let n = 0; n < 10_050; n++) await revoked.revoke(`s${n}`, 1_000_000 + n);
  assert.equal((await shelf.list('revoked/')).length, 10_000);
  assert.ok(revoked.has({ id: 's10049', since: 1 }));
  assert.ok((await openRevokedSessions(shelf, () => time)).has({ id: 's10049', since: 1 }));
  time = 2_000_000;
  await revoked.revoke('last', 3_000_000);
  assert.deepEqual(
    (await shelf.list('revoked/')).map((one) => one.key),
    ['revoked/last'],
  );
});

test('who tried, came in and left is in the trail and the log, with no password in it', async (t) => {
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    format: 'json',
    secrets: [],
    destination: { write: (line) => lines.push(line) },
  });
  const { stage } = await start(t, { log });
  const client = await openClient(stage.url, 'Ann');
  for (let n = 0; n < 6; n++) await enter(client, 'hunter2-guess', '198.51.100.7');
  assert.equal((await enter(client, passwords.admin)).status, 303);
  await client.call('/logout', { method: 'POST' });
  await stage.core.audit.idle();
  const { entries } = await stage.core.views.audit({ limit: 20 });
  const told = entries.map(({ what, from, times }) => `${what} ${from} ${times}`).reverse();
  assert.deepEqual(told.slice(-4), [
    'login-refused 198.51.100.7 5',
    'locked-out 198.51.100.7 1',
    'login 203.0.113.1 1',
    'logout 127.0.0.1 1',
  ]);
  assert.ok(lines.some((line) => line.includes('login-refused')));
  for (const secret of ['hunter2', passwords.app, passwords.admin]) assert.ok(!lines.join('').includes(secret));
  assert.ok(!JSON.stringify(entries).includes('hunter2'));
});

test('a form that does not end holds its connection for seconds, not minutes', async (t) => {
  const { stage } = await start(t, { now: Date.now });
  const { port } = new URL(stage.url);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const slow = connect(Number(port), '127.0.0.1');
  let answer = '';
  const ended = new Promise<void>((resolve) => slow.on('close', () => resolve()));
  slow.on('data', (data) => {
    answer += String(data);
  });
  slow.on('error', () => {}); // being cut off is what is expected
  slow.write(
    `POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\npassword=`,
  );
  for (let n = 0; n < 200 && answer === ''; n++) {
    t.mock.timers.tick(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  assert.match(answer, /^HTTP\/1\.1 408 /);
});
