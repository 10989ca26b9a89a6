import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend } from '../../src/storage/backend.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createProbe } from '../../src/storage/probe.ts';
import { createStore, record, type Store } from '../../src/storage/store.ts';
import { isStoreError, note } from './store.ts';

/** A backend that lies, fails or hangs in some of its methods, with the key `note:a` stored. */
async function storeOver(failing: Partial<Backend>): Promise<Store> {
  const working = createMemoryBackend();
  const value = JSON.stringify({ value: { v: 1, d: { text: 'one' } } });
  await working.setMany([{ key: 'note:a', value }]);
  return createStore({ ...working, ...failing }, { operationMs: 30 });
}

const fail = () => Promise.reject(new Error('ECONNRESET to db.example:5432'));
const failAtOnce = () => {
  throw new Error('not connected');
};
const hang = () => new Promise<never>(() => {});
/** What no type would allow, as a foreign library might answer it. */
const answer = (json: string) => async () => JSON.parse(json);
const nothing = async () => JSON.parse('{}').nothing;

const write = (store: Store) => store.commit([record(note, 'a', { text: 'new' }), record(note, 'b', { text: 'new' })]);

test('a read that fails is an error and never a missing record', async () => {
  for (const failing of [fail, failAtOnce]) {
    const store = await storeOver({ getMany: failing, list: failing });
    await assert.rejects(store.get(note, 'a'), isStoreError(/^reading note:a failed$/));
    await assert.rejects(store.get(note, 'missing'), isStoreError(/failed/));
    await assert.rejects(store.list(note, 'a'), isStoreError(/^reading the list note:a failed$/));
  }
});

test('what a foreign error says stays in the cause', async () => {
  const store = await storeOver({ getMany: fail });
  const error: unknown = await store.get(note, 'a').catch((reason: unknown) => reason);
  assert.ok(error instanceof Error && error.cause instanceof Error);
  assert.match(error.cause.message, /ECONNRESET/);
});

for (const rubbish of ['null', '[]', '[null]', '[5]', '[{}]', '[{"value":"x"}]', '["a","b"]', '"text"']) {
  test(`a read answered with ${rubbish} is an error`, async () => {
    const store = await storeOver({ getMany: answer(rubbish) });
    await assert.rejects(store.get(note, 'a'), isStoreError(/note:a/));
  });
}

for (const rubbish of ['null', '{}', '[null]', '["note:a"]', '[{"key":"note:a"}]', '[{"key":"page:a","value":"x"}]']) {
  test(`a listing answered with ${rubbish} is an error`, async () => {
    const store = await storeOver({ list: answer(rubbish) });
    await assert.rejects(store.list(note, ''), isStoreError(/note:/));
  });
}

test('an answer of nothing at all is an error, to a read and to a write', async () => {
  const store = await storeOver({ getMany: nothing, list: nothing, setMany: nothing });
  await assert.rejects(store.get(note, 'a'), isStoreError(/reading/));
  await assert.rejects(store.list(note, ''), isStoreError(/reading/));
  await assert.rejects(write(store), isStoreError(/writing/));
});

test('a write that fails is an error', async () => {
  for (const failing of [fail, failAtOnce]) {
    const store = await storeOver({ setMany: failing });
    await assert.rejects(write(store), isStoreError(/^writing to the memory failed$/));
  }
});

for (const refusal of [
  'false',
  'true',
  '[]',
  '[true]',
  '[true,false]',
  '[false,false]',
  '[true,null]',
  '[true,true,true]',
]) {
  test(`a write of two records answered with ${refusal} is an error`, async () => {
    const store = await storeOver({ setMany: answer(refusal) });
    await assert.rejects(write(store), isStoreError(/writing/));
  });
}

test('a read that hangs is an error in time', async () => {
  const store = await storeOver({ getMany: hang, list: hang });
  await assert.rejects(store.get(note, 'a'), isStoreError(/reading note:a took longer than 30 ms$/));
  await assert.rejects(store.list(note, ''), isStoreError(/took longer than 30 ms$/));
});

test('a write that hangs is an error in time, which says that the outcome is unknown', async () => {
  const store = await storeOver({ setMany: hang, deleteMany: hang, scrub: hang });
  await assert.rejects(write(store), isStoreError(/took longer than 30 ms, so whether it was done is unknown/));
  await assert.rejects(store.erase(['note:a']), isStoreError(/unknown/));
  await assert.rejects(store.erase([]), isStoreError(/unknown/));
});

