import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BotError, userText } from '../../src/errors.ts';
import { type ChannelId, toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createLedger } from '../../src/usage/ledger.ts';
import { runs } from './property-runs.ts';
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
  usedTokens,
} from './usage-fixture.ts';

const hour = 3_600_000;

async function refusal(reserving: Promise<unknown>): Promise<BotError> {
  const error = await reserving.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof BotError, 'it was allowed');
  assert.equal(error.kind, 'forbidden');
  return error;
}

test('a call that fits a budget exactly is allowed, one token more is not', async () => {
  const exact = createBench({ limits: { userTokens: 150 } });
  await exact.ledger.reserve(request);
  const small = createBench({ limits: { userTokens: 149 } });
  await refusal(small.ledger.reserve(request));
});

test('a person’s budget counts what they use in every channel, and nobody else’s', async () => {
  const bench = createBench({ limits: { userTokens: 300 } });
  await pay(bench, random, [charge(200, 0)]);
  await pay(bench, general, [charge(9000, 0, { person: 'bob' })]);
  await refusal(bench.ledger.reserve(request));
  await pay(bench, general, [charge(1, 0, { person: 'carl' })]);
  await bench.ledger.reserve({ ...request, person: 'carl' });
});

test('a channel’s budget includes its threads, and a thread’s is its channel’s', async () => {
  const bench = createBench({ limits: { channelTokens: 300 } });
  await pay(bench, thread, [charge(100, 100)]);
  await refusal(bench.ledger.reserve(request));
  await refusal(bench.ledger.reserve({ ...request, channel: thread }));
  await bench.ledger.reserve({ ...request, channel: random });
});

test('a workspace’s budget counts folds and recall like answers', async () => {
  const bench = createBench({ limits: { workspaceTokens: 300 } });
  await pay(bench, general, [charge(100, 0, { kind: 'fold' }), charge(51, 0, { kind: 'recall' })]);
  await refusal(bench.ledger.reserve({ ...request, channel: random, person: 'bob' }));
});

test('what is reserved counts until it is released or settled', async () => {
  const bench = createBench({ limits: { workspaceTokens: 300 } });
  const first = await bench.ledger.reserve(request);
  const second = await bench.ledger.reserve(request);
  await refusal(bench.ledger.reserve(request));
  first.release();
  first.release();
  const third = await bench.ledger.reserve(request);
  await pay(bench, general, [charge(10, 0)], second);
  await pay(bench, general, [charge(10, 0)], third);
  assert.deepEqual(
    (await bench.ledger.remaining({ channel: general, person: 'ann' })).map((line) => [line.used, line.reserved]),
    [[20, 0]],
  );
});

test('a refused call holds nothing, of no budget', async () => {
  const bench = createBench({ limits: { userTokens: 1000, workspaceTokens: 100 } });
  await refusal(bench.ledger.reserve(request));
  assert.deepEqual(
    (await bench.ledger.remaining({ channel: general, person: 'ann' })).map((line) => line.reserved),
    [0, 0],
  );
});

test('the refusal says what is used, the limit and when the count starts again', async () => {
  const bench = createBench({ limits: { userTokens: 10_000 }, timeZone: 'Europe/Berlin' });
  await pay(bench, general, [charge(9000, 900)]);
  const error = await refusal(bench.ledger.reserve(request));
  assert.equal(error.retryAt, Date.UTC(2026, 10, 21, 23));
  assert.equal(
    userText(error, noon),
    '⚠️ You have used 9,900 of your 10,000 tokens today, and this answer may need 150 tokens. ' +
      'The limit (BUDGET_USER_TOKENS) begins anew on 22 Nov, 00:00 (Europe/Berlin). Try again in 11 h.',
  );
});

test('where only answers under way stand in the way, it is worth trying again soon', async () => {
  const bench = createBench({ limits: { channelTokens: 200 } });
  await bench.ledger.reserve(request);
  const error = await refusal(bench.ledger.reserve(request));
  assert.equal(error.retryAt, noon + 60_000);
  assert.match(
    error.message,
    /this channel has used 0 of its 200 tokens today, 150 tokens more are set aside for other answers/,
  );
});

