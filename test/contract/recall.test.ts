import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageId, pageKind } from '../../src/conversation/page.ts';
import { createRecall, type Recall, type RecallQuery } from '../../src/conversation/recall.ts';
import { type ChannelId, toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import type { Backend } from '../../src/storage/backend.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { command, message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { chatter, counter } from './memory-talk.ts';
import { fill } from './recall-talk.ts';

/** Anything ever said in a channel is found again, and nothing else: through the real store, journal and amending. */

const hidden = toChannelId({ platform: 't', workspace: 'w', channel: 'hidden' });

interface Recalling {
  core: TestCore;
  recall: Recall;
  backend: Backend;
  lines: string[];
}

async function start(
  t: { after(run: () => Promise<void>): void },
  maxBytes?: { all: number; one: number },
): Promise<Recalling> {
  const backend = createMemoryBackend();
  const core = await startCore({ model: scriptedModel((_, n) => `Reply ${n}.`), store: createStore(backend) });
  t.after(() => core.stop());
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    secrets: [],
    destination: { write: (line) => lines.push(line) },
  });
  const { conversations } = core.memory;
  const recall = createRecall({ conversations, log, ...(maxBytes && { maxBytes }) });
  return { core, recall, backend, lines };
}

const talk = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => chatter(from + n, 12));

function asking(text: string, more: Partial<RecallQuery> = {}): RecallQuery {
  return { text, people: [], isShown: () => false, maxTokens: 1000, counter, ...more };
}

async function textsFound(recall: Recall, text: string, channel: ChannelId = room): Promise<string[]> {
  return (await recall.search(channel, asking(text))).map((one) => one.text);
}

const fact = 'The alarm code of the boathouse is 4711, Cat says';
const question = 'What was the alarm code of the boathouse?';

test('a fact said 5,000 messages ago is found, with the way to its message', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [...talk(0, 40), fact, ...talk(41, 5000)]);
  const found = await recall.search(room, asking(question));
  const best = found.reduce((one, other) => (other.score > one.score ? other : one));
  assert.equal(best.text, fact);
  assert.equal(best.id, 'm40');
  assert.equal(best.line, `[2026-01-01 00:40] Ann: ${fact}`);
  assert.deepEqual(
    found.map((one) => one.at),
    found.map((one) => one.at).toSorted((a, b) => a - b),
    'in the order it was said',
  );
  assert.ok(found.reduce((sum, one) => sum + one.tokens, 0) <= 1000);
  assert.ok(found.length <= 20);
});

test('what stands in the prompt already is not found again, and a channel that stands there whole needs no index', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 30)]);
  const shown = await recall.search(
    room,
    asking(question, { isShown: (channel, seq) => channel === room && seq === 0 }),
  );
  assert.ok(shown.every((one) => !one.text.includes('4711')));
  const silent = createLog({ level: 'silent', format: 'json', secrets: [] });
  const other = createRecall({ conversations: core.memory.conversations, log: silent });
  assert.deepEqual(await other.search(room, asking(question, { isShown: () => true })), []);
  assert.equal(other.size().channels, 0);
});

test('small talk brings nothing back', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 30)]);
  for (const text of ['And then?', 'boathouse', 'was it the boathouse?', '🎉🎉🎉', '', '???'])
    assert.deepEqual(await recall.search(room, asking(text)), [], text);
  assert.equal(
    (await recall.search(room, asking('boathouse in May'))).length > 0,
    true,
    'a month is a word that counts',
  );
});

test('a deleted message is never found again, whether the index was there or not', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 100)]);
  assert.ok((await textsFound(recall, question)).includes(fact));
  await core.memory.amending.deleteMessages(room, ['m0'], core.now(), []);
  assert.ok(!(await textsFound(recall, question)).join().includes('4711'));
  assert.equal((await recall.find(room, 'alarm code', { offset: 0, limit: 10 })).total, 0);
});

test('an edited message is found by its new words and not by its old ones', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 100)]);
  await textsFound(recall, question);
  await core.memory.amending.edit(
    room,
    { messageId: 'm0', at: core.now(), text: 'The ferry to Skye leaves at noon' },
    [],
  );
  assert.equal((await recall.find(room, 'boathouse', { offset: 0, limit: 10 })).total, 0);
  assert.deepEqual(
    (await recall.find(room, 'ferry skye', { offset: 0, limit: 10 })).found.map((one) => one.id),
    ['m0'],
  );
});

