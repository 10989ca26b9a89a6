import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { newFolder, startProgram } from './program.ts';
import { bareNginx, caddy, documentedNginx, publicHost, startProxy } from './proxy.ts';
import { addressOf } from './web-setup.ts';

/** The real program behind a real proxy that does what docs/proxy.md tells operators to set up. */

const passwords = { APP_PASSWORD: 'open sesame', ADMIN_PASSWORD: 'let me administer' };
const proxied = { ...passwords, PUBLIC_URL: `https://${publicHost}`, TRUSTED_PROXIES: '127.0.0.1' };

async function start(t: TestContext, env: Record<string, string>): Promise<string> {
  const program = startProgram({ args: [], env: { DATA_DIR: newFolder(t), ...env } });
  t.after(() => program.signal('SIGTERM'));
  const line = await program.line(({ msg }) => /^health .*on http/.test(String(msg)));
  if (env.PUBLIC_URL !== undefined) await program.line(({ msg }) => String(msg).endsWith(env.PUBLIC_URL ?? ''));
  return /http:\/\/127\.0\.0\.1:\d+/.exec(String(line.msg))?.[0] ?? (await addressOf(program));
}

async function via(t: TestContext, to: string, headers: typeof caddy, client = '203.0.113.7') {
  const proxy = await startProxy({ to, client, headers });
  t.after(() => proxy.close());
  return async (path: string, more: { method?: string; body?: string; headers?: Record<string, string> } = {}) => {
    const { method = 'GET', body, headers: own = {} } = more;
    // As a browser that has typed the public address sends it.
    const browser = { host: publicHost, ...own };
    const posting = method === 'GET' ? {} : { origin: `https://${publicHost}`, 'x-channelore': '1' };
    const call = request(proxy.url + path, { method, headers: { ...browser, ...posting, ...own }, agent: false });
    call.end(body);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    return response;
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };

test('without a password nobody gets through a proxy, whatever it sends', async (t) => {
  const url = await start(t, {});
  assert.equal((await fetch(`${url}/api/me`)).status, 200);
  for (const headers of [bareNginx, caddy, documentedNginx()]) {
    const get = await via(t, url, headers);
    for (const path of ['/', '/api/me', '/api/channels', '/healthz', '/readyz', '/metrics']) {
      const response = await get(path);
      const text = await textOf(response);
      assert.equal(response.statusCode, 403, path);
      assert.match(text, /^This request came through a proxy[^\n]+\n$/);
    }
  }
});

for (const [name, headers] of [
  ['nginx', documentedNginx()],
  ['Caddy', caddy],
] as const) {
  test(`behind ${name} as it is documented people log in, read along as it is written, and are told apart`, async (t) => {
    assert.ok(headers.length >= 4);
    const url = await start(t, proxied);
    const ann = await via(t, url, headers);
    assert.equal((await ann('/login')).resume().statusCode, 200);
    assert.equal((await ann('/api/me')).resume().statusCode, 401);
    const entered = await ann('/login', { method: 'POST', body: `password=${passwords.APP_PASSWORD}`, headers: form });
    const [cookie = ''] = entered.resume().headers['set-cookie'] ?? [];
    assert.equal(entered.statusCode, 303);
    assert.match(cookie, /; Secure; /);
    const own = { cookie: cookie.split(';')[0] ?? '' };
    const me = await ann('/api/me', { headers: own });
    assert.equal(JSON.parse(await textOf(me)).admin, false);

    const key = encodeURIComponent('web/console/general');
    const stream = await ann(`/api/channels/${key}/events`, { headers: own });
    assert.match(stream.headers['content-type'] ?? '', /^text\/event-stream/);
    // Nothing ends the stream: what comes was held back by nobody.
    const [first] = await once(stream, 'data');
    assert.match(String(first), /^: ready/);
    stream.destroy();

    const forged = { ...form, 'x-forwarded-for': '203.0.113.8' };
    const guess = { method: 'POST', body: 'password=guess', headers: forged };
    const guesser = await via(t, url, headers, '198.51.100.1');
    const answers: number[] = [];
    for (let n = 0; n < 7; n++) answers.push((await guesser('/login', guess)).resume().statusCode ?? 0);
    assert.deepEqual(answers, [401, 401, 401, 401, 401, 429, 429]);
    const ben = await via(t, url, headers, '203.0.113.8');
    const let2 = await ben('/login', { method: 'POST', body: `password=${passwords.ADMIN_PASSWORD}`, headers: form });
    assert.equal(let2.resume().statusCode, 303, 'who has another address does not wait for a guesser');
  });
}

test('a proxy that nobody vouched for is not believed', async (t) => {
  const url = await start(t, passwords);
  const get = await via(t, url, bareNginx);
  const guess = async (from: string) =>
    (
      await get('/login', {
        method: 'POST',
        body: 'password=guess',
        headers: { ...form, 'x-forwarded-for': from, 'sec-fetch-site': 'same-origin' },
      })
    ).resume().statusCode;
  const answers: (number | undefined)[] = [];
  for (let n = 0; n < 6; n++) answers.push(await guess(`203.0.113.${n}`));
  assert.deepEqual(answers, [401, 401, 401, 401, 401, 429]);
});

test('the log names addresses that can be opened, and numbers only where they are', async (t) => {
  const env = { ...proxied, HOST: '0.0.0.0', DATA_DIR: newFolder(t) };
  const program = startProgram({ args: [], env });
  t.after(() => program.signal('SIGTERM'));
  const health = await program.line(({ msg }) => String(msg).startsWith('health '));
  assert.match(String(health.msg), /^health on http:\/\/localhost:\d+$/);
  const console = await program.line(({ msg }) => String(msg).startsWith('the web console'));
  assert.equal(console.msg, `the web console is open: https://${publicHost}`);
  const url = String(health.msg).replace('health on ', '');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal((await fetch(`${url}/metrics`)).status, 404);
});

test('with a platform and no password for admins, the log says what to set to see its channels', async (t) => {
  const env = { DATA_DIR: newFolder(t), DISCORD_BOT_TOKEN: 'a.b.c', DISCORD_API_URL: 'http://127.0.0.1:9' };
  const program = startProgram({ args: [], env });
  t.after(() => program.signal('SIGKILL'));
  const line = await program.line(({ msg }) => String(msg).includes('ADMIN_PASSWORD'));
  assert.match(String(line.msg), /^the web console shows its own channels only: set ADMIN_PASSWORD/);
});