test('a call that is larger than the whole budget is not told to come back', async () => {
  const error = await refusal(createBench({ limits: { workspaceTokens: 100 } }).ledger.reserve(request));
  assert.equal(error.retryAt, undefined);
});

test('money is limited by the month, in dollars', async () => {
  // A call costs 100 × 250 + 50 × 2,000 nano-dollars.
  const bench = createBench({ limits: { workspaceUsd: 0.00025 }, timeZone: 'Europe/Berlin' });
  await pay(bench, general, [charge(100, 50, { at: noon - 15 * 24 * hour })]);
  await bench.ledger.reserve(request).then((held) => held.release());
  await pay(bench, general, [charge(1, 0)]);
  const error = await refusal(bench.ledger.reserve(request));
  assert.equal(error.retryAt, Date.UTC(2026, 10, 30, 23));
  assert.match(error.message, /this workspace has used \$0\.0001 of its \$0\.0003 this month/);
});

test('a money limit refuses a model of unknown price', async () => {
  const bench = createBench({ limits: { workspaceUsd: 100 } });
  const error = await refusal(bench.ledger.reserve({ ...request, model: 'mystery' }));
  assert.match(error.message, /do not know the price of mystery.*BUDGET_WORKSPACE_USD.*PRICES_FILE/);
  await createBench({ limits: { workspaceTokens: 1000 } }).ledger.reserve({ ...request, model: 'mystery' });
});

test('a money limit refuses once a model of unknown price has answered, until its price is named', async () => {
  const limits = { workspaceUsd: 100 };
  const bench = createBench({ limits });
  const held = await bench.ledger.reserve(request);
  await pay(bench, general, [charge(10, 1, { model: 'mystery' })], held);
  assert.match((await refusal(bench.ledger.reserve(request))).message, /mystery was used this month/);
  const wiser = { asOf: '2027-01-01', costOf: () => 7 };
  const restarted = createLedger({ store: bench.store, prices: wiser, timeZone: 'UTC', limits, now: () => noon });
  await restarted.reserve(request);
  assert.equal((await restarted.remaining({ channel: general, person: 'ann' }))[0]?.used, 7);
});

test('a person is warned once a day when four fifths are passed', async () => {
  const bench = createBench({ limits: { userTokens: 1000, workspaceTokens: 1_000_000 } });
  const low = await bench.ledger.reserve({ ...request, promptTokens: 750 });
  assert.equal(low.warning, undefined);
  low.release();
  const high = await bench.ledger.reserve({ ...request, promptTokens: 751 });
  assert.match(high.warning ?? '', /With this answer, you have used 801 of your 1,000 tokens today/);
  high.release();
  assert.equal((await bench.ledger.reserve({ ...request, promptTokens: 800 })).warning, undefined);
  assert.notEqual((await bench.ledger.reserve({ ...request, promptTokens: 800, person: 'bob' })).warning, undefined);
  bench.clock.now += 24 * hour;
  assert.notEqual((await bench.ledger.reserve({ ...request, promptTokens: 800 })).warning, undefined);
});

test('a refused call does not use up the warning', async () => {
  const bench = createBench({ limits: { userTokens: 180, workspaceTokens: 170 } });
  const other = await bench.ledger.reserve({ ...request, person: 'bob', promptTokens: 0 });
  await refusal(bench.ledger.reserve(request));
  other.release();
  assert.match((await bench.ledger.reserve(request)).warning ?? '', /you have used 150 of your 180/);
});

test('a new day starts from nothing at midnight in TIMEZONE', async () => {
  const midnight = Date.UTC(2026, 10, 21, 23); // in Berlin
  const bench = createBench({ limits: { userTokens: 200 }, timeZone: 'Europe/Berlin', now: midnight - 1 });
  await pay(bench, general, [charge(200, 0)]);
  await refusal(bench.ledger.reserve(request));
  bench.clock.now = midnight;
  await bench.ledger.reserve(request);
});