test('what is deleted, edited and said while the index is being built is as if the index came after', async (t) => {
  const { core, recall } = await start(t);
  const other = 'The alarm code of the greenhouse is 1212';
  await fill(core.memory.conversations, [fact, other, ...talk(2, 3000)]);
  const building = recall.search(room, asking(question));
  const deleted = core.memory.amending.deleteMessages(room, ['m0'], core.now(), []);
  const edited = core.memory.amending.edit(room, { messageId: 'm1', at: core.now(), text: 'nothing to see' }, []);
  const said = fill(core.memory.conversations, ['The alarm code of the tower is 9999']);
  const [found] = await Promise.all([building, deleted, edited, said]);
  const isStale = found.some((one) => one.text.includes('4711'));
  for (const words of ['4711', '1212']) {
    assert.equal((await recall.find(room, words, { offset: 0, limit: 5 })).total, 0, words);
    assert.ok(!(await textsFound(recall, question)).join().includes(words));
  }
  assert.equal((await recall.find(room, '9999', { offset: 0, limit: 5 })).total, 1);
  assert.ok(!isStale, 'not even the search that was under way tells it');
});

test('a message erased the moment before the answer is not told', async (t) => {
  const { core, recall } = await start(t);
  // Signs that a prompt escapes have it counted anew, which is the moment this test waits for.
  await fill(core.memory.conversations, [`${fact} <here>`, ...talk(1, 60)]);
  await textsFound(recall, question);
  let erased: Promise<unknown> | undefined;
  const slow = {
    ...counter,
    count: async (text: string) => {
      erased ??= core.memory.amending.deleteMessages(room, ['m0'], core.now(), []);
      await erased;
      return await counter.count(text);
    },
  };
  const found = await recall.search(room, asking(question, { counter: slow }));
  assert.ok(erased !== undefined);
  assert.ok(!JSON.stringify(found).includes('4711'));
});

test('a reset puts the past out of reach, and undo brings it back', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 30)]);
  assert.ok((await textsFound(recall, question)).includes(fact));
  await core.send(command(500, 'reset'));
  await fill(core.memory.conversations, ['Another alarm code is for the garage', ...talk(0, 20)]);
  assert.ok(!(await textsFound(recall, question)).includes(fact));
  await core.send(command(501, 'undo'));
  const both = await textsFound(recall, question);
  assert.ok(both.includes(fact) && both.some((text) => text.includes('garage')));
});

test('no channel finds what was said in another', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 50)], hidden);
  await fill(core.memory.conversations, talk(0, 50));
  assert.ok((await textsFound(recall, question, hidden)).includes(fact));
  assert.ok(!(await textsFound(recall, question)).join().includes('4711'));
  assert.equal((await recall.find(room, 'boathouse 4711', { offset: 0, limit: 5 })).total, 0);
});

test('a thread finds what its channel knew before it, and the channel nothing of the thread', async (t) => {
  const { core, recall } = await start(t);
  await fill(core.memory.conversations, [fact, ...talk(1, 5)]);
  const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm5' });
  const inThread = { channel: thread, branchedFrom: 'm5', to: 'mention' as const };
  await core.send(message(600, 'The alarm code of the cellar is 3131', inThread));
  await fill(core.memory.conversations, ['The alarm code of the attic is 2222']);
  const found = (await textsFound(recall, question, thread)).join();
  assert.ok(found.includes('4711') && found.includes('3131'), found);
  assert.ok(!found.includes('2222'), 'said after it branched off');
  assert.ok(!(await textsFound(recall, question)).join().includes('3131'));
  await core.send(command(601, 'reset'));
  assert.ok(
    !(await textsFound(recall, question, thread)).join().includes('4711'),
    'a reset of the channel reaches its threads',
  );
});

test('of a journal with a damaged and a missing page the rest is found, and the operator is told once', async (t) => {
  const { core, recall, backend, lines } = await start(t);
  await fill(core.memory.conversations, [...talk(0, 60), fact, ...talk(61, 200)]);
  const key = (page: number): string => `${pageKind.name}:${pageId(room, 1, page)}`;
  await backend.setMany([{ key: key(1), value: '{"value":{"v":1,"d":[{"nonsense":' }]);
  await backend.deleteMany([key(5)]);
  for (let n = 0; n < 2; n++) assert.ok((await textsFound(recall, question)).includes(fact));
  assert.equal((await recall.find(room, 'mark20x', { offset: 0, limit: 5 })).total, 0);
  assert.equal((await recall.find(room, 'mark50x', { offset: 0, limit: 5 })).total, 1);
  for (const page of [`${key(1)} is damaged`, `${key(5)} is lost`])
    assert.equal(lines.filter((line) => line.includes(page)).length, 1, page);
});

