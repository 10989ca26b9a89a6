import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { MemoryChange } from '../../src/conversation/changes.ts';
import type { Event } from '../../src/event.ts';
import { toChannelId } from '../../src/event.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, barrier, chatter, contentOf, folds, goodSummary, say, talk, textOf } from './memory-talk.ts';

/** What is taken back while something is being written from it: in no answer, no summary and no later request. */

const secret = 'xylophone-4711';
const words = `mark0x the word is ${secret} and nobody else may know it`;
const cat = person('Cat');
const dayMs = 86_400_000;
const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm0' });

interface Watched extends TestCore {
  heard: MemoryChange[];
  /** What the model was asked since something was first taken back. */
  requestsSince(): ModelRequest[];
}

type Held = ReturnType<typeof barrier> & { isWanted: boolean };

/** The next request of this purpose waits at the barrier, as long as one is wanted. */
async function start(
  t: { after(run: () => Promise<void>): void },
  { hold, store }: { hold?: { purpose: string; held: Held }; store?: ReturnType<typeof createStore> } = {},
): Promise<Watched> {
  const model = scriptedModel(async (request, n) => {
    const known = textOf(request).includes(secret);
    if (hold?.held.isWanted && request.purpose === hold.purpose) {
      hold.held.isWanted = false;
      await hold.held.wait();
    }
    if (request.purpose === 'fold') return known ? `${goodSummary} ${secret}` : goodSummary;
    const isAsked = contentOf(request.messages.at(-1)).includes('what is the word?');
    return known && isAsked ? `It is ${secret}.` : `Reply ${n}.`;
  });
  const env = { MEMORY_TOKENS: '1000', STORE_URL: 'memory:' };
  const core = await startCore({ model, env, ...(store && { store }) });
  t.after(async () => {
    hold?.held.open();
    await core.stop();
  });
  const heard: MemoryChange[] = [];
  let before: number | undefined;
  core.memory.changes.watch((change) => {
    heard.push(change);
    if (change.taken !== undefined) before ??= model.requests.length;
  });
  return { ...core, heard, requestsSince: () => model.requests.slice(before) };
}

const held = (): Held => ({ ...barrier(), isWanted: false });
const removal: Event = { kind: 'delete', id: 'x', channel: room, at: 0, messageIds: ['m0'], origin: {} };
const edit: Event = {
  kind: 'edit',
  id: 'y',
  channel: room,
  at: Date.UTC(2026, 10, 3, 13),
  messageId: 'm0',
  text: 'mark0x harmless',
  origin: {},
};

/** Every way in which something that was said is taken back, other than by a reset. */
const ways: [string, (core: TestCore) => Promise<unknown>][] = [
  ['is deleted', (core) => core.intake.accept(removal)],
  ['is edited', (core) => core.intake.accept(edit)],
  ['is forgotten by its author', (core) => core.intake.accept(command(900, 'forget me confirm', { author: cat }))],
  ['is forgotten by an admin', (core) => core.intake.accept(command(900, 'forget user Cat confirm'))],
  ['expires', (core) => core.memory.amending.expire(room, core.now() - 30 * dayMs)],
];