test('an answer that began before midnight is charged to the day it was reserved in', async () => {
  const midnight = Date.UTC(2026, 10, 22);
  const bench = createBench({ limits: { userTokens: 200 }, now: midnight - 1000 });
  const held = await bench.ledger.reserve(request);
  bench.clock.now = midnight + 1000;
  await bench.ledger.reserve(request);
  await pay(bench, general, [charge(120, 30, { at: bench.clock.now })], held);
  const [today] = await bench.ledger.remaining({ channel: general, person: 'ann' });
  assert.deepEqual([today?.used, today?.reserved], [0, 150]);
  bench.clock.now = midnight - 1;
  const [yesterday] = await bench.ledger.remaining({ channel: general, person: 'ann' });
  assert.deepEqual([yesterday?.used, yesterday?.reserved], [150, 0]);
});

test('counters of past days do not stay in memory', async () => {
  const backend = createMemoryBackend();
  let lists = 0;
  const counting = {
    ...backend,
    list: async (range: Parameters<typeof backend.list>[0]) => {
      lists++;
      return await backend.list(range);
    },
  };
  const bench = createBench({ backend: counting, limits: { userTokens: 200 } });
  for (const days of [0, 0, 1, 1, 0]) {
    bench.clock.now = noon + days * 24 * hour;
    await bench.ledger.remaining({ channel: general, person: 'ann' });
  }
  assert.equal(lists, 3);
});

test('what is stored under a later day, as after a change of TIMEZONE, does not count today', async () => {
  const bench = createBench({ limits: { userTokens: 200 } });
  await pay(bench, general, [charge(200, 0, { at: noon + 24 * hour })]);
  await bench.ledger.reserve(request);
});

test('a new month starts from nothing for money, a new day does not', async () => {
  const bench = createBench({ limits: { workspaceUsd: 0.0002 }, now: Date.UTC(2026, 10, 29, 12) });
  await pay(bench, general, [charge(100, 50, { at: bench.clock.now })]);
  bench.clock.now = Date.UTC(2026, 10, 30, 12);
  await refusal(bench.ledger.reserve(request));
  bench.clock.now = Date.UTC(2026, 11, 1);
  await bench.ledger.reserve(request);
});

test('a store that cannot be read refuses, and works again when it can', async () => {
  const backend = createMemoryBackend();
  let isDown = true;
  const flaky = {
    ...backend,
    list: async (range: Parameters<typeof backend.list>[0]) => {
      if (isDown) throw new Error('unreachable');
      return await backend.list(range);
    },
  };
  const bench = createBench({ backend: flaky, limits: { userTokens: 1000 } });
  await assert.rejects(bench.ledger.reserve(request), (error) => error instanceof BotError && error.kind === 'store');
  isDown = false;
  await bench.ledger.reserve(request);
});

test('without budgets nothing is read and nothing refused', async () => {
  const broken = {
    ...createMemoryBackend(),
    list: () => Promise.reject(new Error('unreachable')),
    getMany: () => Promise.reject(new Error('unreachable')),
  };
  const bench = createBench({ backend: broken });
  const held = await bench.ledger.reserve({ ...request, model: 'mystery' });
  assert.equal(held.warning, undefined);
  assert.deepEqual(await bench.ledger.remaining({ channel: general, person: 'ann' }), []);
});

test('a budget of nothing allows nothing', async () => {
  await refusal(createBench({ limits: { workspaceTokens: 0 } }).ledger.reserve(request));
});

const call = fc.record({
  person: fc.constantFrom('ann', 'bob', 'carl'),
  channel: fc.constantFrom('general', 'random', 'dev'),
  thread: fc.option(fc.constantFrom('t1', 't2'), { nil: undefined }),
  estimate: fc.integer({ min: 1, max: 400 }),
  actual: fc.nat(600),
  /** The model call, in turns of the event loop, and how it ends. */
  turns: fc.nat(12),
  outcome: fc.constantFrom('answered', 'answered', 'answered', 'failed', 'commit failed'),
});