test('a page that is damaged after the index was built costs its messages and nothing else', async (t) => {
  const { core, recall, backend, lines } = await start(t);
  await fill(core.memory.conversations, [
    fact,
    ...talk(1, 60),
    'A second alarm code hangs in the boathouse kitchen',
    ...talk(62, 20),
  ]);
  assert.equal((await recall.find(room, 'boathouse', { offset: 9, limit: 0 })).total, 2);
  await backend.setMany([{ key: `${pageKind.name}:${pageId(room, 1, 0)}`, value: 'rubbish' }]);
  const found = (await textsFound(recall, question)).join();
  assert.ok(!found.includes('4711') && found.includes('kitchen'));
  assert.equal(lines.filter((line) => line.includes('is damaged')).length, 1);
});

test('whatever is said, edited, deleted, reset and brought back, a kept index finds what a new one finds', async (t) => {
  const { core, recall } = await start(t);
  const { conversations, amending } = core.memory;
  const silent = createLog({ level: 'silent', format: 'json', secrets: [] });
  let seed = 9;
  const any = (most: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % most;
  };
  let last = 0;
  for (let n = 0; n < 120; n++) {
    const one = `m${any(last + 1)}`;
    switch (any(9)) {
      case 0:
        await amending.deleteMessages(room, [one], core.now(), []);
        break;
      case 1:
        await amending.edit(room, { messageId: one, at: core.now(), text: chatter(1000 + n, 6) }, []);
        break;
      case 2:
        if (n % 5 === 0) await core.send(command(5000 + n, n % 2 === 0 ? 'reset' : 'undo'));
        break;
      default:
        await fill(conversations, talk(n * 50, 1 + any(40)));
        last = (await conversations.read(room)).nextSeq - 1;
    }
    if (n % 3 !== 0) continue;
    const query = asking(`harbour or lantern, mark${any(last)}x with ${chatter(any(300), 2)}`);
    const anew = createRecall({ conversations, log: silent });
    assert.deepEqual(await recall.search(room, query), await anew.search(room, query));
    const part = { offset: 0, limit: 30 };
    assert.deepEqual(await recall.find(room, 'violin saddle', part), await anew.find(room, 'violin saddle', part));
  }
  assert.ok(last > 500);
});

test('a thousand channels taking turns are searched in bounded memory', async (t) => {
  const most = 400_000;
  const { core, recall } = await start(t, { all: most, one: most });
  for (let n = 0; n < 1000; n++) {
    const channel = toChannelId({ platform: 't', workspace: 'w', channel: `c${n}` });
    await fill(core.memory.conversations, [`The alarm code here is ${7000 + n}`, ...talk(n, 4)], channel);
    const found = await textsFound(recall, 'What is the alarm code?', channel);
    assert.ok(found.includes(`The alarm code here is ${7000 + n}`));
    assert.ok(recall.size().bytes <= most, `${recall.size().bytes}`);
  }
  assert.ok(recall.size().channels < 200);
  const first = toChannelId({ platform: 't', workspace: 'w', channel: 'c0' });
  assert.ok((await textsFound(recall, 'What is the alarm code?', first)).includes('The alarm code here is 7000'));
});

test('of a channel that is too large for its index the newest is found', async (t) => {
  const { core, recall } = await start(t, { all: 1_500_000, one: 800_000 });
  await fill(core.memory.conversations, [fact, ...talk(1, 3000), 'The alarm code of the tower is 9999']);
  assert.ok((await textsFound(recall, question)).join().includes('9999'));
  assert.equal((await recall.find(room, '4711', { offset: 0, limit: 5 })).total, 0);
  assert.ok(recall.size().bytes <= 800_000);
});

test('a search lists page by page, the turns with all words first', async (t) => {
  const { core, recall } = await start(t);
  const said = Array.from({ length: 25 }, (_, n) => `red apple number ${n}`);
  await fill(core.memory.conversations, [...said, 'a red car', ...talk(30, 30)]);
  const pages = [0, 10, 20, 30].map((offset) => recall.find(room, 'red apple', { offset, limit: 10 }));
  const found = await Promise.all(pages);
  assert.deepEqual(
    found.map((one) => [one.total, one.found.length]),
    [
      [25, 10],
      [25, 10],
      [25, 5],
      [25, 0],
    ],
  );
  assert.equal(new Set(found.flatMap((one) => one.found.map(({ seq }) => seq))).size, 25);
  assert.equal((await recall.find(room, 'the of and', { offset: 0, limit: 10 })).total, 0);
});
