import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelId, Event } from '../../src/event.ts';
import { toChannelId } from '../../src/event.ts';
import type { Backend } from '../../src/storage/backend.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, chatter, goodSummary, textOf } from './memory-talk.ts';

/** The store stops before, or right after, each of its operations; what was acknowledged is there once after a restart. */

const secret = 'xylophone-4711';
const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm0' });
const inThread = { channel: thread, branchedFrom: 'm0', to: 'mention' as const };

/** Folds of two levels, a thread, an edit and a deletion of what was folded, a reset that is undone. */
const events: Event[] = [
  message(0, `mark0x the word is ${secret}`),
  ...Array.from({ length: 13 }, (_, n) => message(n + 1, chatter(n + 1, 110))),
  message(100, chatter(100, 10), { ...inThread, author: person('Bob') }),
  { kind: 'edit', id: 'e20', channel: room, at: 1, messageId: 'm1', text: 'mark1x made harmless', origin: {} },
  { kind: 'delete', id: 'e21', channel: room, at: 2, messageIds: ['m0'], origin: {} },
  command(22, 'reset'),
  command(23, 'undo'),
  ...Array.from({ length: 6 }, (_, n) => message(n + 30, chatter(n + 30, 110))),
  message(101, chatter(101, 10), { ...inThread, author: person('Bob') }),
];

const script = () =>
  scriptedModel((request, n) => {
    if (request.purpose !== 'fold') return `Reply ${n}, briefly.`;
    return textOf(request).includes(secret) ? `${goodSummary} ${secret}` : goodSummary;
  });

interface Mortal extends Backend {
  operations(): number;
  isDead(): boolean;
}

/** `before`: the operation that kills is not done; `after`: it is, but nobody hears of it; `once`: only it fails. */
function mortal(inner: Backend, lastOperation: number, how: 'before' | 'after' | 'once'): Mortal {
  let operations = 0;
  let dead = false;
  async function run<T>(operation: () => Promise<T>): Promise<T> {
    const kills = operations++ === lastOperation;
    if (kills && how === 'after') await operation();
    if (kills && how !== 'once') dead = true;
    if (dead || kills) throw new Error('the store is gone');
    return await operation();
  }
  return {
    operations: () => operations,
    isDead: () => dead,
    getMany: (keys) => run(() => inner.getMany(keys)),
    setMany: (entries) => run(() => inner.setMany(entries)),
    deleteMany: (keys) => run(() => inner.deleteMany(keys)),
    list: (range) => run(() => inner.list(range)),
    scrub: () => run(() => inner.scrub()),
    disconnect: () => inner.disconnect(),
  };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function start(backend: Backend): Promise<TestCore> {
  return await startCore({
    model: script(),
    store: createStore(backend),
    env: { MEMORY_TOKENS: '1000', STORE_URL: 'memory:' },
  });
}

async function settle(core: TestCore, isDead: () => boolean = () => false): Promise<void> {
  while (core.inbox.waiting() + core.inbox.running() > 0 && !isDead()) await nextTurn();
  if (!isDead()) await core.memory.idle();
}

/** Gives the events in one by one until the store dies; answers those that were acknowledged. */
async function live(backend: Mortal): Promise<Event[]> {
  const acknowledged: Event[] = [];
  let core: TestCore;
  try {
    core = await start(backend);
  } catch {
    return [];
  }
  for (const event of events) {
    try {
      await core.intake.accept(event);
    } catch {
      break;
    }
    acknowledged.push(event);
    await settle(core, backend.isDead);
    if (backend.isDead()) break;
  }
  await core.stop();
  return acknowledged;
}

async function checkWhole(core: TestCore, inner: Backend): Promise<void> {
  const gone = new Set(['m0']);
  const told = events.filter((event): event is Extract<Event, { kind: 'message' }> => event.kind === 'message');
  for (const channel of [room, thread]) {
    const turns = await allTurns(core, channel);
    const live = turns.filter((turn) => turn.erased === undefined);
    const expected = told.filter((event) => event.channel === channel && !gone.has(event.messageId));
    const questions = live.filter((turn) => turn.role === 'user');
    assert.deepEqual(
      questions.map((turn) => turn.id),
      expected.map((event) => event.messageId),
      'every message once, in order',
    );
    for (const question of questions) {
      assert.equal(live.filter((turn) => turn.answers === question.seq).length, 1, `${question.id} has one answer`);
    }
    await checkFolds(core, channel);
  }
  const all = await inner.list({ from: 'a', to: '{', limit: undefined, reverse: false });
  assert.ok(!JSON.stringify(all).includes(secret), 'what is deleted is nowhere in the store');
}

/** A fold that the head names is there and says something. */
async function checkFolds(core: TestCore, channel: ChannelId): Promise<void> {
  const { view } = await core.memory.conversations.read(channel);
  for (const fold of await core.memory.folds.texts(view.folds))
    assert.ok(fold.text.length > 20, 'folded, so summarised');
}

async function wholeLife(): Promise<number> {
  const backend = mortal(createMemoryBackend(), -1, 'before');
  await live(backend);
  return backend.operations();
}

for (const how of ['before', 'after'] as const) {
  test(`killed right ${how} any operation of the store, everything acknowledged is there once, and nothing is folded without a summary`, async () => {
    const operations = await wholeLife();
    assert.ok(operations > 200);
    // With LONG all of them.
    const step = process.env.LONG ? 1 : 11;
    for (let k = how === 'before' ? 0 : 5; k < operations; k += step) {
      const inner = createMemoryBackend();
      const acknowledged = await live(mortal(inner, k, how));
      const core = await start(inner);
      await settle(core);
      try {
        // The platform delivers again what was not acknowledged, and one that was.
        for (const event of [...acknowledged.slice(-1), ...events.slice(acknowledged.length)]) {
          await core.intake.accept(event);
          await settle(core);
        }
        await checkWhole(core, inner);
      } catch (error) {
        throw new Error(`killed ${how} operation ${k} of ${operations}`, { cause: error });
      } finally {
        await core.stop();
      }
    }
  });
}

test('a store that fails once, at whatever operation, is asked again, and nothing is lost or said twice', async () => {
  const operations = await wholeLife();
  const lives = Array.from({ length: Math.ceil(operations / 16) }, async (_, n) => {
    const k = n * 16 + 3;
    const inner = createMemoryBackend();
    const backend = mortal(inner, k, 'once');
    const core = await start(backend);
    try {
      for (const event of events) {
        await core.intake.accept(event).catch(async () => await core.intake.accept(event));
        await settle(core);
      }
      await checkWhole(core, inner);
    } catch (error) {
      throw new Error(`operation ${k} of ${operations} failed`, { cause: error });
    } finally {
      await core.stop();
    }
  });
  await Promise.all(lives);
});