test('50 calls at once pass no cap by more than the estimates of what was in flight were wrong', async () => {
  const limits = fc.record({
    userTokens: fc.integer({ min: 200, max: 3000 }),
    channelTokens: fc.integer({ min: 200, max: 4000 }),
    workspaceTokens: fc.integer({ min: 200, max: 6000 }),
  });
  let refused = 0;
  const property = fc.asyncProperty(fc.array(call, { minLength: 50, maxLength: 50 }), limits, async (calls, caps) => {
    const bench = createBench({ limits: caps });
    const locks = new Map<ChannelId, Promise<void>>();
    /** What was charged, and by how much it was more than was reserved, by whom the budget is about. */
    const spent = new Map<string, { tokens: number; excess: number }>();

    await Promise.all(
      calls.map(async ({ person, channel, thread, estimate, actual, turns, outcome }) => {
        const place = toChannelId({ platform: 'discord', workspace: 'guild', channel, ...(thread && { thread }) });
        const model = 'gpt-5-mini';
        const held = await bench.ledger
          .reserve({ channel: place, person, payer: undefined, model, promptTokens: estimate, completionTokens: 0 })
          .catch((error: unknown) => assert.ok(error instanceof BotError && error.kind === 'forbidden'));
        if (!held) return refused++;
        for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
        if (outcome === 'failed') return held.release();
        const finish = (locks.get(place) ?? Promise.resolve()).then(async () => {
          const bill = await bench.ledger.bill(place, [charge(actual, 0, { person })], held);
          if (outcome === 'commit failed') return held.release();
          await bench.store.commit(bill.records);
          bill.settle();
          for (const key of [person, channel, '']) {
            const sum = spent.get(key) ?? { tokens: 0, excess: 0 };
            const excess = sum.excess + Math.max(0, actual - estimate);
            spent.set(key, { tokens: sum.tokens + actual, excess });
          }
        });
        locks.set(place, finish);
        return await finish;
      }),
    );

    for (const [key, { tokens, excess }] of spent) {
      const cap =
        key === '' ? caps.workspaceTokens : ['ann', 'bob', 'carl'].includes(key) ? caps.userTokens : caps.channelTokens;
      assert.ok(tokens <= cap + excess, `${key || 'workspace'}: ${tokens} of ${cap}, estimates wrong by ${excess}`);
    }
    assert.equal(await usedTokens(bench.ledger), spent.get('')?.tokens ?? 0);
    const here = await bench.ledger.remaining({ channel: general, person: 'ann' });
    assert.ok(here.every((line) => line.reserved === 0));
    const fresh = createLedger({ store: bench.store, prices, timeZone: 'UTC', limits: caps, now: () => noon });
    assert.deepEqual(await fresh.remaining({ channel: general, person: 'ann' }), here);
  });
  await fc.assert(property, runs(60));
  assert.ok(refused > 0);
});

const elsewhere = toChannelId({ platform: 'slack', workspace: 'T1', channel: 'C1' });

test('what everything together may use is counted over all platforms and workspaces, whatever it was for', async () => {
  const bench = createBench({ limits: { totalTokens: 1000 } });
  await pay(bench, general, [charge(300, 0), charge(100, 0, { kind: 'fold', person: '-' })]);
  await pay(bench, elsewhere, [charge(400, 0, { person: 'bob' }), charge(50, 0, { kind: 'recall', person: '-' })]);
  const third = toChannelId({ platform: 'web', workspace: 'console', channel: 'x' });
  await bench.ledger.reserve({ ...request, channel: third, person: 'carl' }).then((held) => held.release());
  await pay(bench, third, [charge(1, 0, { person: 'carl' })]);
  for (const channel of [general, elsewhere, third]) {
    const error = await refusal(bench.ledger.reserve({ ...request, channel, person: 'dora' }));
    assert.equal(
      userText(error, noon),
      '⚠️ Everybody together has used 851 of the 1,000 tokens today, and this answer may need 150 tokens. ' +
        'The limit (BUDGET_TOTAL_TOKENS) begins anew on 22 Nov, 00:00 (UTC). Try again in 12 h.',
    );
  }
  const fresh = createBench({ limits: { totalTokens: 1000 }, backend: bench.backend });
  const [line] = await fresh.ledger.remaining({ channel: third, person: 'carl' });
  assert.deepEqual([line?.used, line?.reserved], [851, 0], 'and after a restart');
  bench.clock.now += 24 * hour;
  await bench.ledger.reserve(request);
});

