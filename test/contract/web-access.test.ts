import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { type StageOptions, startWebStage, type WebStage } from './web.ts';
import { openClient, type WebClient } from './web-client.ts';

/** Who gets in, what they may, and what the server says to everybody else. */

const warnings: Error[] = [];
process.on('warning', (warning) => warnings.push(warning));

const passwords = { app: 'open sesame', admin: 'let me administer' };
const store = createStore(createMemoryBackend());
let time = Date.UTC(2026, 10, 21, 12);
const now = (): number => time;
const guarded = await startWebStage({ passwords, isLoopback: false, store, now });
const open = await startWebStage();
after(async () => {
  await guarded.close();
  await open.close();
});

const own = encodeURIComponent('web/console/general');
const foreign = encodeURIComponent('slack/T1/C1');

function pathOf(route: Pick<WebStage['web']['routes'][number], 'path'>, key: string): string {
  return route.path.replace(':key', key).replace(':id', 'x').replace('*', 'x');
}

async function attempt(client: WebClient, route: WebStage['web']['routes'][number], key = own) {
  const { method } = route;
  return await client.call(pathOf(route, key), { method, ...(method === 'GET' ? {} : { body: {} }) });
}

/** Addressed by a name of one's own choice, and with the path as it is. */
async function raw(url: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('error', reject).end();
  });
}

test('nothing but the way in is open to whoever has not logged in', async () => {
  const stranger = await openClient(guarded.url, 'Stranger');
  const isOpen: string[] = [];
  for (const route of guarded.web.routes) {
    if (route.rights === 'public') isOpen.push(`${route.method} ${route.path}`);
    else {
      const { status, headers, text } = await attempt(stranger, route);
      const isPage = route.method === 'GET' && !route.path.startsWith('/api/');
      const name = `${route.method} ${route.path}`;
      assert.equal(status, isPage ? 303 : 401, name);
      assert.equal(headers.get('location'), isPage ? '/login' : null, name);
      if (!isPage) assert.deepEqual(JSON.parse(text), { problem: 'Log in first.' }, name);
    }
  }
  assert.deepEqual(isOpen, ['GET /login', 'POST /login', 'POST /logout', 'GET /assets/*', 'GET /vendor/*']);
});

test('with the console’s password, nothing that is for admins is had', async () => {
  const visitor = await openClient(guarded.url, 'Visitor', passwords.app);
  for (const route of guarded.web.routes.filter((one) => one.rights !== 'public')) {
    const name = `${route.method} ${route.path}`;
    const { status } = await attempt(visitor, route, route.rights === 'any' ? foreign : own);
    if (route.path === '/usage') assert.equal(status, 303, name);
    else if (route.rights === 'admin' || route.rights === 'any') assert.equal(status, 403, name);
    else if (['DELETE', 'PATCH'].includes(route.method))
      assert.equal(status, 403, 'only whoever made a channel, or an admin');
    else assert.ok(![401, 403].includes(status), `${name}: ${status}`);
  }
});

test('with the admins’ password, everything is had', async () => {
  const admin = await openClient(guarded.url, 'Admin', passwords.admin);
  for (const route of guarded.web.routes) {
    if (route.rights === 'public' || route.path.endsWith('/events') || route.method === 'DELETE') continue;
    if (route.path.startsWith('/logout')) continue;
    const { status } = await attempt(admin, route);
    assert.ok(![401, 403].includes(status), `${route.method} ${route.path}: ${status}`);
  }
});

test('what shows memory or usage asks the one policy, by the command that shows the same', async (t) => {
  const restricted = 'memory show, usage';
  const stage = await startWebStage({ passwords, isLoopback: false, env: { RESTRICTED_COMMANDS: restricted } });
  t.after(() => stage.close());
  const [visitor, admin] = [
    await openClient(stage.url, 'Ann', passwords.app),
    await openClient(stage.url, 'Admin', passwords.admin),
  ];
  // Of these nothing is shown that a command shows: the channel itself, and commands that ask the policy themselves.
  const free = [
    'GET /api/channels/:key/turns',
    'GET /api/channels/:key/events',
    'POST /api/memory/:key/orders',
    'POST /logout/everybody',
  ];
  const asked: string[] = [];
  for (const route of stage.web.routes) {
    const name = `${route.method} ${route.path}`;
    const shows =
      /^\/(api\/(memory|usage|audit|export)|usage|audit|metrics)\b/.test(route.path) && route.method === 'GET';
    if (shows) assert.ok('command' in route && route.command !== undefined, `${name} names no command`);
    if (!('command' in route)) continue;
    if (route.command === undefined) {
      assert.ok(free.includes(name), `${name} names no command`);
      continue;
    }
    asked.push(name);
    const given = await attempt(visitor, route);
    assert.equal(given.status, route.path === '/usage' ? 303 : 403, name);
    assert.notEqual((await attempt(admin, route)).status, 403, name);
  }
  assert.ok(asked.length >= 7, asked.join());
  const said = async (path: string): Promise<string> => JSON.parse((await visitor.call(path)).text).problem;
  assert.equal(await said(`/api/memory/${own}`), 'RESTRICTED_COMMANDS leaves /memory show to admins.');
  assert.equal(await said(`/api/memory/${own}/prompt`), 'Only admins may use /memory prompt.');
});

