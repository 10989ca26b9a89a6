import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { createChanges } from '../../src/conversation/changes.ts';
import { createConversations } from '../../src/conversation/conversations.ts';
import { listVectors } from '../../src/conversation/embeddings-records.ts';
import { createFoldTexts } from '../../src/conversation/folds.ts';
import { toChannelId } from '../../src/event.ts';
import { openStore } from '../../src/storage/open.ts';
import { embeddingsBody, requestSchema as embedRequestSchema } from '../contract/embeddings-server.ts';
import { fill } from '../contract/recall-talk.ts';
import type { ChatRequest } from '../sim/model-answer.ts';
import { type ModelServer, startModelServer } from '../sim/model-server.ts';
import { newFolder, order, type Program, startProgram } from './program.ts';

/** The real program on a data file in which much was said. */

const fact = 'The wifi password of the boathouse is kumquat-77.';
const hidden = 'The wifi password of the boathouse office is papaya-99.';
const question = 'What was the wifi password of the boathouse?';
const words = ['harbour', 'lantern', 'meadow', 'violin', 'glacier', 'pepper', 'saddle', 'orchard', 'thimble', 'marble'];

const talkOf = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `Message ${n}: ${words[n % 10]} and ${words[(n >> 3) % 10]}`);

/** What was said in a channel, the first of it at the beginning of 2026, a message a minute. */
async function fillRoom(file: string, texts: readonly string[], channel = 'room'): Promise<void> {
  const store = await openStore(file);
  const conversations = createConversations(
    store,
    { tokens: 20_000 },
    Date.now,
    createChanges(),
    createFoldTexts(store, () => undefined),
  );
  await fill(conversations, texts, channelOf(channel));
  await store.close();
}

const channelOf = (channel: string) => toChannelId({ platform: 'lines', workspace: 'local', channel });

const isFold = (request: ChatRequest): boolean => /memory of a chat channel/.test(request.messages[0]?.text ?? '');

/** Says where it has it from, without repeating it. */
function answer(request: ChatRequest): string {
  if (isFold(request))
    return 'People named all kinds of things, one after the other, without saying why, and they agreed on nothing in particular.';
  const [marker] = /^\[m\d+\](?=.*kumquat)/m.exec(recallOf(request)) ?? [];
  return marker === undefined ? 'I do not know.' : `It is the one with the fruit ${marker}.`;
}

function recallOf(request: ChatRequest | undefined): string {
  return request?.messages.map((one) => one.text).find((text) => text.startsWith('<channel_recall')) ?? '';
}

interface Asked {
  recalled: string;
  /** All that the model was sent. */
  request: string;
  answer: string;
}

function asking(program: Program, server: ModelServer): (text: string, channel?: string) => Promise<Asked> {
  let asked = 0;
  return async (text, channel = 'room') => {
    const id = `q${++asked}`;
    const author = { id: 'u1', name: 'Ann' };
    program.send({ type: 'message', id, at: Date.UTC(2026, 0, 9) + asked, channel, author, text });
    const { text: said = '' } = await program.ending(id);
    const request = server.requests.findLast((one) => !isFold(one));
    return { recalled: recallOf(request), request: JSON.stringify(request?.body), answer: said };
  };
}

function embed(request: IncomingMessage, response: ServerResponse): boolean {
  if (!request.url?.endsWith('/embeddings')) return false;
  void (async () => {
    const asked = embedRequestSchema.parse(await json(request));
    response.writeHead(200, { 'content-type': 'application/json' }).end(embeddingsBody(asked));
  })();
  return true;
}

test('a fact said 5,000 messages ago is in the next prompt and cited, stays in its channel, and once deleted is nowhere', async (t) => {
  const folder = newFolder(t);
  const file = `sqlite:${path.join(folder, 'channelore.db')}`;
  await fillRoom(file, [fact, ...talkOf(4999)]);
  await fillRoom(file, [hidden, ...talkOf(50)], 'private');
  const server = await startModelServer({ answer });
  t.after(() => server.close());
  const env = { DATA_DIR: folder, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k', OPENAI_MODEL: 'gpt-4o' };
  const program = startProgram({ env });

  const ask = asking(program, server);

  const first = await ask(question);
  assert.match(first.recalled, /\[2026-01-01 00:00\] Ann: The wifi password of the boathouse is kumquat-77\./);
  assert.match(first.answer, /^It is the one with the fruit \(Ann, 1 Jan\)\./);
  assert.doesNotMatch(first.request, /papaya/);
  const [inPrivate, inNew] = [await ask(question, 'private'), await ask(question, 'new')];
  assert.match(inPrivate.request, /papaya/);
  assert.doesNotMatch(inPrivate.request + inNew.request, /kumquat/);
  const found = await program.ending(order(program, 'memory search kumquat'));
  assert.match(found.text ?? '', /^1 message found in this channel:\n\*\*Ann\*\*, 2026-01-01 00:00: The wifi password/);
  const shown = await program.ending(order(program, 'memory show'));
  assert.match(shown.text ?? '', /🔎 cited: Ann, 2026-01-01: The wifi password/);

  program.send({ type: 'delete', id: 'd1', at: Date.UTC(2026, 0, 10), channel: 'room', messageIds: ['m0'] });
  await program.line((line) => line.type === 'accepted' && line.id === 'd1');
  const again = await ask(question);
  assert.doesNotMatch(again.request, /kumquat|one with the fruit/);
  assert.equal(again.answer, 'I do not know.');
  const nothing = await program.ending(order(program, 'memory search kumquat'));
  assert.match(nothing.text ?? '', /^Nothing that was said/);
  assert.equal(await program.end(), 0);
  const files = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'latin1'));
  assert.ok(!files.join().includes('kumquat-77'), 'not a byte of it is left');
});

test('with a model for embeddings a fact is found by its meaning, paid for as recall, and its vector goes with it', async (t) => {
  const folder = newFolder(t);
  const file = `sqlite:${path.join(folder, 'channelore.db')}`;
  await fillRoom(file, ['we brought home a labrador on saturday', ...talkOf(600)]);
  const server = await startModelServer({ answer, other: embed });
  t.after(() => server.close());
  const models = { OPENAI_MODEL: 'gpt-4o', EMBEDDING_MODEL: 'small' };
  const env = { DATA_DIR: folder, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k', MEMORY_TOKENS: '3000', ...models };
  const program = startProgram({ env });
  const ask = asking(program, server);
  const paws = 'how old is the puppy of the harbour?';
  assert.doesNotMatch((await ask(paws)).recalled, /labrador/, 'nothing is embedded yet');
  // In the background, newest first, some hundred at a time.
  let found = await ask(paws);
  for (let tries = 1; tries < 20 && !found.recalled.includes('labrador'); tries++) found = await ask(paws);
  assert.match(found.recalled, /we brought home a labrador/);
  const usage = await program.ending(order(program, 'usage today by kind'));
  assert.match(usage.text ?? '', /^recall +[1-9]/m);

  program.send({ type: 'delete', id: 'd1', at: Date.UTC(2026, 0, 10), channel: 'room', messageIds: ['m0'] });
  await program.line((line) => line.type === 'accepted' && line.id === 'd1');
  assert.doesNotMatch((await ask(paws)).recalled, /labrador/);
  assert.equal(await program.end(), 0);
  const store = await openStore(file);
  const vectors = (await listVectors(store, channelOf('room'))).flatMap((one) => one.read().vectors);
  await store.close();
  assert.ok(vectors.length > 100 && !vectors.some(({ seq }) => seq === 0));
});
