import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { createLedger } from '../../src/usage/ledger.ts';
import { loadPrices } from '../../src/usage/prices.ts';
import { usageId } from '../../src/usage/usage-record.ts';
import {
  charge,
  createBench,
  general,
  noon,
  pay,
  prices,
  random,
  request,
  thread,
  usage,
  usedTokens,
  workspace,
} from './usage-fixture.ts';

const all = { workspace, from: '2026-01-01', to: '2026-12-31' };
const dayMs = 86_400_000;

test('every call is counted with the provider’s numbers, by person, model and kind', async () => {
  const bench = createBench();
  const counts = usage(1000, 50, { cached: 800, reasoning: 30 });
  await pay(bench, general, [charge(0, 0, { usage: counts }), charge(0, 0, { usage: counts })]);
  await pay(bench, general, [
    charge(500, 20, { kind: 'fold' }),
    charge(10, 1, { model: 'gpt-5-mini-2025-08-07', person: 'bob' }),
  ]);
  const ann = { person: 'ann', model: 'gpt-5-mini', estimatedCalls: 0, day: '2026-11-21', channel: general };
  const bob = { ...ann, person: 'bob', model: 'gpt-5-mini-2025-08-07' };
  assert.deepEqual(await bench.ledger.report(all), [
    { ...ann, kind: 'answer', calls: 2, prompt: 2000, cached: 1600, completion: 100, reasoning: 60, cost: 340_000 },
    { ...ann, kind: 'fold', calls: 1, prompt: 500, cached: 0, completion: 20, reasoning: 0, cost: 165_000 },
    { ...bob, kind: 'answer', calls: 1, prompt: 10, cached: 0, completion: 1, reasoning: 0, cost: 4500 },
  ]);
});

test('calls that we counted ourselves are marked as such', async () => {
  const bench = createBench();
  await pay(bench, general, [charge(10, 1), charge(0, 0, { usage: usage(20, 2, { estimated: true }) })]);
  const [row] = await bench.ledger.report(all);
  assert.deepEqual([row?.calls, row?.estimatedCalls, row?.prompt], [2, 1, 30]);
});

test('the configurations that answered stand beside the model, the newest last, and not without bound', async () => {
  const bench = createBench();
  const of = (fingerprint?: string) =>
    charge(0, 0, { usage: usage(1, 1, fingerprint === undefined ? {} : { fingerprint }) });
  await pay(bench, general, [of(), of('fp_0'), of('fp_1'), of('fp_0')]);
  assert.deepEqual((await bench.ledger.report(all))[0]?.fingerprints, ['fp_1', 'fp_0']);
  await pay(
    bench,
    general,
    Array.from({ length: 30 }, (_, n) => of(`fp_${n}`)),
  );
  const [row] = await bench.ledger.report(all);
  assert.deepEqual([row?.calls, row?.fingerprints?.length, row?.fingerprints?.at(-1)], [34, 8, 'fp_29']);
});

test('an unknown price stays unknown beside a known one, and is never zero', async () => {
  const bench = createBench();
  await pay(bench, general, [charge(10, 1), charge(10, 1, { model: 'mystery' }), charge(10, 1, { model: 'demo' })]);
  const rows = await bench.ledger.report(all);
  assert.deepEqual(
    rows.map((row) => [row.model, row.cost]),
    [
      ['gpt-5-mini', 4500],
      ['mystery', undefined],
      ['demo', 0],
    ],
  );
});

test('usage of a model whose price is named later is priced then', async () => {
  const { store, ledger } = createBench();
  const bill = await ledger.bill(general, [charge(10, 1, { model: 'gpt-9' })]);
  await store.commit(bill.records);
  const wiser = {
    asOf: '2027-01-01',
    costOf: (of: { prompt: number }, model: string) => (model === 'gpt-9' ? of.prompt : undefined),
  };
  const later = createLedger({ store, prices: wiser, timeZone: 'UTC', limits: {}, now: () => noon });
  assert.equal((await later.report(all))[0]?.cost, 10);
  await store.commit((await later.bill(general, [charge(7, 0, { model: 'gpt-9' })])).records);
  const costs = (await later.report(all)).map((row) => row.cost);
  assert.deepEqual(costs, [10, 7]);
});

test('a bill whose commit failed leaves everything as it was', async () => {
  const bench = createBench({ limits: { workspaceTokens: 1000 } });
  await pay(bench, general, [charge(100, 0)]);
  const held = await bench.ledger.reserve(request);
  await bench.ledger.bill(general, [charge(300, 0)], held); // its commit fails: it is never settled
  const [line] = await bench.ledger.remaining({ channel: general, person: 'ann' });
  assert.deepEqual([line?.used, line?.reserved], [100, 150]);
  await pay(bench, general, [charge(30, 0)], held);
  assert.equal(await usedTokens(bench.ledger), 130);
  const [after] = await bench.ledger.remaining({ channel: general, person: 'ann' });
  assert.deepEqual([after?.used, after?.reserved], [130, 0]);
});

test('a commit of unknown outcome that did arrive is counted when the channel is billed next', async () => {
  const bench = createBench({ limits: { workspaceTokens: 1000 } });
  const held = await bench.ledger.reserve(request);
  const lost = await bench.ledger.bill(general, [charge(100, 0)], held);
  await bench.store.commit(lost.records); // arrived, but whoever wrote it was told of a time-out
  held.release();
  await pay(bench, general, [charge(10, 0)]);
  assert.equal(await usedTokens(bench.ledger), 110);
  assert.equal((await bench.ledger.remaining({ channel: general, person: 'ann' }))[0]?.used, 110);
});

