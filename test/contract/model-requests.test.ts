import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createEmbedder } from '../../src/model/embed.ts';
import { findOllama } from '../../src/model/ollama.ts';
import type { OpenAiConfig } from '../../src/model/openai.ts';
import { machineHeaders } from '../sim/machine.ts';
import { listen, toRequest } from './model.ts';
import { setUp } from './model-setup.ts';

/** What a request to the chat API tells, and to whom it goes. */

async function startServer(handle: RequestListener) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Each kind of request that is made, asked of a server at this address. */
const requests: Record<string, (baseUrl: string, more?: Partial<OpenAiConfig>) => Promise<unknown>> = {
  chat: async (baseUrl, more) => {
    await using setup = await setUp(() => '', { baseUrl, ...more });
    const { error } = await listen(setup.model, toRequest());
    if (error !== undefined) throw error;
  },
  embeddings: async (baseUrl, more) => {
    const config = { apiKey: 'sk-secret-key', baseUrl, model: 'm', timeoutMs: 5000, ...more };
    await createEmbedder(config, { now: () => 0, countTokens: () => 1 }).embed(
      ['private words'],
      new AbortController().signal,
    );
  },
};

describe('a redirect', () => {
  for (const [kind, ask] of Object.entries(requests)) {
    test(`of the chat API is not followed (${kind}): nothing reaches the other origin, and people hear why`, async () => {
      let reached = 0;
      await using other = await startServer((_, response) => {
        reached += 1;
        response.end('{}');
      });
      for (const status of [301, 302, 303, 307, 308]) {
        await using server = await startServer((request, response) => {
          request.resume();
          response.writeHead(status, { location: `${other.origin}/v1/elsewhere` }).end('moved');
        });
        await assert.rejects(ask(`${server.origin}/v1`), {
          kind: 'model',
          message: /^127\.0\.0\.1:\d+ redirects to another address, which I do not follow; .*OPENAI_BASE_URL$/,
        });
      }
      assert.equal(reached, 0);
    });
  }

  test('of what stands at the address of an Ollama is not followed either', async () => {
    let reached = 0;
    await using other = await startServer((_, response) => {
      reached += 1;
      response.end('{"models":[{"name":"m"}]}');
    });
    await using server = await startServer((_, response) =>
      response.writeHead(307, { location: `${other.origin}/api/tags` }).end(),
    );
    assert.equal(await findOllama(server.origin, 5000), undefined);
    assert.equal(reached, 0);
  });
});

describe('the headers of a request', () => {
  async function headersOf(kind: string, more: Partial<OpenAiConfig> = {}): Promise<IncomingMessage> {
    const seen: IncomingMessage[] = [];
    await using server = await startServer((request, response) => {
      seen.push(request);
      request.resume();
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    });
    await assert.rejects(async () => requests[kind]?.(`${server.origin}/v1`, more));
    const [first] = seen;
    assert.ok(first);
    return first;
  }

  /** What the transport itself needs, and says of everybody alike. */
  const usual = [
    'accept',
    'accept-encoding',
    'accept-language',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
    'sec-fetch-mode',
    'user-agent',
  ];

  for (const kind of Object.keys(requests)) {
    test(`tell nothing of the machine (${kind})`, async () => {
      const request = await headersOf(kind);
      assert.deepEqual(machineHeaders(request), []);
      assert.deepEqual(Object.keys(request.headers).sort(), usual);
      assert.equal(request.headers['user-agent'], 'Channelore');
      assert.equal(request.headers.authorization, 'Bearer sk-secret-key');
    });

    test(`name the organization and the project where they are set, whatever else the environment says (${kind})`, async (t) => {
      const named = ({ headers }: { headers: IncomingHttpHeaders }) => [
        headers['openai-organization'],
        headers['openai-project'],
      ];
      t.after(() => {
        delete process.env.OPENAI_ORG_ID;
      });
      process.env.OPENAI_ORG_ID = 'org-elsewhere';
      assert.deepEqual(named(await headersOf(kind)), [undefined, undefined]);
      const own = { organization: 'org-1', project: 'proj_2' };
      assert.deepEqual(named(await headersOf(kind, own)), ['org-1', 'proj_2']);
    });
  }

  test('are looked at by every simulator: one that describes the machine would be refused', async () => {
    await using setup = await setUp(() => 'yes');
    const body = JSON.stringify({ model: 'm', messages: [] });
    const ask = (agent: string) =>
      fetch(`${setup.server.url}/chat/completions`, { method: 'POST', body, headers: { 'user-agent': agent } });
    assert.equal((await ask('Channelore')).status, 200);
    for (const agent of [`x ${process.platform}/6`, `node/${process.version}`, `y (${process.arch})`])
      assert.equal((await ask(agent)).status, 500);
  });
});
