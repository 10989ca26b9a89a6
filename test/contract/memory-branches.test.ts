import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, toChannelId } from '../../src/event.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, chatter, folds, keepMarks, lastingPart, say, talk, textOf, wireTokens } from './memory-talk.ts';

/** Threads know what their channel knew; a reset puts both away, undo brings both back. */

const budget = 2000;
const threadOf = (name: string) => toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: name });
const first = threadOf('first');
const second = threadOf('second');

async function start(t: { after(run: () => Promise<void>): void }): Promise<TestCore> {
  const model = scriptedModel((request, n) =>
    request.purpose === 'fold' ? keepMarks(request) : `Reply ${n}, briefly.`,
  );
  const core = await startCore({ model, env: { MEMORY_TOKENS: String(budget), STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  return core;
}

function inThread(n: number, text: string, channel = first, branchedFrom = 'm1'): Event {
  return message(n, text, { channel, branchedFrom, author: person('Ann') });
}

async function lastPrompt(core: TestCore, event: Event): Promise<string> {
  await core.send(event);
  return textOf(core.model.answers().at(-1));
}

test('a thread knows the channel up to the answer it hangs from, and nothing that was said later', async (t) => {
  const core = await start(t);
  await talk(core, 0, 3);
  const prompt = await lastPrompt(core, inThread(100, 'mark100x hello'));
  assert.match(prompt, /mark0x.*Reply 1, .*mark1x.*Reply 2, .*mark100x/);
  assert.doesNotMatch(prompt, /mark2x|mark3x/);
  await say(core, 4);
  assert.doesNotMatch(textOf(core.model.answers().at(-1)), /mark100x/, 'nothing is written back');
});

test('a thread of an old channel begins with its folds, within its share, and the prefix stays as it is', async (t) => {
  const core = await start(t);
  await talk(core, 0, 60);
  await core.send(inThread(100, chatter(100, 20), first, 'm59'));
  const one = core.model.answers().at(-1);
  assert.match(textOf(one), /mark0x.*mark59x.*mark100x/);
  await talk(core, 61, 80);
  await core.send(inThread(101, chatter(101, 20), first, 'm59'));
  const two = core.model.answers().at(-1);
  const lasting = lastingPart(one);
  assert.deepEqual(two?.messages.slice(0, lasting.length), lasting, 'though the channel was folded since');
  const seed = await core.memory.seeds.of(first, budget * 0.25);
  assert.ok(seed.tokens > 0 && seed.tokens <= budget * 0.25);
});

test('a thread is folded by itself and never above the budget, its share of the channel included', async (t) => {
  const core = await start(t);
  await talk(core, 0, 40);
  const before = folds(core).length;
  for (let n = 100; n < 140; n++) await core.send(inThread(n, chatter(n), first, 'm39'));
  assert.ok(folds(core).length > before);
  for (const request of core.model.requests) assert.ok((await wireTokens(request)) <= budget);
  const { view } = await core.memory.conversations.read(first);
  assert.ok(view.folds.length > 0);
  assert.match(textOf(core.model.answers().at(-1)), /mark100x/);
  const last = core.model.answers().at(-1);
  assert.equal(last?.messages.filter((one) => one.role === 'system').length, 1);
});

test('a reset hides the channel from itself and from its threads, which start afresh; undo brings all of it back', async (t) => {
  const core = await start(t);
  await talk(core, 0, 20);
  await core.send(inThread(100, chatter(100, 20)));
  assert.ok((await core.memory.conversations.read(room)).view.folds.length > 0);
  await core.send(command(200, 'reset'));

  const inChannel = await lastPrompt(core, message(21, 'mark21x a new beginning'));
  assert.doesNotMatch(inChannel, /mark([0-9]|1[0-9]|20)x|mark100x/);
  const known = await lastPrompt(core, inThread(101, 'mark101x also here'));
  assert.doesNotMatch(known, /mark([0-9]|1[0-9]|20)x|mark100x/);
  const goingOn = await lastPrompt(core, inThread(104, 'mark104x and on'));
  assert.match(goingOn, /mark101x.*mark104x/, 'what is said since is remembered');
  const remembered = (await allTurns(core, first)).filter((turn) => turn.role === 'user');
  assert.deepEqual(
    remembered.map((turn) => turn.id),
    ['m101', 'm104'],
  );
  const other = await lastPrompt(core, inThread(102, 'mark102x another thread', second, 'm21'));
  assert.match(other, /mark21x/);

  await core.send(command(201, 'undo'));
  const again = await lastPrompt(core, message(22, 'mark22x and now?'));
  assert.match(again, /mark0x.*mark20x.*mark21x.*mark22x/);
  const thread = await lastPrompt(core, inThread(103, 'mark103x and here?'));
  assert.match(thread, /mark0x.*mark100x.*mark101x.*mark103x/);
  const turns = await allTurns(core);
  assert.deepEqual(
    turns.filter((turn) => turn.role === 'user').map((turn) => turn.id),
    Array.from({ length: 23 }, (_, n) => `m${n}`),
  );
});

test('two resets are undone one after the other, and the folds of each come back with it', async (t) => {
  const core = await start(t);
  await talk(core, 0, 18);
  await core.send(command(200, 'reset'));
  await talk(core, 19, 36);
  await core.send(command(201, 'reset'));
  assert.doesNotMatch(await lastPrompt(core, message(37, chatter(37, 5))), /mark(18|19|36)x/);
  await core.send(command(202, 'undo'));
  const one = await lastPrompt(core, message(38, chatter(38, 5)));
  assert.match(one, /mark19x.*mark36x.*mark37x.*mark38x/);
  assert.doesNotMatch(one, /mark0x/);
  await core.send(command(203, 'undo'));
  assert.match(await lastPrompt(core, message(39, chatter(39, 5))), /mark0x.*mark19x.*mark38x.*mark39x/);
  const none = await core.send(command(204, 'undo'));
  assert.match(none.notices[0]?.text ?? '', /no reset .*to undo/);
  const { head } = await core.memory.conversations.read(room);
  for (const [n, fold] of head.folds.entries()) assert.ok(n === 0 || fold.from > (head.folds[n - 1]?.to ?? -1));
});

test('what is deleted while it is put away is not brought back', async (t) => {
  const core = await start(t);
  await talk(core, 0, 20);
  await core.send(command(200, 'reset'));
  await core.send({ kind: 'delete', id: 'd', channel: room, at: 1, messageIds: ['m0'], origin: {} });
  await core.send(command(201, 'undo'));
  await talk(core, 21, 30);
  const prompt = textOf(core.model.answers().at(-1));
  assert.doesNotMatch(prompt, /mark0x/);
  assert.match(prompt, /mark1x/);
});

test('a channel that is reset while it is answered keeps nothing of the answer, and the next one starts afresh', async (t) => {
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const model = scriptedModel(async (_, n) => {
    if (n === 2) {
      reached.resolve();
      await held.promise;
    }
    return `Reply ${n}, briefly.`;
  });
  const core = await startCore({ model, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await say(core, 0);
  await core.intake.accept(message(1, chatter(1)));
  await reached.promise;
  await core.intake.accept(command(2, 'reset'));
  while (core.inbox.running() > 1) await new Promise((resolve) => setImmediate(resolve));
  held.resolve();
  while (core.inbox.running() > 0) await new Promise((resolve) => setImmediate(resolve));
  await core.send(message(3, 'mark3x afresh'));
  assert.doesNotMatch(textOf(model.answers().at(-1)), /mark[01]x|Reply/);
});

test('what a thread is given of its channel is put together once for many answers, however the provider counts', async (t) => {
  const model = scriptedModel((request, n) => ({
    text: request.purpose === 'fold' ? keepMarks(request) : `Reply ${n}, briefly.`,
    promptTokens: Math.ceil(request.promptTokens * 1.4),
  }));
  const core = await startCore({ model, env: { MEMORY_TOKENS: String(budget), STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await talk(core, 0, 20);
  // Learnt until it stands: what is counted differently each time must be put together each time.
  for (let n = 0; n < 30; n++) await core.memory.calibration.learn('gpt-4o', 1000, 1400);
  await core.send(inThread(100, 'mark100x hello'));
  const all = t.mock.method(core.memory.folds, 'all');
  const seeds = new Set<unknown>();
  const of = core.memory.seeds.of;
  t.mock.method(core.memory.seeds, 'of', async (...args: Parameters<typeof of>) => {
    const seed = await of(...args);
    seeds.add(seed);
    return seed;
  });
  for (let n = 101; n < 111; n++) await core.send(inThread(n, `mark${n}x and?`));
  assert.equal(seeds.size, 1);
  assert.equal(all.mock.callCount(), 0, 'nothing of the channel is read again');
});

test('an edit of what a channel said before its thread reaches the thread, with no summary between them', async (t) => {
  const core = await start(t);
  await talk(core, 0, 3);
  assert.match(await lastPrompt(core, inThread(100, 'mark100x hello', first, 'm3')), /mark1x/);
  const at = Date.UTC(2026, 10, 3, 13);
  const text = 'edit1x instead';
  await core.send({ kind: 'edit', id: 'edited', channel: room, at, messageId: 'm1', text, origin: {} });
  const prompt = await lastPrompt(core, inThread(101, 'mark101x and now?'));
  assert.match(prompt, /edit1x instead/);
  assert.doesNotMatch(prompt, /mark1x/);
});
