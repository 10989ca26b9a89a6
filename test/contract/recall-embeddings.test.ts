import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createChanges } from '../../src/conversation/changes.ts';
import { createConversations } from '../../src/conversation/conversations.ts';
import { createEmbeddings } from '../../src/conversation/embeddings.ts';
import { listVectors, vectorsWithout } from '../../src/conversation/embeddings-records.ts';
import { createFoldTexts } from '../../src/conversation/folds.ts';
import { replaceTurn } from '../../src/conversation/journal.ts';
import { pageId } from '../../src/conversation/page.ts';
import { createRecall, type RecallQuery } from '../../src/conversation/recall.ts';
import { erasedTurn } from '../../src/conversation/turn.ts';
import { createLog } from '../../src/log.ts';
import { createEmbedder } from '../../src/model/embed.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import type { Limits } from '../../src/usage/budget.ts';
import { createLedger } from '../../src/usage/ledger.ts';
import { loadPrices } from '../../src/usage/prices.ts';
import { room } from './core.ts';
import { embeddingsBody, startEmbeddingsServer } from './embeddings-server.ts';
import { chatter, counter } from './memory-talk.ts';
import { fill } from './recall-talk.ts';

/** What was said is found by what it means, where there is a server for that; without one nothing is worse than before. */

const server = await startEmbeddingsServer();
after(() => server.close());
const prices = await loadPrices(undefined);
const noon = Date.UTC(2026, 10, 3, 12);

interface Options {
  model?: string;
  limits?: Limits;
  store?: ReturnType<typeof createStore>;
}

function start({ model = 'small', limits = {}, store = createStore(createMemoryBackend()) }: Options = {}) {
  let now = noon;
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    secrets: [],
    destination: { write: (line) => lines.push(line) },
  });
  const conversations = createConversations(
    store,
    { tokens: 50_000 },
    () => now,
    createChanges(),
    createFoldTexts(store, () => undefined),
  );
  const ledger = createLedger({ store, prices, timeZone: 'UTC', limits, now: () => now });
  const config = { apiKey: undefined, baseUrl: server.url, model, timeoutMs: 2000 };
  const embedder = createEmbedder(config, { now: () => now, countTokens: (text) => text.length });
  const background: Promise<unknown>[] = [];
  const embeddings = createEmbeddings({
    store,
    conversations,
    embedder,
    ledger,
    counter: async () => counter,
    inBackground: (work) => background.push(work),
    signal: new AbortController().signal,
    log,
    now: () => now,
  });
  const recall = createRecall({ conversations, log, embeddings });
  const idle = async (): Promise<void> => {
    for (let work = background.shift(); work !== undefined; work = background.shift()) await work;
  };
  return {
    store,
    conversations,
    ledger,
    embeddings,
    recall,
    lines,
    idle,
    advance(ms: number) {
      now += ms;
    },
    async find(text: string, more: Partial<RecallQuery> = {}) {
      const found = await recall.search(room, {
        text,
        people: [],
        isShown: () => false,
        maxTokens: 300,
        counter,
        ...more,
      });
      await idle();
      return found.map((one) => one.text);
    },
    async charged() {
      const rows = await ledger.report({ workspace: 't/w', from: '2026-01-01', to: '2026-12-31' });
      return rows.map(({ kind, model: by, calls, prompt }) => ({ kind, model: by, calls, prompt }));
    },
  };
}

const talk = (count: number): string[] => Array.from({ length: count }, (_, n) => chatter(n, 3));
const fact = 'we brought home a labrador on saturday';
const said = [...talk(20), fact, ...talk(60)];
const question = 'how old is the puppy, or was there a violin?';

test('what was said in other words is found once it is embedded, and what it cost is charged as recall', async () => {
  server.answerWith(undefined);
  const one = start();
  await fill(one.conversations, said);
  assert.ok(!(await one.find(question)).includes(fact), 'no word of it is in the question');
  assert.ok((await one.find(question)).includes(fact));
  await one.idle();
  await one.embeddings.fill(room);
  const [row, ...others] = await one.charged();
  assert.deepEqual(others, []);
  assert.equal(row?.kind, 'recall');
  assert.equal(row?.model, 'small-001');
  const texts = server.requests.flatMap((request) => request.input);
  assert.equal(
    row?.prompt,
    texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0),
  );
  assert.ok(server.requests.every((request) => request.input.length <= 64));
});

test('after a restart the vectors are there, and nothing is embedded again', async () => {
  server.answerWith(undefined);
  const one = start();
  await fill(one.conversations, said);
  await one.embeddings.fill(room);
  const again = start({ store: one.store });
  const before = server.requests.length;
  assert.ok((await again.find(question)).includes(fact));
  assert.deepEqual(
    server.requests.slice(before).map((request) => request.input),
    [[question]],
  );
});