test('lists of who may talk, and where, keep no admin from looking; and everybody else from looking, too', async (t) => {
  const env = { ALLOWED_USERS: 'slack:U1', ALLOWED_CHANNELS: 'slack:C1' };
  const stage = await startWebStage({ passwords, isLoopback: false, env });
  t.after(() => stage.close());
  const admin = await openClient(stage.url, 'Admin', passwords.admin);
  const visitor = await openClient(stage.url, 'Ann', passwords.app);
  for (const path of [`/api/memory/${own}`, `/api/memory/${own}/prompt`, '/usage', '/api/audit']) {
    assert.equal((await admin.call(path)).status, 200, path);
  }
  const refused = await visitor.call(`/api/memory/${own}`);
  assert.deepEqual([refused.status, /ALLOWED_CHANNELS/.test(refused.text)], [403, true]);
});

test('what somebody is refused is in the trail, once for many times', async (t) => {
  const stage = await startWebStage({ passwords, isLoopback: false });
  t.after(() => stage.close());
  const visitor = await openClient(stage.url, 'Ann', passwords.app);
  for (let n = 0; n < 3; n++) await visitor.call(`/api/memory/${own}/prompt`);
  await stage.core.audit.idle();
  const { entries } = await stage.core.views.audit({ limit: 5 });
  const [{ id: _, at: __, lastAt: ___, ...noted } = assert.fail('nothing is noted')] = entries;
  const detail = 'GET /api/memory/:key/prompt';
  assert.deepEqual(noted, { what: 'refused', who: `web:${visitor.person().id}`, from: '127.0.0.1', detail, times: 3 });
});

test('a browser is told in words why it gets no page; programs get the same as JSON', async () => {
  const visitor = await openClient(guarded.url, 'Ann', passwords.app);
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  for (const path of ['/nothing', '/assets/nothing.css', '/api/nothing', '/api/files/x']) {
    const page = await visitor.call(path, { headers: { accept } });
    assert.deepEqual([page.status, page.headers.get('content-type')], [404, 'text/html; charset=utf-8'], path);
    assert.match(page.text, /<p>(There is nothing here|This file is no longer there)[^<]*<\/p>/);
    const plain = await visitor.call(path);
    assert.deepEqual([plain.status, typeof JSON.parse(plain.text).problem], [404, 'string'], path);
  }
  const usage = await visitor.call('/usage', { headers: { accept } });
  assert.equal(usage.headers.get('location'), '/login?for=admins');
  const login = await visitor.call('/login?for=admins');
  assert.match(login.text, /role="alert">That page is for admins\. Log in with the admin password\./);
  assert.doesNotMatch((await visitor.call('/login?for=%3Cb%3E')).text, /role="alert"/);
});

test('what changes something is refused to other sites’ pages', async () => {
  const admin = await openClient(guarded.url, 'Admin', passwords.admin);
  const changing = guarded.web.routes.filter((one) => one.method !== 'GET');
  const asked: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${guarded.url}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  assert.ok(changing.length >= 12);
  for (const { method, path } of changing) {
    for (const headers of asked) {
      const { status } = await admin.call(pathOf({ path }, own), { method, body: {}, headers });
      assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
    }
    if (!path.startsWith('/api/')) continue;
    const without = await admin.call(pathOf({ path }, own), {
      method,
      body: {},
      headers: { 'x-channelore': '' },
    });
    assert.equal(without.status, 403, `${method} ${path} without the header`);
  }
});

