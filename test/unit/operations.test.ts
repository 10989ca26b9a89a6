import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BotError } from '../../src/errors.ts';
import { createCallers } from '../../src/operations/callers.ts';
import { type Health, startOperations } from '../../src/operations/http.ts';
import { createMetrics } from '../../src/operations/metrics.ts';

const rules = { host: '127.0.0.1', isLoopback: true, hasPassword: false, trustedProxies: [], publicUrl: undefined };
const callers = createCallers(rules);

async function start(t: TestContext, health: () => Promise<Health>) {
  const metrics = createMetrics();
  const operations = await startOperations({ host: '127.0.0.1', port: 0, health, metrics, callers });
  t.after(() => operations.close());
  return {
    metrics,
    operations,
    get: (path: string, init = {}) => fetch(`http://127.0.0.1:${operations.port}${path}`, init),
  };
}

const well = async (): Promise<Health> => ({ ready: true, parts: [{ name: 'store', ready: true, detail: 'writes' }] });

test('the process says that it lives even when a part of it does not', async (t) => {
  const { get } = await start(t, () => Promise.reject(new Error('broken')));
  const response = await get('/healthz?probe=1');
  assert.deepEqual([response.status, await response.text()], [200, 'ok\n']);
});

test('readiness tells every part truthfully, with 503 as soon as one is not', async (t) => {
  let health = await well();
  const { get } = await start(t, async () => health);
  const ready = await get('/readyz');
  assert.deepEqual([ready.status, await ready.json()], [200, health]);
  health = { ready: false, parts: [...health.parts, { name: 'slack', ready: false, detail: 'reconnecting' }] };
  const not = await get('/readyz');
  assert.deepEqual([not.status, await not.json()], [503, health]);
});

test('a readiness check that fails means not ready', async (t) => {
  const { get } = await start(t, () => Promise.reject(new Error('secret inside')));
  const response = await get('/readyz');
  const text = await response.text();
  assert.equal(response.status, 503);
  assert.match(text, /the check itself failed/);
  assert.ok(!text.includes('secret'));
});

test('a readiness check that hangs means not ready', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = Promise.withResolvers<void>();
  const { operations } = await start(t, () => {
    asked.resolve();
    return new Promise(() => {});
  });
  const call = request({ host: '127.0.0.1', port: operations.port, path: '/readyz' }).end();
  const answered = once(call, 'response');
  await asked.promise;
  t.mock.timers.tick(3_000);
  const [response] = await answered;
  assert.equal(response.statusCode, 503);
  response.resume();
});

test('what was counted is there for Prometheus, with the process and its event loop', async (t) => {
  const { metrics, get } = await start(t, well);
  metrics.turnEnded('answered');
  metrics.turnEnded('answered');
  metrics.turnEnded('busy');
  metrics.firstToken(300);
  metrics.modelCalled('model');
  metrics.failed('store');
  metrics.folded('written');
  metrics.storeFailed('read');
  let queue = { waiting: 4, running: 2 };
  metrics.watchQueue(() => queue);
  const response = await get('/metrics');
  const text = await response.text();
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'channelore_turns_total{outcome="answered"} 2',
    'channelore_turns_total{outcome="busy"} 1',
    'channelore_first_token_seconds_bucket{le="0.2"} 0',
    'channelore_first_token_seconds_bucket{le="0.5"} 1',
    'channelore_model_calls_total{outcome="model"} 1',
    'channelore_failures_total{kind="store"} 1',
    'channelore_folds_total{outcome="written"} 1',
    'channelore_store_failures_total{operation="read"} 1',
    'channelore_queue_length 4',
    'channelore_running 2',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} is missing`);
  }
  assert.match(text, /^process_resident_memory_bytes \d/m);
  queue = { waiting: 0, running: 1 };
  assert.match(await (await get('/metrics')).text(), /^channelore_queue_length 0$/m);
});

test('a blocked event loop shows in the metrics, and the next reading starts anew', async () => {
  const metrics = createMetrics();
  const longest = async () =>
    Number(/^channelore_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(await metrics.render())?.[1]);
  await sleep(30);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await sleep(30);
  assert.ok((await longest()) >= 0.25);
  assert.ok((await longest()) < 0.2);
});

test('two sets of metrics do not share their numbers', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.failed('bug');
  assert.match(await one.render(), /channelore_failures_total\{kind="bug"\} 1/);
  assert.doesNotMatch(await other.render(), /channelore_failures_total\{/);
});

test('any other page is not found, and nothing but reading is allowed', async (t) => {
  const { get } = await start(t, well);
  const statuses = ['/', '/metrics/x', '/constructor', '//readyz'].map(async (path) => (await get(path)).status);
  assert.deepEqual(await Promise.all(statuses), [404, 404, 404, 404]);
  const post = await get('/metrics', { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  const head = await get('/readyz', { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
});

test('a port in use, or an address that is not ours, is a setting to correct, by name', async (t) => {
  const { operations } = await start(t, well);
  const attempt = (host: string, port: number) =>
    startOperations({ host, port, health: well, metrics: createMetrics(), callers });
  const config = (words: RegExp) => (error: unknown) =>
    error instanceof BotError && error.kind === 'config' && words.test(error.message) && error.cause instanceof Error;
  await assert.rejects(attempt('127.0.0.1', operations.port), config(new RegExp(`PORT ${operations.port} .* in use`)));
  await assert.rejects(attempt('192.0.2.1', 0), config(/^HOST 192\.0\.2\.1/));
});

test('closing does not wait for a client that never ends its request', async (t) => {
  const { operations, get } = await start(t, well);
  const half = connect(operations.port, '127.0.0.1');
  half.on('error', () => {}); // being cut off is what is expected
  half.write('GET /healthz HTTP/1.1\r\n');
  await (await get('/healthz')).text();
  await operations.close();
  await assert.rejects(get('/healthz'));
});

test('other pages stand beside these on the same address, and do not stand before them', async (t) => {
  const more = (_: IncomingMessage, response: ServerResponse): boolean => {
    response.end('the console');
    return true;
  };
  const options = { host: '127.0.0.1', port: 0, health: well, metrics: createMetrics(), callers, more };
  const operations = await startOperations(options);
  t.after(() => operations.close());
  const text = async (path: string) => (await fetch(`http://127.0.0.1:${operations.port}${path}`)).text();
  assert.deepEqual([await text('/healthz'), await text('/')], ['ok\n', 'the console']);
});