test('vectors of another model or another dimension are left alone', async () => {
  server.answerWith(undefined);
  const one = start();
  await fill(one.conversations, said);
  await one.embeddings.fill(room);
  const other = start({ store: one.store, model: 'other' });
  assert.ok(!(await other.find(question)).includes(fact));
  const longer = start({ store: one.store });
  server.answerWith((request) => {
    const data = request.input.map((_, index) => ({ index, embedding: [1, 2, 3] }));
    return { status: 200, body: JSON.stringify({ data }) };
  });
  assert.ok(!(await longer.find(question)).includes(fact));
  assert.ok((await longer.find('labrador on saturday')).includes(fact), 'by its words it is found');
});

test('a server that fails or hangs is never felt, and not asked again for a while', async () => {
  const one = start();
  await fill(one.conversations, said);
  server.answerWith(undefined);
  await one.embeddings.fill(room);
  for (const answer of [
    () => ({ status: 500, body: 'no' }),
    () => ({ status: 200, body: '[]' }),
    () => 'silence' as const,
  ]) {
    server.answerWith(answer);
    const before = server.requests.length;
    for (let n = 0; n < 3; n++) assert.ok((await one.find('labrador on saturday')).includes(fact));
    assert.equal(server.requests.length - before, 1);
    one.advance(4 * 3_600_000);
  }
  assert.equal(one.lines.filter((line) => line.includes('nothing was embedded')).length, 3);
  server.answerWith(undefined);
  assert.ok((await one.find(question)).includes(fact), 'when it is back it serves again');
});

test('without budget nothing is embedded, and recall goes on by words', async () => {
  server.answerWith(undefined);
  const one = start({ limits: { channelTokens: 10 } });
  await fill(one.conversations, said);
  const before = server.requests.length;
  assert.ok((await one.find('labrador on saturday')).includes(fact));
  await one.embeddings.fill(room);
  assert.equal(server.requests.length, before);
  assert.deepEqual(await one.charged(), []);
});

test('what a question costs counts against the budget before it is written down', async () => {
  server.answerWith(undefined);
  const one = start({ limits: { channelTokens: 100_000 } });
  await fill(one.conversations, said);
  await one.embeddings.fill(room);
  const free = async (): Promise<number> => {
    const [line] = await one.ledger.remaining({ channel: room, person: 'x' });
    return (line?.used ?? 0) + (line?.reserved ?? 0);
  };
  const before = await free();
  await one.recall.search(room, { text: question, people: [], isShown: () => false, maxTokens: 300, counter });
  assert.ok((await free()) > before);
  await one.idle();
  await one.embeddings.fill(room);
  const [line] = await one.ledger.remaining({ channel: room, person: 'x' });
  assert.equal(line?.reserved, 0);
  assert.ok((line?.used ?? 0) > before);
});

test('a turn that is erased or edited while it is being embedded leaves no vector', async () => {
  const one = start();
  await fill(one.conversations, said);
  const { conversations } = one;
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  server.answerWith(async (request) => {
    arrived.resolve();
    await go.promise;
    return { status: 200, body: embeddingsBody(request) };
  });
  const filling = one.embeddings.fill(room);
  await arrived.promise;
  await conversations.change(room, async (state) => {
    const page = await conversations.journal.page(room, { epoch: 1, seq: 64 });
    const turn = page.find((found) => found.seq === 64);
    assert.ok(turn);
    return { step: replaceTurn(state, 1, page, erasedTurn(turn, 'deleted')), value: undefined };
  });
  go.resolve();
  await filling;
  const stored = (await listVectors(one.store, `${room}:`)).flatMap((found) => found.read().vectors);
  assert.ok(!stored.some(({ seq, rev }) => seq === 64 && rev === 0));
  assert.ok(stored.some(({ seq }) => seq === 20));
});

test('with a message go its vectors, in the same commit', async () => {
  server.answerWith(undefined);
  const one = start();
  await fill(one.conversations, said);
  await one.embeddings.fill(room);
  const pages = [pageId(room, 1, 1), pageId(room, 1, 2)];
  const seqsOf = async () =>
    (await listVectors(one.store, `${room}:`)).flatMap((found) => found.read().vectors.map(({ seq }) => seq));
  const before = await seqsOf();
  await one.store.commit(await vectorsWithout(one.store, pages, new Set([20, 33]), 'erased'));
  assert.deepEqual(
    await seqsOf(),
    before.filter((seq) => seq !== 20 && seq !== 33),
  );
  await one.recall.refresh(room);
  assert.ok(!(await one.find(question)).includes(fact));
  const requests = server.requests.length;
  await one.embeddings.fill(room);
  assert.equal(server.requests.length, requests, 'nothing waits');
  await one.store.commit(await vectorsWithout(one.store, pages, new Set([20]), 'edited'));
  await one.recall.refresh(room);
  await one.embeddings.fill(room);
  assert.ok((await one.find(question)).includes(fact), 'what was edited is embedded again');
});
