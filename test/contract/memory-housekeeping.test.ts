import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lateRecord } from '../../src/conversation/late.ts';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { foldQuietChannels, sweep } from '../../src/housekeeping.ts';
import { createLog } from '../../src/log.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, chatter, goodSummary, textOf } from './memory-talk.ts';

/** What is done now and then is done everywhere it can be: what fails in one place stops nothing in another. */

const log = createLog({ level: 'silent', format: 'json', secrets: [] });
const dayMs = 86_400_000;
const other = toChannelId({ platform: 't', workspace: 'other', channel: 'room' });

async function start(t: { after(run: () => Promise<void>): void }, store: Store): Promise<TestCore> {
  const model = scriptedModel((request, n) => (request.purpose === 'fold' ? goodSummary : `Reply ${n}, briefly.`));
  const core = await startCore({ model, store, env: { MEMORY_TOKENS: '1500', STORE_URL: 'memory:', LISTEN: 'all' } });
  t.after(() => core.stop());
  return core;
}

const sweepAll = (core: TestCore, given: Partial<Parameters<typeof sweep>[0]> = {}) =>
  sweep({ ...core, retentionDays: 30, auditDays: 365, log, ...given });

const fails = () => Promise.reject(new BotError('store', 'not now'));

const duties: [string, (core: TestCore) => Partial<Parameters<typeof sweep>[0]>][] = [
  ['the inbox', (core) => ({ inbox: { ...core.inbox, sweep: fails } })],
  ['the audit', (core) => ({ audit: { ...core.audit, sweep: fails } })],
  ['the data file', (core) => ({ store: { ...core.store, erase: fails } })],
];

for (const [what, failing] of duties) {
  test(`where sweeping ${what} fails, what is old is erased all the same`, async (t) => {
    const core = await start(t, createStore(createMemoryBackend()));
    await core.send(message(0, chatter(0)));
    core.advance(40 * dayMs);
    await sweepAll(core, failing(core));
    assert.ok((await allTurns(core)).every((turn) => turn.erased === 'expired'));
  });
}

test('an early change that is damaged keeps no other from being swept', async (t) => {
  const backend = createMemoryBackend();
  const core = await start(t, createStore(backend));
  await core.store.commit([
    lateRecord(room, 'm8', core.now(), 'a text'),
    lateRecord(room, 'm9', core.now(), 'another'),
  ]);
  await backend.setMany([{ key: `late:${room}:m7`, value: '{"value":{"v":1,"d":"rubbish"}}' }]);
  core.advance(40 * dayMs);
  await sweepAll(core);
  assert.deepEqual(await backend.list({ from: 'late:', to: 'late;', limit: undefined, reverse: false }), []);
});

test('a quiet channel that cannot be summarised keeps no other from it', async (t) => {
  const core = await start(t, createStore(createMemoryBackend()));
  const { high } = await core.memory.limits(other, await core.memory.profiles.of(other), false);
  for (let n = 0; (await core.memory.conversations.read(other)).rawTokens < high * 0.75; n++) {
    await core.send(message(n, chatter(n)));
    await core.send(message(100 + n, chatter(100 + n), { channel: other }));
  }
  const before = core.model.requests.length;
  core.advance(20 * 60_000);
  const of = async (channel: typeof room) =>
    channel === room ? await fails() : await core.memory.profiles.of(channel);
  await foldQuietChannels({ memory: { ...core.memory, profiles: { of } }, log, now: core.now });
  const written = core.model.requests.slice(before).map(textOf);
  assert.ok(written.length > 0 && written.every((text) => text.includes('mark100x')));
});

test('a person is forgotten in every channel but the one that is damaged, and told of that', async (t) => {
  const backend = createMemoryBackend();
  const core = await start(t, createStore(backend));
  const bob = person('Bob');
  const places = ['a', 'b', 'c'].map((channel) => toChannelId({ platform: 't', workspace: 'w', channel }));
  for (const [n, channel] of places.entries()) await core.send(message(n, chatter(n), { channel, author: bob }));
  await backend.setMany([{ key: `page:${places[1]}:000001:000000000`, value: '{"value":{"v":1,"d":"rubbish"}}' }]);
  const told = await core.send(command(900, 'forget me confirm', { author: bob }));
  assert.match(told.notices[0]?.text ?? '', /damaged/);
  for (const channel of [places[0], places[2]]) {
    assert.ok(channel && (await allTurns(core, channel)).every((turn) => turn.erased === 'forgotten'));
  }
});
