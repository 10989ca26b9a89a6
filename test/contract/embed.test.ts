import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { createEmbedder } from '../../src/model/embed.ts';
import { embeddingsBody, startEmbeddingsServer, vectorOf } from './embeddings-server.ts';

/** Embeddings over the wire, from servers as they are. */

const server = await startEmbeddingsServer();
after(() => server.close());
const signal = new AbortController().signal;
const deps = { now: () => 0, countTokens: (text: string) => text.length };

function embedder(model = 'small', timeoutMs = 5000) {
  return createEmbedder({ apiKey: 'k', baseUrl: server.url, model, timeoutMs }, deps);
}

function kindOf(kind: string) {
  return (error: unknown): boolean => error instanceof BotError && error.kind === kind;
}

test('texts come back as vectors in their order, with what they cost and who answered', async () => {
  server.answerWith((request) => {
    const body = JSON.parse(embeddingsBody(request));
    return { status: 200, body: JSON.stringify({ ...body, data: body.data.toReversed() }) };
  });
  const { vectors, model, usage } = await embedder().embed(['a dog', 'a fast car'], signal);
  assert.deepEqual(vectors, [Float32Array.from(vectorOf('a dog')), Float32Array.from(vectorOf('a fast car'))]);
  assert.equal(model, 'small-001');
  assert.deepEqual(usage, { prompt: 5, cached: 0, completion: 0, reasoning: 0, estimated: false });
});

test('a server that refuses one form is asked for the other, once', async () => {
  server.answerWith((request) => {
    const isRefused = request.encoding_format === 'base64';
    return isRefused
      ? { status: 400, body: '{"error":{"message":"no"}}' }
      : { status: 200, body: embeddingsBody(request) };
  });
  const one = embedder();
  const before = server.requests.length;
  await one.embed(['a dog'], signal);
  const { vectors } = await one.embed(['a dog'], signal);
  assert.deepEqual(vectors, [Float32Array.from(vectorOf('a dog'))]);
  assert.deepEqual(
    server.requests.slice(before).map((request) => request.encoding_format),
    ['base64', 'float', 'float'],
  );
});

test('a model that can is asked for short vectors, and no other is', async () => {
  server.answerWith(undefined);
  await embedder('text-embedding-3-small').embed(['x'], signal);
  assert.equal(server.requests.at(-1)?.dimensions, 512);
  await embedder('nomic-embed-text').embed(['x'], signal);
  assert.equal(server.requests.at(-1)?.dimensions, undefined);
});

test('what is no answer to what was asked is an error of the model', async () => {
  const broken = [
    '{"data":[]}',
    '{"data":[{"index":0,"embedding":[1,2]}]}',
    '{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}',
    '{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}',
    '{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}',
    '{"data":[{"index":0,"embedding":[1,null]},{"index":1,"embedding":[1,2]}]}',
    '{"error":"later"}',
    'null',
    '<html>',
  ];
  for (const body of broken) {
    server.answerWith(() => ({ status: 200, body }));
    await assert.rejects(embedder().embed(['a', 'b'], signal), kindOf('model'), body);
  }
});

test('failures have the kinds that failures of answers have, and nobody waits for ever', async () => {
  for (const [status, kind] of [
    [401, 'credentials'],
    [429, 'busy'],
    [500, 'model'],
    [404, 'model'],
  ] as const) {
    server.answerWith(() => ({ status, body: '{"error":{"message":"no"}}' }));
    await assert.rejects(embedder().embed(['a'], signal), kindOf(kind), `${status}`);
  }
  server.answerWith(() => 'silence');
  await assert.rejects(embedder('small', 50).embed(['a'], signal), kindOf('model'));
  const stop = new AbortController();
  const waiting = embedder().embed(['a'], stop.signal);
  stop.abort();
  await assert.rejects(waiting, kindOf('stopped'));
});

test('what a server does not count is counted here', async () => {
  server.answerWith((request) => ({
    status: 200,
    body: JSON.stringify({ data: JSON.parse(embeddingsBody(request)).data }),
  }));
  const { usage, model } = await embedder().embed(['four', 'fives'], signal);
  assert.deepEqual([usage.prompt, usage.estimated, model], [9, true, 'small']);
});
