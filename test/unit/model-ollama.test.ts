import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { findOllama } from '../../src/model/ollama.ts';

async function withServer(answer: RequestListener, check: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says =
  (body: unknown): RequestListener =>
  (request, response) => {
    response.end(request.url === '/api/tags' ? JSON.stringify(body) : '{}');
  };

test('a local Ollama is found with the models that can chat', async () => {
  const models = [
    { name: 'nomic-embed-text:latest', details: { family: 'nomic-bert' } },
    { name: 'llama3.2:latest', details: { family: 'llama' } },
    { name: 'qwen3:4b', capabilities: ['completion', 'tools'], details: null },
    { name: 'odd:latest', capabilities: ['embedding'] },
  ];
  await withServer(says({ models }), async (url) => {
    assert.deepEqual(await findOllama(url, 5000), { baseUrl: `${url}/v1`, models: ['llama3.2:latest', 'qwen3:4b'] });
  });
});

test('an Ollama without a model to chat with is none', async () => {
  await withServer(says({ models: [] }), async (url) => assert.equal(await findOllama(url, 5000), undefined));
});

test('something else on its port is no Ollama, and no error', async () => {
  const others: RequestListener[] = [
    (_request, response) => void response.end('<html>'),
    (_request, response) => void response.end('{"models":"many"}'),
    (request) => void request.socket.destroy(),
    (_request, response) => void response.writeHead(500).end('{}'),
  ];
  for (const other of others) {
    await withServer(other, async (url) => assert.equal(await findOllama(url, 5000), undefined));
  }
});

test('one that says nothing, or talks without end, is not waited for', async () => {
  await withServer(
    () => {},
    async (url) => assert.equal(await findOllama(url, 20), undefined),
  );
  await withServer(
    (_request, response) => {
      const fill = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', fill);
      fill();
    },
    async (url) => assert.equal(await findOllama(url, 60_000), undefined),
  );
});

test('nobody there is no error either', async () => {
  let closed = '';
  await withServer(
    () => {},
    async (url) => {
      closed = url;
    },
  );
  assert.equal(await findOllama(closed, 5000), undefined);
});