test('what is read is refused to other sites’ pages, and a form of theirs is no JSON', async () => {
  const visitor = await openClient(open.url, 'Ann');
  for (const site of ['cross-site', 'same-site']) {
    assert.equal((await visitor.call('/api/channels', { headers: { 'sec-fetch-site': site } })).status, 403);
    assert.equal((await visitor.call('/', { headers: { 'sec-fetch-site': site } })).status, 200, 'a link to it works');
  }
  const headers = { 'content-type': 'text/plain' };
  const form = await visitor.call('/api/channels', { method: 'POST', raw: '{"name":"x"}', headers });
  assert.equal(form.status, 415);
});

test('a console without a password answers to the names of this machine only', async () => {
  const { port } = new URL(open.url);
  for (const host of [`localhost:${port}`, '127.0.0.1', `[::1]:${port}`, '127.0.0.2:80']) {
    assert.equal(await raw(open.url, '/api/me', { host }), 200, host);
  }
  for (const host of ['evil.example', 'localhost.evil.example', `127.0.0.1.evil.example:${port}`, '10.0.0.1']) {
    assert.equal(await raw(open.url, '/api/me', { host }), 403, host);
    for (const path of ['/', '/login', '/healthz', '/readyz', '/metrics', '/assets/theme.ts', '/nothing']) {
      assert.equal(await raw(open.url, path, { host }), 403, `${host}${path}`);
    }
  }
});

test('a console without a password answers to nobody’s proxy', async () => {
  const told = ['forwarded', 'via', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];
  for (const name of [...told, 'X-Forwarded-Anything']) {
    for (const path of ['/', '/api/me', '/api/channels', '/login', '/healthz', '/metrics', '/assets/theme.ts']) {
      assert.equal(await raw(open.url, path, { [name]: '127.0.0.1' }), 403, `${name} ${path}`);
    }
  }
  assert.equal(await raw(guarded.url, '/login', { 'x-forwarded-for': '127.0.0.1' }), 200, 'with one it does');
});

test('a console with passwords answers to addresses, and to the name that people use', async (t) => {
  const named = await startWebStage({ passwords, isLoopback: false, publicUrl: 'https://bot.example.org' });
  t.after(() => named.close());
  for (const host of ['192.168.1.5:7860', '[fe80::1]:7860', 'localhost', 'channelore:7860']) {
    assert.equal(await raw(guarded.url, '/login', { host }), 200, host);
  }
  for (const host of ['bot.example.org', 'evil.example', '192.168.1.5.evil.example', 'a@localhost']) {
    for (const path of ['/login', '/healthz', '/metrics'])
      assert.equal(await raw(guarded.url, path, { host }), 403, `${host}${path}`);
  }
  assert.equal(await raw(named.url, '/login', { host: 'bot.example.org' }), 200);
  assert.equal(await raw(named.url, '/login', { host: 'other.example.org' }), 403);
  const origin = 'https://bot.example.org';
  const login = { method: 'POST', raw: `password=${passwords.app}`, headers: { origin } };
  assert.equal((await (await openClient(named.url, 'Ann')).call('/login', login)).status, 303);
  assert.equal((await (await openClient(guarded.url, 'Ann')).call('/login', login)).status, 403);
});

test('without passwords on this machine whoever comes is an admin, and stays who they are', async () => {
  const visitor = await openClient(open.url, 'Ann');
  const me = JSON.parse((await visitor.call('/api/me')).text);
  assert.deepEqual([me.admin, me.hasLogin, me.person], [true, false, visitor.person()]);
  assert.match(me.person.id, /^[0-9a-f]{16}$/);
  const other = await openClient(open.url, 'Ben');
  assert.notEqual(other.person().id, visitor.person().id);
});

test('where only admins have a password, the console is open and admin pages are not', async (t) => {
  const stage = await startWebStage({ passwords: { app: undefined, admin: passwords.admin } });
  t.after(() => stage.close());
  const visitor = await openClient(stage.url, 'Ann');
  assert.deepEqual((await visitor.call('/api/channels')).status, 200);
  assert.deepEqual((await visitor.call('/api/usage?from=2026-11-01&to=2026-11-02')).status, 403);
  const before = visitor.person();
  const login = { method: 'POST', raw: 'password=let+me+administer' };
  assert.equal((await visitor.call('/login', login)).headers.get('location'), '/');
  const me = JSON.parse((await visitor.call('/api/me')).text);
  assert.deepEqual([me.admin, me.person.name], [true, before.name]);
  assert.notEqual(me.person.id, before.id, 'whoever put the first cookie there shares nothing of what comes now');
});