test('a bill that is settled after the next one was begun is counted once', async () => {
  const bench = createBench({ limits: { workspaceTokens: 1000 } });
  await bench.ledger.remaining({ channel: general, person: 'ann' });
  const first = await bench.ledger.bill(general, [charge(100, 0)]);
  await bench.store.commit(first.records);
  const second = await bench.ledger.bill(general, [charge(10, 0)]);
  await bench.store.commit(second.records);
  second.settle();
  first.settle();
  first.settle();
  assert.equal((await bench.ledger.remaining({ channel: general, person: 'ann' }))[0]?.used, 110);
  await pay(bench, general, [charge(1, 0)]);
  assert.equal(await usedTokens(bench.ledger), 111);
});

test('usage that is written while the counters are being read is counted once', async () => {
  const backend = createMemoryBackend();
  const gate = Promise.withResolvers<void>();
  const slow = {
    ...backend,
    list: async (range: Parameters<typeof backend.list>[0]) => {
      const found = await backend.list(range);
      await gate.promise;
      return found;
    },
  };
  const bench = createBench({ backend: slow, limits: { workspaceTokens: 1000 } });
  await bench.store.commit((await bench.ledger.bill(random, [charge(5, 0)])).records);
  const reading = bench.ledger.remaining({ channel: general, person: 'ann' });
  await pay(bench, general, [charge(100, 0)]);
  gate.resolve();
  assert.equal((await reading)[0]?.used, 105);
});

test('a restart finds the same counts', async () => {
  const limits = { userTokens: 9000, channelTokens: 9000, workspaceTokens: 9000, workspaceUsd: 5 };
  const bench = createBench({ limits });
  await bench.ledger.remaining({ channel: general, person: 'ann' });
  await pay(bench, general, [charge(100, 10), charge(50, 5, { kind: 'fold' })]);
  await pay(bench, thread, [charge(30, 3, { person: 'bob' })]);
  await pay(bench, random, [charge(20, 2)]);
  const restarted = createLedger({ store: bench.store, prices, timeZone: 'UTC', limits, now: () => noon });
  const before = await bench.ledger.remaining({ channel: general, person: 'ann' });
  assert.deepEqual(await restarted.remaining({ channel: general, person: 'ann' }), before);
  assert.deepEqual(
    before.map((line) => line.used),
    [187, 198, 220, 200 * 250 + 20 * 2000],
  );
});

test('a thread has a record of its own', async () => {
  const bench = createBench();
  await pay(bench, general, [charge(1, 0)]);
  await pay(bench, thread, [charge(2, 0)]);
  assert.equal(usageId(thread, '2026-11-21'), 'discord/guild:2026-11-21:discord/guild/general/t1');
  assert.deepEqual(
    (await bench.ledger.report({ ...all, channel: thread })).map((row) => row.prompt),
    [2],
  );
  assert.deepEqual(
    (await bench.ledger.report({ ...all, channel: general })).map((row) => row.prompt),
    [1, 2],
  );
});

test('a report holds the days asked for, of one person where one is asked for, and of no other workspace', async () => {
  const bench = createBench();
  const other = toChannelId({ platform: 'discord', workspace: 'guild2', channel: 'general' });
  for (const days of [-3, -2, -1, 0]) await pay(bench, general, [charge(days + 10, 0, { at: noon + days * dayMs })]);
  await pay(bench, general, [charge(99, 0, { person: 'bob', at: noon - dayMs })]);
  await pay(bench, other, [charge(77, 0)]);
  const rows = await bench.ledger.report({ workspace, person: 'ann', from: '2026-11-19', to: '2026-11-20' });
  assert.deepEqual(
    rows.map((row) => [row.day, row.prompt]),
    [
      ['2026-11-19', 8],
      ['2026-11-20', 9],
    ],
  );
});

test('a report reads on through any number of records', async () => {
  const bench = createBench();
  const records = await Promise.all(
    Array.from({ length: 600 }, async (_, n) => {
      const channel = toChannelId({ platform: 'discord', workspace: 'guild', channel: `c${n}` });
      return (await bench.ledger.bill(channel, [charge(1, 0)])).records;
    }),
  );
  await bench.store.commit(records.flat());
  assert.equal(await usedTokens(bench.ledger), 600);
});

test('a damaged record fails the report instead of missing from it', async () => {
  const bench = createBench();
  await pay(bench, general, [charge(1, 0)]);
  const key = `usage:${usageId(random, '2026-11-21')}`;
  await bench.backend.setMany([{ key, value: '{"value":{"v":1,"d":[{"person":"ann"}]}}' }]);
  await assert.rejects(bench.ledger.report(all), (error) => error instanceof BotError && error.kind === 'damaged');
});

test('charges without a reservation belong to the day they were made in', async () => {
  const bench = createBench({ timeZone: 'Europe/Berlin' });
  const late = Date.UTC(2026, 10, 21, 23, 30); // half past midnight in Berlin
  await pay(bench, general, [charge(1, 0), charge(2, 0, { at: late })]);
  assert.deepEqual(
    (await bench.ledger.report(all)).map((row) => [row.day, row.prompt]),
    [
      ['2026-11-21', 1],
      ['2026-11-22', 2],
    ],
  );
});

test('a bill of a channel billed before needs no read', async () => {
  const backend = createMemoryBackend();
  let reads = 0;
  const counting = {
    ...backend,
    getMany: async (keys: string[]) => {
      reads++;
      return await backend.getMany(keys);
    },
  };
  const ledger = createLedger({
    store: createStore(counting),
    prices: await loadPrices(undefined),
    timeZone: 'UTC',
    limits: {},
    now: () => noon,
  });
  for (let n = 0; n < 5; n++) (await ledger.bill(general, [charge(1, 1)])).settle();
  assert.equal(reads, 1);
});
