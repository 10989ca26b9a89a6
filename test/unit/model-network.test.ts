import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BotError } from '../../src/errors.ts';
import { applyNetworkEnvironment } from '../../src/model/network.ts';
import { startModelServer } from '../sim/model-server.ts';
import { testCertificate, testKey } from './model-certificate.ts';

const source = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, '../..', path)).href);

/** Asks one question in a process of its own, since proxies and certificates are set for a whole process. */
const program = `
const { applyNetworkEnvironment } = await import(${source('src/model/network.ts')});
const { createOpenAiModel } = await import(${source('src/model/openai.ts')});
const { environment, baseUrl } = JSON.parse(process.argv[1]);
const clock = {
  now: () => Date.now(),
  // No pause between tries; the limits are real.
  after(ms, run) {
    const timer = setTimeout(run, ms < 10_000 ? 0 : ms);
    return () => clearTimeout(timer);
  },
};
const log = { debug() {}, warn() {} };
const config = { apiKey: 'k', baseUrl, fallbackModels: [], firstTokenMs: 20_000, idleMs: 20_000, contextTokens: undefined };
const model = createOpenAiModel(config, { clock, random: () => 0, log, countTokens: (text) => text.length });
const messages = [{ role: 'user', content: 'hello' }];
const request = { purpose: 'answer', model: 'm', messages, maxTokens: 50, settings: {}, cacheKey: 'c', promptTokens: 5 };
let heard = '';
try {
  applyNetworkEnvironment(environment);
  for await (const event of model.stream(request, new AbortController().signal)) if (event.type === 'text') heard += event.text;
} catch (error) {
  heard = error.kind + ': ' + error.message;
}
process.stdout.write(heard);
`;

async function askFromChild(baseUrl: string, environment: Record<string, string>): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, JSON.stringify({ environment, baseUrl })],
    {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let heard = '';
  for await (const part of child.stdout) heard += String(part);
  return heard;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listening = <S extends Server>(server: S) =>
  new Promise<S>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));

/** A proxy that leads every name to the same port, and keeps what it was asked for. */
async function startProxy(targetPort: number, refuse = false) {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request, client) => {
    asked.push(request.url ?? '');
    client.on('error', () => {});
    if (refuse) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const upstream = connect(targetPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
  });
  await listening(server);
  return { asked, url: `http://127.0.0.1:${portOf(server)}`, close: () => server.close() };
}

test('the chat API is reached through HTTP_PROXY, and directly where NO_PROXY or loopback says so', async () => {
  const server = await startModelServer({ answer: () => 'through' });
  const proxy = await startProxy(Number(new URL(server.origin).port));
  try {
    assert.equal(
      await askFromChild('http://model.test/v1', { http_proxy: proxy.url, HTTP_PROXY: 'http://127.0.0.1:1' }),
      'through',
    );
    // A connection that was lost is made again: whom it was asked for is what counts.
    assert.deepEqual([...new Set(proxy.asked)], ['model.test:80']);
    const asked = proxy.asked.length;
    assert.equal(await askFromChild(server.url, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url }), 'through');
    assert.equal(proxy.asked.length, asked, 'loopback needs no proxy');
    const name = `${'n'.repeat(64)}.invalid`;
    const direct = await askFromChild(`http://${name}/v1`, { HTTP_PROXY: proxy.url, NO_PROXY: name });
    assert.match(direct, /could not be found/);
    assert.equal(proxy.asked.length, asked, 'what NO_PROXY names goes past the proxy');
  } finally {
    proxy.close();
    await server.close();
  }
});

test('a proxy that refuses is named as the culprit', async () => {
  const proxy = await startProxy(1, true);
  try {
    for (const url of ['http://model.test/v1', 'https://model.test/v1']) {
      const heard = await askFromChild(url, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
      assert.match(heard, /^model: the proxy refused the connection/);
    }
    assert.equal(proxy.asked.length, 2, 'it is not asked again and again');
  } finally {
    proxy.close();
  }
});

test('a certificate of one’s own is refused with the way out, and trusted through NODE_EXTRA_CA_CERTS', async () => {
  const tls = createTlsServer({ key: testKey, cert: testCertificate }, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"choices":[{"message":{"content":"over TLS"},"finish_reason":"stop"}]}');
  });
  await listening(tls);
  await using directory = await mkdtempDisposable(join(tmpdir(), 'model-ca-'));
  const path = join(directory.path, 'ca.pem');
  await writeFile(path, testCertificate);
  try {
    const url = `https://localhost:${portOf(tls)}/v1`;
    assert.match(
      await askFromChild(url, {}),
      /^model: the certificate of localhost:\d+ is not trusted.*NODE_EXTRA_CA_CERTS$/,
    );
    assert.equal(await askFromChild(url, { NODE_EXTRA_CA_CERTS: path }), 'over TLS');
    const missing = await askFromChild(url, { NODE_EXTRA_CA_CERTS: join(directory.path, 'secret') });
    assert.match(missing, /^config: NODE_EXTRA_CA_CERTS: the file cannot be read/);
    assert.doesNotMatch(missing, /secret/);
  } finally {
    tls.close();
    tls.closeAllConnections();
  }
});

test('TLS spoken to a server that knows none ends in a clear line', async () => {
  const server = await startModelServer();
  try {
    const heard = await askFromChild(server.url.replace('http:', 'https:'), {});
    assert.match(heard, /does not speak TLS as expected/);
  } finally {
    await server.close();
  }
});

test('a proxy that cannot be one is named before anything starts, its value untold', () => {
  const isConfig = (name: string) => (error: unknown) =>
    error instanceof BotError &&
    error.kind === 'config' &&
    error.message.startsWith(`${name}: `) &&
    !error.message.includes('secret');
  assert.throws(() => applyNetworkEnvironment({ HTTPS_PROXY: 'user:secret@proxy:3128' }), isConfig('HTTPS_PROXY'));
  assert.throws(() => applyNetworkEnvironment({ HTTP_PROXY: 'socks5://secret:1' }), isConfig('HTTP_PROXY'));
  const nothing = applyNetworkEnvironment({ HTTP_PROXY: ' ', NODE_EXTRA_CA_CERTS: '' });
  assert.deepEqual(nothing, { applied: [], ignored: [] });
});

test('a SOCKS proxy is refused or named as without effect, and never taken for one that is used', () => {
  for (const scheme of ['socks', 'socks4', 'socks5', 'socks5h', 'SOCKS5']) {
    const address = `${scheme}://user:secret@proxy:1080`;
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'https_proxy']) {
      assert.throws(() => applyNetworkEnvironment({ [name]: address }), {
        kind: 'config',
        message: `${name.toUpperCase()}: I do not speak SOCKS; set an http:// or https:// proxy, or remove it`,
      });
    }
    for (const name of ['ALL_PROXY', 'all_proxy']) {
      const { applied, ignored } = applyNetworkEnvironment({ [name]: address });
      assert.deepEqual(applied, []);
      assert.match(ignored.join(), /^ALL_PROXY has no effect: it names a SOCKS proxy, which I do not speak/);
      assert.doesNotMatch(ignored.join(), /secret/);
    }
  }
  const { ignored } = applyNetworkEnvironment({ ALL_PROXY: 'http://proxy:3128' });
  assert.match(ignored.join(), /^ALL_PROXY has no effect: I read HTTPS_PROXY and HTTP_PROXY only/);
});
