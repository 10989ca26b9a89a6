import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { usageKind } from '../../src/usage/usage-record.ts';
import { command, message, person, room, scriptedModel, startCore } from './core.ts';
import { chatter, goodSummary } from './memory-talk.ts';

/** Whoever comes anew each time has no new budget each time. */

const month = { from: '2026-11-01', to: '2026-11-30' };
const visitor = (n: number, payer = 'address 1') => ({ ...person(`Visitor ${n}`), payer });

async function start(t: TestContext, env: Record<string, string>) {
  const backend = createMemoryBackend();
  const model = scriptedModel(({ purpose }, n) => (purpose === 'fold' ? goodSummary : `Reply ${n}.`));
  const core = await startCore({ model, store: createStore(backend), env: { STORE_URL: 'memory:', ...env } });
  t.after(() => core.stop());
  return core;
}

test('what is spent for somebody whose budget another pays is taken from that one: answers, retries and summaries', async (t) => {
  const core = await start(t, { MEMORY_TOKENS: '2000' });
  for (let n = 1; n <= 30; n++) await core.send(message(n, chatter(n), { author: visitor(n) }));
  await core.send(command(50, 'retry', { author: { ...visitor(30), admin: true } }));
  await core.memory.idle();
  const records = (await core.store.list(usageKind, '')).flatMap((one) => one.read());
  const byKind = Map.groupBy(records, ({ kind }) => kind);
  assert.ok((byKind.get('fold')?.length ?? 0) > 0);
  assert.ok(records.filter((row) => row.person !== '-').every((row) => row.payer === 'address 1'));
  assert.equal(
    byKind.get('answer')?.reduce((sum, row) => sum + row.calls, 0),
    31,
  );
});

test('a new person of an address whose budget is used up is refused, one of another address is not', async (t) => {
  const core = await start(t, { BUDGET_USER_TOKENS: '2500' });
  const refusedAt: number[] = [];
  for (let n = 1; n <= 14; n++) {
    const { answer, notices } = await core.send(message(n, 'hello', { author: visitor(n) }));
    if (answer !== undefined) continue;
    refusedAt.push(n);
    assert.match(notices.at(-1)?.text ?? '', /BUDGET_USER_TOKENS/);
  }
  assert.ok(refusedAt.length >= 8, `${refusedAt.length} of 14`);
  assert.notEqual((await core.send(message(20, 'hello', { author: visitor(20, 'address 2') }))).answer, undefined);
  const shown = await core.send(command(21, 'usage', { author: visitor(99) }));
  assert.match(shown.notices[0]?.text ?? '', /You have used [1-9][\d,]* of your 2,500 tokens today/);
  const { budgets } = await core.views.usage(month);
  assert.deepEqual(
    budgets.map(({ name }) => name.replace(/\d+ more/, 'n more').replace(/Visitor \d+/, 'Visitor')),
    ['Visitor and n more who share a budget (t/w), today', 'Visitor (t/w), today'],
  );
});

test('everything together has one line among the budgets, and a sentence of its own', async (t) => {
  const core = await start(t, { BUDGET_TOTAL_TOKENS: '1200', BUDGET_TOTAL_USD: '5', MAX_REPLY_TOKENS: '1000' });
  await core.send(message(1, 'hello'));
  await core.send(message(2, 'hello', { author: person('Ben') }));
  const { notices, answer } = await core.send(message(3, 'word '.repeat(150)));
  assert.equal(answer, undefined);
  assert.match(notices[0]?.text ?? '', /^⚠️ Everybody together has used [\d,]+ of the 1,200 tokens today/);
  assert.equal(notices[0]?.private, true);
  const { budgets } = await core.views.usage(month);
  assert.deepEqual(
    budgets.map(({ name, unit }) => [name, unit]),
    [
      ['Everything together, today', 'tokens'],
      ['Everything together, this month', 'USD'],
    ],
  );
  assert.deepEqual((await core.views.usage({ ...month, platform: 't' })).budgets, [], 'a part does not show the whole');
  const shown = await core.send(command(4, 'usage'));
  assert.match(shown.notices[0]?.text ?? '', /\nEverybody together has used \d+ of the 1,200 tokens today: /);
});

test('usage that was kept before anybody could pay for others is read as it was', async (t) => {
  const core = await start(t, { BUDGET_USER_TOKENS: '5000' });
  const counts = { calls: 1, prompt: 4000, cached: 0, completion: 10, reasoning: 0, estimatedCalls: 0, cost: 5 };
  const row = { person: 'id-Ann', model: 'gpt-4o', kind: 'answer', ...counts };
  await core.store.commit([{ key: `usage:t/w:2026-11-03:${room}`, value: { v: 1, d: [row] } }]);
  const { notices } = await core.send(message(1, 'hello', { author: person('Ann') }));
  assert.match(notices[0]?.text ?? '', /You have used 4,010 of your 5,000 tokens today/);
  assert.notEqual((await core.send(message(2, 'hello', { author: visitor(1) }))).answer, undefined);
});