test('numbers stay off a port that others reach, unless they get one of their own', async (t) => {
  const options = { host: '127.0.0.1', port: 0, health: well, metrics: createMetrics(), callers };
  const silent = await startOperations({ ...options, metricsPort: 'none' });
  t.after(() => silent.close());
  const ownPort = await freePort();
  const apart = await startOperations({ ...options, metricsPort: ownPort });
  t.after(() => apart.close());
  const status = async (port: number | undefined, path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  assert.deepEqual([await status(silent.port, '/metrics'), silent.metricsPort], [404, undefined]);
  assert.deepEqual([await status(apart.port, '/metrics'), await status(apart.port, '/healthz')], [404, 200]);
  assert.deepEqual([await status(ownPort, '/metrics'), await status(ownPort, '/healthz')], [200, 404]);
});

test('a port for numbers that is in use is named, and nothing else is left listening', async (t) => {
  const { operations } = await start(t, well);
  const port = await freePort();
  const options = { host: '127.0.0.1', port, health: well, metrics: createMetrics(), callers };
  await assert.rejects(
    startOperations({ ...options, metricsPort: operations.port }),
    new RegExp(`METRICS_PORT ${operations.port} .* in use`),
  );
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
});

test('what came through a proxy, or for a name that is not ours, gets no health and no numbers from any port', async (t) => {
  const more = (_: IncomingMessage, response: ServerResponse): boolean => {
    response.end('the console');
    return true;
  };
  const ownPort = await freePort();
  const options = { host: '127.0.0.1', port: 0, health: well, metrics: createMetrics(), callers, more };
  const refused: string[] = [];
  const onRefused = (address: string) => void refused.push(address);
  const operations = await startOperations({ ...options, metricsPort: ownPort, onRefused });
  t.after(() => operations.close());
  const status = async (port: number, path: string, headers: Record<string, string>) => {
    const call = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
    const [response] = await once(call, 'response');
    response.resume();
    return response.statusCode;
  };
  for (const headers of [{ host: 'rebound.example' }, { via: '1.1 squid' }, { 'x-forwarded-for': '127.0.0.1' }]) {
    for (const path of ['/healthz', '/readyz', '/', '/nothing']) {
      assert.equal(await status(operations.port, path, headers), 403, `${path} ${JSON.stringify(headers)}`);
    }
    assert.equal(await status(ownPort, '/metrics', headers), 403);
  }
  assert.equal(await status(ownPort, '/metrics', {}), 200);
  assert.deepEqual([refused.length, new Set(refused)], [15, new Set(['127.0.0.1'])]);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  server.close();
  await once(server, 'close');
  return address.port;
}