test('a failure that comes after its time limit harms nobody', async () => {
  const late = Promise.withResolvers<never>();
  const store = await storeOver({ getMany: () => late.promise, setMany: () => late.promise });
  await assert.rejects(store.get(note, 'a'), isStoreError(/longer/));
  await assert.rejects(write(store), isStoreError(/longer/));
  // Were one of them not listened to, the runner would see an unhandled rejection in the next turn of the loop.
  late.reject(new Error('connection lost'));
  await new Promise((resolve) => setImmediate(resolve));
});

test('erasing is an error when the records cannot be deleted, are still there, or their bytes are', async () => {
  for (const failing of [{ deleteMany: fail }, { deleteMany: answer('[true]') }, { scrub: fail }, { getMany: fail }]) {
    const store = await storeOver(failing);
    await assert.rejects(store.erase(['note:a']), isStoreError(/erasing/));
  }
});

test('a store that cannot be closed says so', async () => {
  await assert.rejects((await storeOver({ disconnect: fail })).close(), isStoreError(/closing the memory failed/));
  await assert.rejects((await storeOver({ disconnect: hang })).close(), isStoreError(/closing the memory took longer/));
});

test('closing does not wait for ever for what hangs', async () => {
  const store = await storeOver({ getMany: hang });
  const reading = assert.rejects(store.get(note, 'a'), isStoreError(/longer/));
  await store.close();
  await reading;
});

test('closing waits until what was begun is written', async () => {
  const steps: string[] = [];
  const slow = Promise.withResolvers<void>();
  const setMany: Backend['setMany'] = async (entries) => {
    await slow.promise;
    steps.push('written');
    return entries.map(() => true);
  };
  const store = await storeOver({ setMany, disconnect: async () => void steps.push('closed') });
  const working = [write(store), store.close()];
  await new Promise((resolve) => setImmediate(resolve));
  slow.resolve();
  await Promise.all(working);
  assert.deepEqual(steps, ['written', 'closed']);
});

test('a backend is given no key twice in one call', async () => {
  const calls: string[][] = [];
  const store = await storeOver({
    async setMany(entries) {
      calls.push(entries.map(({ key, value }) => `${key} ${JSON.parse(value).value.d.text}`));
      return entries.map(() => true);
    },
    async deleteMany(keys) {
      calls.push(keys);
      return keys.map(() => false);
    },
  });
  await store.commit(['first', 'last'].map((text) => record(note, 'x', { text })));
  await store.erase(['note:x', 'note:x']);
  assert.deepEqual(calls, [['note:x last'], ['note:x']]);
});

test('after a failure the store goes on', async () => {
  let broken = true;
  const working = createMemoryBackend();
  const store = await storeOver({ ...working, setMany: (entries) => (broken ? fail() : working.setMany(entries)) });
  await assert.rejects(write(store), isStoreError(/writing/));
  broken = false;
  await write(store);
  assert.deepEqual(await store.get(note, 'b'), { text: 'new' });
});

test('whether the store answers is asked as often as anybody likes, and written once in five seconds', async () => {
  const working = createMemoryBackend();
  let broken: 'read' | 'write' | undefined;
  let writes = 0;
  let now = 1000;
  const store = createStore({
    ...working,
    getMany: (keys) => (broken === 'read' ? fail() : working.getMany(keys)),
    setMany: (entries) => {
      writes += 1;
      return broken === 'write' ? fail() : working.setMany(entries);
    },
  });
  const probe = createProbe(store, () => now);
  assert.deepEqual(await Promise.all(Array.from({ length: 50 }, probe)), Array(50).fill(true));
  now += 4999;
  assert.equal(await probe(), true);
  assert.equal(writes, 1);
  broken = 'read';
  assert.equal(await probe(), false, 'read each time');
  broken = 'write';
  now += 1;
  assert.equal(await probe(), false, 'a disk that has become full');
  broken = undefined;
  assert.equal(await probe(), true, 'and has room again');
  assert.equal(writes, 3);
  now -= 3_600_000;
  broken = 'write';
  assert.equal(await probe(), false, 'though the clock was set back');
});
