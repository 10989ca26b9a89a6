import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Event } from '../../src/event.ts';
import { entryId, entryKind } from '../../src/inbox/entry.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns } from './memory-talk.ts';

/** Many edits of one message cost little more than one, and none is lost. */

const many = 1000;
const start = (store: Store): Promise<TestCore> =>
  startCore({ model: scriptedModel(() => 'Well.'), store, env: { STORE_URL: 'memory:', LISTEN: 'all' } });

function edit(n: number, at = n): Event {
  const when = Date.UTC(2026, 10, 3, 13) + at;
  return { kind: 'edit', id: `edit${n}`, channel: room, at: when, messageId: 'm0', text: `text ${n}`, origin: {} };
}

/** How often a page of the journal was written. */
function counted(store: Store): { store: Store; pages(): number } {
  let pages = 0;
  const commit: Store['commit'] = async (records) => {
    if (records.some(({ key }) => key.startsWith('page:'))) pages++;
    await store.commit(records);
  };
  return { store: { ...store, commit }, pages: () => pages };
}

async function isDone(store: Store, event: Event): Promise<boolean> {
  return (await store.get(entryKind, entryId(event)))?.state === 'done';
}

async function quiet(core: TestCore): Promise<void> {
  for (let turns = 0; core.inbox.waiting() + core.inbox.running() > 0; turns++) {
    assert.ok(turns < 20_000, 'it never ends');
    await new Promise((resolve) => (turns % 100 === 99 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
  await core.memory.idle();
}

const textNow = async (core: TestCore): Promise<string | undefined> =>
  (await allTurns(core)).find((turn) => turn.id === 'm0')?.text;

test('a thousand edits of one message are few writes of its page, the newest stands, and every one is done', async (t) => {
  const { store, pages } = counted(createStore(createMemoryBackend()));
  const core = await start(store);
  t.after(() => core.stop());
  await core.send(message(0, 'as it was'));
  const before = pages();
  const edits = Array.from({ length: many }, (_, n) => edit(n));
  await Promise.all(edits.map((one) => core.intake.accept(one)));
  await quiet(core);
  assert.equal(await textNow(core), `text ${many - 1}`);
  assert.ok(pages() - before <= many / 20, `${pages() - before} writes`);
  for (const one of edits) assert.ok(await isDone(store, one));
});

test('the newest edit is the one made last, not the one that came last', async (t) => {
  const core = await start(createStore(createMemoryBackend()));
  t.after(() => core.stop());
  await core.send(message(0, 'as it was'));
  await Promise.all([edit(1, 1), edit(2, 9), edit(3, 5), edit(4, 8), edit(5, 2)].map((one) => core.intake.accept(one)));
  await quiet(core);
  assert.equal(await textNow(core), 'text 2');
  // Of two made at one time the one that came later.
  for (const one of [edit(6, 20), edit(7, 20)]) await core.intake.accept(one);
  await quiet(core);
  assert.equal(await textNow(core), 'text 7');
});

test('a question asked after an edit sees that edit or a newer one, and a deletion after edits takes the message away', async (t) => {
  const core = await start(createStore(createMemoryBackend()));
  t.after(() => core.stop());
  await core.send(message(0, 'as it was'));
  await Promise.all([
    ...Array.from({ length: 20 }, (_, n) => core.intake.accept(edit(n))),
    core.intake.accept(message(1, 'what does it say?')),
    ...Array.from({ length: 20 }, (_, n) => core.intake.accept(edit(20 + n))),
  ]);
  await quiet(core);
  const asked = core.model.answers().find((one) => JSON.stringify(one.messages).includes('what does it say?'));
  assert.match(JSON.stringify(asked?.messages), /text (19|[23]\d)/);
  const removal: Event = { kind: 'delete', id: 'x', channel: room, at: 0, messageIds: ['m0'], origin: {} };
  await Promise.all([core.intake.accept(edit(50)), core.intake.accept(removal), core.intake.accept(edit(51))]);
  await quiet(core);
  assert.equal(await textNow(core), '');
});

test('edits that wait when the program ends are carried out after the next start', async (t) => {
  const backend = createMemoryBackend();
  const store = createStore(backend);
  const never = new Promise<void>(() => undefined);
  let isDown = false;
  // From then on nothing that changes a page arrives.
  const commit: Store['commit'] = async (records) => {
    if (isDown && records.some(({ key }) => key.startsWith('page:'))) await never;
    await store.commit(records);
  };
  const first = await start({ ...store, commit });
  await first.send(message(0, 'as it was'));
  isDown = true;
  const edits = Array.from({ length: 20 }, (_, n) => edit(n));
  await Promise.all(edits.map((one) => first.intake.accept(one)));
  const second = await start(store);
  t.after(() => second.stop());
  await quiet(second);
  assert.equal(await textNow(second), 'text 19');
  for (const one of edits) assert.ok(await isDone(store, one));
  const anything = { name: 'inbox', version: 1, schema: z.unknown(), upgrades: {} };
  assert.ok(!JSON.stringify((await store.list(anything, '')).map((one) => one.read())).includes('text 1'));
});