test('the money of everything together is limited by the month, and needs every price', async () => {
  // A call costs 100 × 250 + 50 × 2,000 nano-dollars.
  const limits = { totalUsd: 0.00025 };
  const bench = createBench({ limits });
  await pay(bench, elsewhere, [charge(100, 50, { at: noon - 15 * 24 * hour })]);
  await bench.ledger.reserve(request).then((held) => held.release());
  await pay(bench, general, [charge(1, 0)]);
  const error = await refusal(bench.ledger.reserve({ ...request, channel: elsewhere }));
  assert.match(error.message, /^everybody together has used \$0\.0001 of the \$0\.0003 this month/);
  assert.match(error.message, /BUDGET_TOTAL_USD/);
  const other = createBench({ limits: { totalUsd: 100 } });
  await pay(other, elsewhere, [charge(10, 1, { model: 'mystery' })]);
  assert.match((await refusal(other.ledger.reserve(request))).message, /mystery was used this month.*BUDGET_TOTAL_USD/);
});

test('calls of many workspaces at once do not pass what everything together may use', async () => {
  const bench = createBench({ limits: { totalTokens: 1000, workspaceTokens: 600 } });
  const calls = Array.from({ length: 60 }, (_, n) => ({
    ...request,
    channel: toChannelId({ platform: 'p', workspace: `w${n % 20}`, channel: 'c' }),
    person: `u${n}`,
  }));
  const held = await Promise.allSettled(calls.map((one) => bench.ledger.reserve(one)));
  const reserved = held.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  assert.equal(reserved.length, 6);
  for (const one of reserved) one.release();
  const lines = await bench.ledger.remaining(request);
  assert.deepEqual(
    lines.map(({ subject, used, reserved: aside }) => [subject, used, aside]),
    [
      ['workspace', 0, 0],
      ['total', 0, 0],
    ],
  );
});

test('people whose budget somebody else pays share that one, under however many names, also after a restart', async () => {
  const limits = { userTokens: 1000 };
  const bench = createBench({ limits });
  const asPerson = (n: number) => ({ ...request, person: `cookie ${n}`, payer: 'address 1' });
  let answered = 0;
  for (let n = 0; n < 14; n++) {
    const held = await bench.ledger.reserve(asPerson(n)).catch((error: unknown) => {
      assert.match(String(error), /you have used 900 of your 1,000 tokens/);
    });
    if (held === undefined) continue;
    answered += 1;
    const { person, payer } = asPerson(n);
    await pay(bench, general, [charge(100, 50, { person, payer })], held);
  }
  assert.equal(answered, 6);
  const fresh = createBench({ limits, backend: bench.backend });
  await refusal(fresh.ledger.reserve(asPerson(99)));
  await fresh.ledger.reserve({ ...asPerson(99), payer: 'address 2' });
  await fresh.ledger.reserve({ ...request, person: 'cookie 1' });
  // An id may read like the name of a payer.
  await fresh.ledger.reserve({ ...request, person: 'address 1' });
  assert.equal(await usedTokens(fresh.ledger), 900);
});

test('people who share a budget reserve from it together, at once too', async () => {
  const bench = createBench({ limits: { userTokens: 1000 } });
  const calls = Array.from({ length: 14 }, (_, n) => ({ ...request, person: `cookie ${n}`, payer: 'address 1' }));
  const held = await Promise.allSettled(calls.map((one) => bench.ledger.reserve(one)));
  assert.equal(held.filter((one) => one.status === 'fulfilled').length, 6);
});