test('a session’s cookie is out of reach for scripts and other sites, and goes only over https where that is used', async (t) => {
  const proxied = await startWebStage({ passwords, isLoopback: false, trustedProxies: ['127.0.0.1'] });
  t.after(() => proxied.close());
  const visitor = await openClient(proxied.url, 'Ann');
  const login = (headers: Record<string, string>) =>
    visitor.call('/login', { method: 'POST', raw: `password=${passwords.app}`, headers });
  const plain = (await login({})).headers.get('set-cookie') ?? '';
  assert.match(plain, /; Path=\/; HttpOnly; SameSite=Strict$/);
  const secure = (await login({ 'x-forwarded-proto': 'https' })).headers.get('set-cookie') ?? '';
  assert.match(secure, /; HttpOnly; Secure; SameSite=Strict$/);
  const stranger = await openClient(guarded.url, 'Ann');
  const form = { method: 'POST', raw: `password=${passwords.app}`, headers: { 'x-forwarded-proto': 'https' } };
  assert.match((await stranger.call('/login', form)).headers.get('set-cookie') ?? '', /HttpOnly; SameSite=Strict$/);
});

test('a cookie that was changed, made elsewhere, or is too old lets nobody in', async (t) => {
  const visitor = await openClient(guarded.url, 'Ann', passwords.app);
  const [name = '', token = ''] = visitor.cookie().split('; ')[0]?.split('=') ?? [];
  const status = async (value: string, url = guarded.url) => {
    return (await fetch(`${url}/api/me`, { headers: { cookie: `${name}=${value}` } })).status;
  };
  assert.equal(await status(token), 200);
  const [body = '', mark = ''] = token.split('.');
  const promoted = Buffer.from(body, 'base64url').toString().replace('"console"', '"admin"');
  assert.notEqual(Buffer.from(promoted).toString('base64url'), body);
  const forged = [`${Buffer.from(promoted).toString('base64url')}.${mark}`, body, `${body}.`, `.${mark}`, 'x', '.', ''];
  for (const value of [...forged, `${body}.${'A'.repeat(mark.length)}`, 'a'.repeat(7000)]) {
    assert.equal(await status(value), 401, value.slice(0, 50));
  }
  const changed = { app: 'another one', admin: passwords.admin };
  const restarted = await startWebStage({ passwords: changed, isLoopback: false, store, now });
  t.after(() => restarted.close());
  assert.equal(await status(token, restarted.url), 401, 'after another password was set');
  const same = await startWebStage({ passwords, isLoopback: false, store, now });
  t.after(() => same.close());
  assert.equal(await status(token, same.url), 200, 'after a restart');
  time += 31 * 86_400_000;
  assert.equal(await status(token), 401, 'a month later');
});

test('whoever logs out is out', async () => {
  const visitor = await openClient(guarded.url, 'Ann', passwords.app);
  assert.equal((await visitor.call('/api/me')).status, 200);
  const out = await visitor.call('/logout', { method: 'POST' });
  assert.deepEqual([out.status, out.headers.get('location')], [303, '/login']);
  assert.match(out.headers.get('set-cookie') ?? '', /=; Max-Age=0/);
  assert.equal((await visitor.call('/api/me')).status, 401);
});

test('passwords can be tried a few times, then after growing waits, and many at once are many', async (t) => {
  const stage = await startWebStage({ passwords, isLoopback: false, now });
  t.after(() => stage.close());
  const enter = async (password: string) => {
    const form = { method: 'POST', body: new URLSearchParams({ password }), redirect: 'manual' as const };
    const answer = await fetch(`${stage.url}/login`, form);
    return { status: answer.status, wait: Number(answer.headers.get('retry-after') ?? 0), text: await answer.text() };
  };
  const first = await Promise.all(Array.from({ length: 12 }, () => enter('guess')));
  assert.deepEqual(
    first.map((one) => one.status).sort((a, b) => a - b),
    [401, 401, 401, 401, 401, 429, 429, 429, 429, 429, 429, 429],
  );
  const right = await enter(passwords.app);
  assert.deepEqual([right.status, right.wait], [429, 2], 'not even the right one is looked at');
  assert.match(right.text, /role="alert">Too many attempts\. Try again in 2 s\./);
  const waits: number[] = [];
  for (let n = 0; n < 9; n++) {
    const { wait } = await enter('guess');
    waits.push(wait);
    time += wait * 1000;
    assert.equal((await enter('guess')).status, 401);
  }
  assert.deepEqual(waits, [2, 4, 8, 16, 32, 60, 60, 60, 60]);
  time += 60_000;
  assert.equal((await enter(passwords.app)).status, 303);
  assert.equal((await enter('guess')).status, 401);
  assert.equal((await enter('guess')).wait, 60, 'the right one has taken nothing back but itself');
  time += 24 * 3_600_000;
  for (let n = 0; n < 5; n++) assert.equal((await enter('guess')).status, 401, 'after a day, the count begins anew');
});

