import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, chatter, keepMarks, say, talk, textOf } from './memory-talk.ts';

/** What the store has lost or damaged is told as that: it never looks as if nothing had been said there. */

const dayMs = 86_400_000;

async function start(t: { after(run: () => Promise<void>): void }, store: Store): Promise<TestCore> {
  const model = scriptedModel((request, n) =>
    request.purpose === 'fold' ? keepMarks(request) : `Reply ${n}, briefly.`,
  );
  const core = await startCore({ model, store, env: { MEMORY_TOKENS: '3000', STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  return core;
}

function withBackend() {
  const backend = createMemoryBackend();
  return { backend, store: createStore(backend) };
}

const anyPage = { name: 'page', version: 1, schema: z.unknown(), upgrades: {} };
const rubbish = '{"value":{"v":1,"d":"rubbish"}}';

type Loss = (backend: ReturnType<typeof createMemoryBackend>, key: string) => Promise<unknown>;
const losses: [string, Loss][] = [
  ['lost', (backend, key) => backend.deleteMany([key])],
  ['damaged', (backend, key) => backend.setMany([{ key, value: rubbish }])],
];

for (const [what, lose] of losses) {
  test(`where a summary in use is ${what}, the messages it covered are there in its place, and are summarised again`, async (t) => {
    const { backend, store } = withBackend();
    const before = await start(t, store);
    await talk(before, 0, 40);
    const folds = (await before.memory.conversations.read(room)).view.folds;
    assert.ok(folds.length > 0);
    await before.stop();
    const [first] = folds;
    assert.ok(first);
    await lose(backend, `fold:${first.id}`);
    const core = await start(t, store);
    const state = await core.memory.conversations.read(room);
    assert.ok(!state.view.folds.some(({ id }) => id === first.id));
    const covered = [...state.view.folds, ...state.tail.map(({ seq }) => ({ from: seq, to: seq }))];
    for (let seq = 0; seq < state.nextSeq; seq++) {
      assert.ok(
        covered.some(({ from, to }) => from <= seq && seq <= to),
        `message ${seq} is remembered`,
      );
    }
    await say(core, 41);
    await core.memory.idle();
    const now = await core.memory.folds.texts((await core.memory.conversations.read(room)).view.folds);
    assert.ok(now.every(({ text }) => text !== ''));
    assert.match(JSON.stringify(now), /mark0x/);
  });
}

test('a summary that is lost while it is in use is not taken for an empty one', async () => {
  const { store } = withBackend();
  const model = scriptedModel((request) => (request.purpose === 'fold' ? keepMarks(request) : 'Well.'));
  const core = await startCore({ model, store, env: { MEMORY_TOKENS: '1000', STORE_URL: 'memory:' } });
  await talk(core, 0, 20);
  const [ref] = (await core.memory.conversations.read(room)).view.folds;
  assert.ok(ref);
  core.memory.folds.forget([ref.id]);
  await store.erase([`fold:${ref.id}`]);
  for (let n = 0; n < 2; n++) await assert.rejects(core.memory.folds.texts([ref]), { kind: 'damaged' });
  await core.stop();
});

test('a page that is lost among others is damage, wherever it is read', async (t) => {
  const { backend, store } = withBackend();
  const before = await start(t, store);
  // Three pages of sixteen messages, all word for word.
  for (let n = 0; n < 20; n++) await say(before, n, `mark${n}x briefly`);
  await before.stop();
  const keys = (await store.list(anyPage, `${room}:`)).map(({ id }) => `page:${id}`);
  assert.equal(keys.length, 3);
  const [, middle = ''] = keys;
  const [value = ''] = await backend.getMany([middle]);
  await backend.deleteMany([middle]);
  const core = await start(t, store);
  const { journal } = core.memory.conversations;
  const damaged = { kind: 'damaged' };
  await assert.rejects(journal.page(room, { epoch: 1, seq: 20 }), damaged);
  await assert.rejects(journal.turns(room, { epoch: 1, from: 0, to: 39 }), damaged);
  await assert.rejects(journal.turns(room, { epoch: 1, from: 18, to: 35 }), damaged);
  await assert.rejects(core.memory.conversations.read(room), damaged);
  const told = await core.send(message(50, 'what do you know?'));
  assert.match(told.notices[0]?.text ?? '', /damaged/);
  await backend.setMany([{ key: middle, value }]);
  assert.ok((await core.memory.conversations.read(room)).tail.some((turn) => turn.text.startsWith('mark10x')));
});

test('what retention dropped from the front is no damage', async (t) => {
  const { store } = withBackend();
  const core = await start(t, store);
  await talk(core, 0, 20);
  core.advance(40 * dayMs);
  for (let n = 30; n < 60; n++) await core.send(message(n, chatter(n), { at: core.now() }));
  await core.memory.amending.expire(room, core.now() - 30 * dayMs);
  await core.memory.idle();
  assert.deepEqual(await core.memory.conversations.journal.page(room, { epoch: 1, seq: 0 }), []);
  await core.stop();
  const again = await start(t, store);
  assert.ok((await allTurns(again)).some((turn) => turn.text.startsWith('mark59x')));
  await again.send(message(70, 'and now?', { at: again.now() + 40 * dayMs }));
  assert.match(textOf(again.model.answers().at(-1)), /mark59x/);
});
