import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepAnswer } from '../../src/turn/keep.ts';
import { createLedger } from '../../src/usage/ledger.ts';
import { loadPrices } from '../../src/usage/prices.ts';
import { message, room, scriptedModel, startCore } from './core.ts';
import { allTurns, counter } from './memory-talk.ts';

test('an answer to what its question no longer says is not kept, though nobody interrupted it', async (t) => {
  const core = await startCore({ model: scriptedModel(() => 'Well.'), env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(1, 'as it was asked'));
  const asked = (await allTurns(core)).find((turn) => turn.id === 'm1');
  assert.ok(asked);
  const at = Date.UTC(2026, 10, 3, 13);
  await core.send({ kind: 'edit', id: 'x', channel: room, at, messageId: 'm1', text: 'as it is now', origin: {} });
  const before = await allTurns(core);
  const ledger = createLedger({
    store: core.store,
    prices: await loadPrices(undefined),
    timeZone: 'UTC',
    limits: {},
    now: core.now,
  });
  const deps = { conversations: core.memory.conversations, ledger, counterFor: async () => counter };
  const spoken = {
    text: 'To the old words.',
    posts: ['p'],
    model: 'm',
    at,
    partial: undefined,
    replyTo: undefined,
    steps: [],
    recalled: [],
  };
  const cost = { charges: [], reservation: undefined, entry: undefined };
  assert.equal(await keepAnswer(deps, room, asked, spoken, cost, () => true), false);
  assert.deepEqual(await allTurns(core), before);
  const now = before.find((turn) => turn.id === 'm1');
  assert.ok(now && (await keepAnswer(deps, room, now, spoken, cost, () => true)), 'to what it says now it is');
});