/** Bounded: whatever never comes fails the test. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let turns = 0; !isSo(); turns++) {
    assert.ok(turns < 20_000, `it never came: ${what}`);
    await new Promise((resolve) => (turns % 100 === 99 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
}

async function quiet(core: TestCore): Promise<void> {
  await until(() => core.inbox.running() + core.inbox.waiting() === 0, 'the end of all events');
  await core.memory.idle();
}

async function assertGone(core: Watched): Promise<void> {
  const state = await core.memory.conversations.read(room);
  assert.ok(!JSON.stringify([state.tail, state.page, await allTurns(core)]).includes(secret), 'in no turn');
  assert.ok(!JSON.stringify(await core.memory.folds.all(room)).includes(secret), 'in no summary');
  for (const request of core.requestsSince()) assert.ok(!textOf(request).includes(secret));
}

for (const [what, takeBack] of ways) {
  test(`an answer under way when a message ${what} is written anew without it, in the channel and in a thread`, async (t) => {
    for (const channel of [room, thread]) {
      const hold = held();
      const core = await start(t, { hold: { purpose: 'answer', held: hold } });
      await core.send(message(0, words, { author: cat }));
      core.advance(40 * dayMs);
      hold.isWanted = true;
      const where = channel === room ? {} : { channel, branchedFrom: 'm0', to: 'mention' as const };
      await core.intake.accept(message(1000, 'what is the word?', { at: core.now(), ...where }));
      await until(() => !hold.isWanted, 'the question');
      await takeBack(core);
      await until(() => core.heard.some(({ taken }) => taken !== undefined), 'the change');
      hold.open();
      await quiet(core);
      assert.match(core.outcomes.get('e1000')?.answer ?? '', /^Reply/);
      await assertGone(core);
    }
  });

  test(`a summary under way when a message ${what} is given up and written from what is left`, async (t) => {
    const hold = held();
    const core = await start(t, { hold: { purpose: 'fold', held: hold } });
    await core.send(message(0, words, { author: cat }));
    hold.isWanted = true;
    for (let n = 1; n < 20; n++) await core.intake.accept(message(n, chatter(n), { at: core.now() + 40 * dayMs }));
    await until(() => !hold.isWanted, 'the summary');
    core.advance(40 * dayMs);
    assert.ok(textOf(folds(core).at(-1)).includes(secret));
    await takeBack(core);
    await until(() => core.heard.some(({ taken }) => taken !== undefined), 'the change');
    hold.open();
    await quiet(core);
    for (let n = 300; n < 312; n++) await core.send(message(n, chatter(n), { at: core.now() }));
    await assertGone(core);
    assert.ok((await core.memory.conversations.read(room)).view.folds.length > 0, 'written from what is left');
  });

  test(`when a message ${what} whoever looks on is told of an amendment, not of a reset`, async (t) => {
    const core = await start(t);
    await core.send(message(0, words, { author: cat }));
    for (let n = 1; n < 25; n++) await core.send(message(n, chatter(n), { at: core.now() + 40 * dayMs }));
    core.advance(40 * dayMs);
    core.heard.length = 0;
    await takeBack(core);
    await quiet(core);
    assert.ok(core.heard.some((change) => change.what === 'amended' && change.taken?.messageIds.includes('m0')));
    assert.ok(!core.heard.some((change) => change.what === 'reset'));
  });
}

test('a reset and its undo are told as such', async (t) => {
  const core = await start(t);
  await talk(core, 0, 2);
  for (const line of ['reset', 'undo']) {
    core.heard.length = 0;
    await core.send(command(line === 'reset' ? 900 : 901, line));
    assert.deepEqual(
      core.heard.map(({ what }) => what),
      ['reset'],
    );
  }
});

test('what has expired is out of reach in the same commit, however long its erasure takes', async (t) => {
  const store = createStore(createMemoryBackend());
  const erasing = barrier();
  const erase = async (keys: string[]): Promise<void> => {
    if (keys.length > 0) await erasing.wait();
    await store.erase(keys);
  };
  const core = await start(t, { store: { ...store, erase } });
  await core.send(message(0, words, { author: cat }));
  await talk(core, 1, 30);
  core.advance(40 * dayMs);
  for (let n = 200; n < 204; n++) await core.send(message(n, chatter(n), { at: core.now() }));
  const expiring = core.memory.amending.expire(room, core.now() - 30 * dayMs);
  await erasing.reached;
  await core.memory.recall.refresh(room);
  await core.intake.accept(message(300, 'what is the word?', { at: core.now() }));
  await until(() => core.outcomes.get('e300')?.answer !== undefined, 'the answer');
  await assertGone(core);
  erasing.open();
  await expiring;
  await quiet(core);
  await say(core, 301);
  await assertGone(core);
  const pages = await store.list({ name: 'page', version: 1, schema: z.unknown(), upgrades: {} }, `${room}:`);
  assert.ok(pages.length <= 2, 'the emptied pages are dropped');
});

test('of a message that is deleted while it is summarised in parts, the later parts are not sent', async (t) => {
  const hold = held();
  const core = await start(t, { hold: { purpose: 'fold', held: hold } });
  hold.isWanted = true;
  await core.intake.accept(message(0, `${chatter(0, 1500)} ${secret}`, { author: cat }));
  for (let n = 1; n < 20; n++) await core.intake.accept(message(n, chatter(n)));
  await until(() => !hold.isWanted, 'the summary');
  const first = folds(core).at(-1);
  assert.ok(textOf(first).includes('mark0x') && !textOf(first).includes(secret), 'it takes several parts');
  await core.intake.accept(removal);
  await until(() => core.heard.some(({ taken }) => taken !== undefined), 'the change');
  hold.open();
  await quiet(core);
  for (const request of core.requestsSince()) assert.ok(!textOf(request).includes('mark0x'));
  await assertGone(core);
});