test('the documents load nothing but ours, and everything they name is there', async () => {
  const page = await fetch(`${open.url}/`);
  const text = await page.text();
  const map = /<script type="importmap">(.*?)<\/script>/s.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(map).digest('base64');
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.ok(policy.startsWith(`default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self';`), policy);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.match(policy, /form-action 'self'; frame-ancestors 'none'; base-uri 'none'/);
  const named = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((one) => one[1] ?? '');
  const vendored = Object.values<string>(JSON.parse(map).imports);
  assert.ok(named.length >= 5 && vendored.length >= 20);
  for (const path of [...named, ...vendored]) {
    const { status, headers } = await fetch(open.url + path, { headers: { 'accept-encoding': 'identity' } });
    assert.equal(status, 200, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
    const type = headers.get('content-type') ?? '';
    if (/\.(ts|m?js)$/.test(path)) assert.match(type, /^text\/javascript/, path);
  }
});

test('what browsers load is packed, sent once, and without a word in the log', async () => {
  const get = async (headers: Record<string, string>) => {
    const answer = await fetch(`${open.url}/assets/theme.ts`, { headers });
    return { answer, text: await answer.text() };
  };
  const plain = await get({ 'accept-encoding': 'identity' });
  for (const encoding of ['br', 'gzip']) {
    const { answer, text } = await get({ 'accept-encoding': encoding });
    assert.deepEqual([answer.headers.get('content-encoding'), text], [encoding, plain.text]);
  }
  const etag = plain.answer.headers.get('etag') ?? '';
  const again = await get({ 'if-none-match': `"other", W/${etag}` });
  assert.deepEqual([again.answer.status, again.text], [304, '']);
  assert.equal((await get({ 'accept-encoding': 'br;q=0' })).answer.headers.get('content-encoding'), null);
  assert.match(await (await fetch(`${open.url}/assets/place.ts`)).text(), /export function addressOf\(id\s+\)/);
  assert.deepEqual(warnings, []);
});

test('no other file is had, however its path is written', async () => {
  const paths = [
    '/assets/../../../package.json',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/web.ts',
    '/assets/../web.ts',
    '/assets/styles/../../web.ts',
    '/assets/..\\web.ts',
    '/assets/page.html',
    '/assets/login.html',
    '/assets/notice.html',
    '/assets/tsconfig.json',
    '/assets//etc/passwd',
    '/assets/theme.ts%00.css',
    '/assets/',
    '/vendor/../package.json',
    '/vendor/preact/dist/preact.mjs',
    '/vendor/hono@4/package.json',
    '/vendor/%2e%2e%2f%2e%2e%2fpackage.json',
    '/page/page.html',
    '/package.json',
    '/constructor',
    '//assets/theme.ts',
    '/api/nothing',
  ];
  for (const path of paths) {
    const status = await raw(open.url, path);
    assert.ok(status === 404 || status === 400, `${path}: ${status}`);
  }
  assert.equal(await raw(open.url, '/assets/theme.ts'), 200);
});

test('a tour is offered to whoever may change settings, where answers cost nothing', async (t) => {
  const tourOf = async (options: StageOptions, password?: string): Promise<boolean> => {
    const one = await startWebStage(options);
    t.after(() => one.close());
    const client = await openClient(one.url, 'Ann', password);
    return JSON.parse((await client.call('/api/me')).text).tour;
  };
  const both = { passwords: { app: 'open sesame 1', admin: 'open sesame 2' } };
  assert.equal(await tourOf({}), true);
  assert.equal(await tourOf(both, both.passwords.admin), true);
  assert.equal(await tourOf(both, both.passwords.app), false);
  assert.equal(await tourOf({ host: { isFree: false } }), false);
});
