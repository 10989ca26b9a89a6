import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoldRef } from '../../src/conversation/head.ts';
import { planLimits } from '../../src/conversation/limits.ts';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { foldQuietChannels } from '../../src/housekeeping.ts';
import { createLog } from '../../src/log.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { type UsageRow, usageFrom } from '../../src/usage/usage-record.ts';
import { command, message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import {
  assertKept,
  barrier,
  chatter,
  contentOf,
  counter,
  folds,
  goodSummary,
  keepMarks,
  lastingPart,
  say,
  talk,
  textOf,
  wireTokens,
} from './memory-talk.ts';

/** When a channel is folded, from what, and what becomes of a fold that fails or comes too late. */

const budget = 2000;
const env = { MEMORY_TOKENS: String(budget), STORE_URL: 'memory:' };

const silent = createLog({ level: 'silent', format: 'json', secrets: [] });

type Script = (request: ModelRequest, n: number) => string | Promise<string> | { text: string; finish: 'length' };

async function start(t: { after(run: () => Promise<void>): void }, fold: Script, more: object = {}): Promise<TestCore> {
  const model = scriptedModel((request, n) => (request.purpose === 'fold' ? fold(request, n) : `Reply ${n}, briefly.`));
  const core = await startCore({ model, env: { ...env, ...more } });
  t.after(() => core.stop());
  return core;
}

async function limitsOf(core: TestCore) {
  return await core.memory.limits(room, await core.memory.profiles.of(room), false);
}

const marks = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `mark${n + from}x`);

async function refs(core: TestCore): Promise<FoldRef[]> {
  return (await core.memory.conversations.read(room)).view.folds;
}

test('nothing is folded under the high mark; above it, down to the low one, from the oldest on, before a person', async (t) => {
  const core = await start(t, goodSummaryOf);
  const { high, low } = await limitsOf(core);
  let levelOne = 0;
  let total = 0;
  for (let n = 0; n < 120; n++) {
    const before = await core.memory.conversations.read(room);
    const asked = core.model.requests.length;
    await say(core, n);
    const after = await core.memory.conversations.read(room);
    const round = await core.memory.conversations.journal.turns(room, {
      epoch: 1,
      from: before.nextSeq,
      to: before.nextSeq + 1,
    });
    const cost = round.reduce((sum, turn) => sum + turn.tokens, 0);
    total += cost;
    const raw = before.rawTokens + cost;
    const folded = core.model.requests.slice(asked).some((one) => one.purpose === 'fold');
    assert.equal(folded, raw > high, `${raw} of ${high}`);
    if (!folded) continue;
    levelOne++;
    assert.ok(after.rawTokens <= low, `${after.rawTokens} of ${low}`);
    assert.ok(after.rawTokens > low - 2 * cost, 'no more than that');
    assert.equal(after.tail[0]?.role, 'user');
    assert.equal(after.tail[0]?.seq, (after.view.folds.at(-1)?.to ?? 0) + 1);
  }
  assert.ok(levelOne >= 5 && levelOne <= total / (high - low - 100) + 1, `${levelOne} folds of ${total} tokens`);
  await assertKept(core, marks(0, 119));
});

function goodSummaryOf(request: ModelRequest): string {
  return keepMarks(request);
}

test('each prompt begins with the last one, byte for byte, unless there was a fold in between', async (t) => {
  const core = await start(t, goodSummaryOf);
  let before: ModelRequest | undefined;
  let held = 0;
  for (let n = 0; n < 60; n++) {
    const asked = core.model.requests.length;
    if (n % 17 === 16) core.advance(40 * 60_000);
    await say(core, n);
    const since = core.model.requests.slice(asked);
    const now = since.find((one) => one.purpose === 'answer');
    if (before !== undefined) {
      held++;
      const lasting = lastingPart(before);
      assert.deepEqual(now?.messages.slice(0, lasting.length), lasting);
    }
    before = since.some((one) => one.purpose === 'fold') ? undefined : now;
  }
  assert.ok(held > 40);
});

test('folds become a tree: never above their share, lower ones stay stored, and what is kept low is kept high', async (t) => {
  const core = await start(t, (request) => `${goodSummary} ${keepMarks(request, 1)}`);
  const limits = await limitsOf(core);
  const seen = new Map<string, string>();
  for (let n = 0; n < 150; n++) {
    await say(core, n);
    const { folds: inUse } = (await core.memory.conversations.read(room)).view;
    assert.ok(inUse.reduce((sum, fold) => sum + fold.tokens, 0) <= limits.folds);
    for (const [k, fold] of inUse.entries()) assert.equal(fold.from, k === 0 ? 0 : (inUse[k - 1]?.to ?? 0) + 1);
    for (const { id, text } of await core.memory.folds.texts(inUse)) {
      assert.equal(seen.get(id) ?? text, text, 'an older fold keeps its bytes');
      seen.set(id, text);
    }
  }
  const inUse = await refs(core);
  assert.ok(Math.max(...inUse.map((fold) => fold.level)) >= 3);
  assert.match(textOf(core.model.answers().at(-1)), /mark0x/);
  const stored = new Set((await core.memory.folds.all(room)).map(({ ref }) => ref.id));
  for (const id of seen.keys()) assert.ok(stored.has(id), 'a fold that was replaced is still there');
  assert.ok(stored.size > inUse.length);
});

const refused: [string, Script][] = [
  ['nothing', () => ''],
  ['blanks', () => ' \n '],
  ['hardly anything', () => 'No.'],
  ['a refusal', () => "I'm sorry, but I can't help with that."],
  ['a text that was cut off twice', () => ({ text: '', finish: 'length' })],
  ['the talk itself', (request) => contentOf(request.messages[1]).split('\n').slice(1, -1).join('\n')],
  [
    'an error',
    () => {
      throw new BotError('busy', 'the summariser is down');
    },
  ],
];

for (const [what, script] of refused) {
  test(`a summariser that gives ${what} changes nothing, and its next good summary is kept`, async (t) => {
    let isGood = false;
    const core = await start(t, (request, n) => (isGood ? keepMarks(request) : script(request, n)));
    await talk(core, 0, 18);
    assert.ok(folds(core).length > 0);
    assert.deepEqual(await core.memory.folds.all(room), []);
    assert.deepEqual(await refs(core), []);
    await assertKept(core, marks(0, 18));
    isGood = true;
    core.advance(3_600_000);
    await talk(core, 19, 30);
    const [first] = await refs(core);
    assert.equal(first?.from, 0);
    assert.match(textOf(core.model.answers().at(-1)), /mark0x/);
    for (const request of core.model.requests) assert.ok((await wireTokens(request)) <= budget);
  });
}

test('a summary that is too long is shortened once, then cut at a sentence, and never longer than its cap', async (t) => {
  const long = `${'They spoke of this and of that. '.repeat(85)}`;
  const core = await start(t, () => long);
  const { perFold } = await limitsOf(core);
  await talk(core, 0, 15);
  const asked = folds(core);
  assert.equal(asked.length, 2);
  assert.match(textOf(asked[1]), /This is too long\. Write it again in at most \d+ tokens/);
  const [fold] = await core.memory.folds.all(room);
  assert.match(fold?.fold.text ?? '', /^(They spoke of this and of that\. )*They spoke of this and of that\.$/);
  assert.ok((await counter.count(fold?.fold.text ?? '')) <= perFold);
  assert.ok((fold?.fold.tokens ?? 0) <= perFold + 25);
});

test('the shortened summary is kept as it is', async (t) => {
  const core = await start(t, (request) => (/too long/.test(textOf(request)) ? goodSummary : goodSummary.repeat(20)));
  await talk(core, 0, 15);
  const [fold] = await core.memory.folds.all(room);
  assert.equal(fold?.fold.text, goodSummary);
});

test('a summariser that always fails is asked ever more seldom; every answer fits and nothing is lost', async (t) => {
  let isUp = false;
  const core = await start(t, (request) => {
    if (isUp) return keepMarks(request);
    throw new BotError('model', 'the summariser is down');
  });
  const notices: string[] = [];
  for (let n = 0; n < 150; n++) {
    const { notices: told } = await say(core, n);
    notices.push(...told.map((one) => one.text));
  }
  const failures = folds(core).length;
  assert.ok(failures >= 3 && failures <= Math.log2(150) + 2, `${failures} calls`);
  assert.equal(notices.filter((text) => /cannot fold the older messages/.test(text)).length, 1);
  for (const request of core.model.requests) assert.ok((await wireTokens(request)) <= budget);
  const last = core.model.answers().at(-1);
  assert.match(textOf(last), /Older messages of this channel are left out here/);
  assert.equal(last?.messages.filter((one) => one.role === 'system').length, 1);
  await assertKept(core, marks(0, 149));

  isUp = true;
  core.advance(3_600_000);
  await talk(core, 150, 215);
  assert.doesNotMatch(textOf(core.model.answers().at(-1)), /left out here/);
  assert.match(textOf(core.model.answers().at(-1)), /mark0x/);
  for (const request of core.model.requests) assert.ok((await wireTokens(request)) <= budget, request.purpose);
});

test('people are told once that their channel is folded for the first time', async (t) => {
  const core = await start(t, goodSummaryOf);
  const told: number[] = [];
  for (let n = 0; n < 60; n++) {
    const { notices } = await say(core, n);
    if (notices.some((one) => /folded its older messages into a summary/.test(one.text))) told.push(n);
  }
  assert.equal(told.length, 1);
  assert.ok((await refs(core)).length > 1);
});

test('where the prompt would leave something out, the fold comes first, and the people hear of it', async (t) => {
  const core = await start(t, goodSummaryOf);
  await talk(core, 0, 8);
  assert.equal(folds(core).length, 0);
  const asked = core.model.requests.length;
  const { notices } = await say(core, 9, `mark9x ${'orchard '.repeat(1100)}`);
  const [first, second] = core.model.requests.slice(asked);
  assert.deepEqual([first?.purpose, second?.purpose], ['fold', 'answer']);
  assert.match(textOf(second), /mark0x/);
  assert.doesNotMatch(textOf(second), /left out here/);
  assert.ok(second && (await wireTokens(second)) <= budget);
  assert.ok(notices.some((one) => /folded its older messages/.test(one.text)));
});

test('a channel that is quiet for ten minutes is folded from half way between its marks on', async (t) => {
  const core = await start(t, goodSummaryOf);
  const { high, low } = await limitsOf(core);
  const half = low + (high - low) / 2;
  let n = 0;
  const quiet = { memory: core.memory, log: silent, now: core.now };
  const raw = async () => (await core.memory.conversations.read(room)).rawTokens;
  for (; (await raw()) < half - 150; n++) await say(core, n);
  core.advance(11 * 60_000);
  await foldQuietChannels(quiet);
  assert.equal(folds(core).length, 0, 'less than half way');
  for (; (await raw()) <= half; n++) await say(core, n);
  assert.ok((await raw()) < high);
  core.advance(9 * 60_000);
  await foldQuietChannels(quiet);
  assert.equal(folds(core).length, 0, 'not quiet yet');
  core.advance(2 * 60_000);
  await foldQuietChannels(quiet);
  assert.equal(folds(core).length, 1);
  assert.ok((await raw()) <= low);
  assert.equal((await core.memory.conversations.read(room)).tail[0]?.role, 'user');
  const { notices } = await say(core, n);
  assert.ok(
    notices.some((one) => /folded its older messages/.test(one.text)),
    'told to whoever speaks next',
  );
});

test('what a fold costs is on the account of the channel, as a fold, also when it is not kept', async (t) => {
  let isGood = false;
  const core = await start(t, () => (isGood ? goodSummary : 'No.'));
  await talk(core, 0, 15);
  const rows = async () => {
    const found: UsageRow[] = [];
    for await (const day of usageFrom(core.store, 't/w', '2026-01-01')) found.push(...day.rows);
    return found.filter((row) => row.kind === 'fold');
  };
  const [failed] = await rows();
  const failures = folds(core);
  assert.equal(failed?.calls, failures.length);
  assert.equal(
    failed?.prompt,
    failures.reduce((sum, one) => sum + one.promptTokens, 0),
  );
  isGood = true;
  core.advance(3_600_000);
  await talk(core, 16, 24);
  const [both] = await rows();
  assert.equal(both?.calls, folds(core).length);
  assert.ok(folds(core).length > failures.length);
});

type Meanwhile = [string, (core: TestCore) => Promise<void>, (core: TestCore) => Promise<void>];

const edit = (n: number, text: string) => ({
  kind: 'edit' as const,
  id: `edit-${n}`,
  channel: room,
  at: n,
  messageId: `m${n}`,
  text,
  origin: {},
});
const removal = (n: number) => ({
  kind: 'delete' as const,
  id: `delete-${n}`,
  channel: room,
  at: n,
  messageIds: [`m${n}`],
  origin: {},
});

/** Waits for the event alone: the fold still hangs. */
async function carryOut(core: TestCore, event: Parameters<TestCore['send']>[0]): Promise<void> {
  await core.intake.accept(event);
  while (core.inbox.waiting() + core.inbox.running() > 0) await new Promise((resolve) => setImmediate(resolve));
}

const meanwhile: Meanwhile[] = [
  ['a message of it is deleted', (core) => carryOut(core, removal(2)), async () => undefined],
  ['a message of it is edited', (core) => carryOut(core, edit(2, 'something else now')), async () => undefined],
  [
    'a message of it is forgotten',
    (core) =>
      carryOut(
        core,
        command(900, 'forget me confirm', { author: { id: 'id-Bob', name: 'Bob', admin: false, roles: [] } }),
      ),
    async () => undefined,
  ],
  [
    'the memory is reset',
    (core) => carryOut(core, command(901, 'reset')),
    async (core) => {
      assert.deepEqual((await core.memory.conversations.read(room)).tail, []);
      assert.deepEqual(await core.memory.folds.all(room), []);
    },
  ],
];

for (const [what, change, check] of meanwhile) {
  test(`a fold that is being written while ${what} is dropped`, async (t) => {
    const held = barrier();
    let isHeld = true;
    const core = await start(t, async (request) => {
      if (isHeld) await held.wait();
      return keepMarks(request, 9);
    });
    for (let n = 0; n < 30 && folds(core).length === 0; n++) {
      const text = n === 2 ? 'mark2x the secret of the lantern' : chatter(n);
      await core.intake.accept(
        message(n, text, {
          author: { id: n === 2 ? 'id-Bob' : 'id-Ann', name: n === 2 ? 'Bob' : 'Ann', admin: false, roles: [] },
        }),
      );
      while (core.inbox.waiting() + core.inbox.running() > 0) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await held.reached;
    assert.match(textOf(folds(core)[0]), /mark2x/);
    await change(core);
    isHeld = false;
    held.open();
    await core.memory.idle();
    // What was being written is not kept; where there is still enough to summarise, another is.
    assert.ok(!JSON.stringify(await core.memory.folds.all(room)).includes('mark2x'));
    await check(core);
    const asked = core.model.requests.length;
    await talk(core, 40, 60);
    for (const request of core.model.requests.slice(asked)) assert.doesNotMatch(textOf(request), /mark2x|secret/);
    assert.ok((await refs(core)).length > 0, 'it is folded after all, from what is left');
  });
}

test('a fold that began before a reset is not kept when the reset is undone meanwhile, unless it still holds', async (t) => {
  const held = barrier();
  let isHeld = true;
  const core = await start(t, async (request) => {
    if (isHeld) await held.wait();
    return keepMarks(request);
  });
  for (let n = 0; n < 15; n++) await carryOut(core, message(n, chatter(n)));
  await held.reached;
  await carryOut(core, command(901, 'reset'));
  await carryOut(core, command(902, 'undo'));
  isHeld = false;
  held.open();
  await core.memory.idle();
  await assertKept(core, marks(0, 14));
  const state = await core.memory.conversations.read(room);
  const fresh = await core.memory.conversations.journal.load(room, undefined);
  assert.deepEqual([state.rawTokens, state.tail], [fresh.rawTokens, fresh.tail]);
});

test('a fold of folds is dropped when one of them goes meanwhile', async (t) => {
  const held = barrier();
  let isHeld = false;
  const core = await start(t, async (request) => {
    if (isHeld && !/\] Ann: /.test(textOf(request))) await held.wait();
    return keepMarks(request);
  });
  isHeld = true;
  let n = 0;
  const isHeldUp = { now: false };
  void held.reached.then(() => {
    isHeldUp.now = true;
  });
  for (; n < 200 && !isHeldUp.now; n++) {
    await carryOut(core, message(n, chatter(n)));
    for (let k = 0; k < 20; k++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(isHeldUp.now, 'a fold of folds is being written');
  await carryOut(core, removal(0));
  isHeld = false;
  held.open();
  await core.memory.idle();
  await talk(core, n, n + 3);
  for (const fold of await core.memory.folds.all(room)) assert.doesNotMatch(fold.fold.text, /mark0x/);
  assert.doesNotMatch(textOf(core.model.answers().at(-1)), /mark0x/);
});

test('a slow summariser in one channel delays no other, and no channel sees what is said in another', async (t) => {
  const held = barrier();
  const core = await start(t, async (request) => {
    await held.wait();
    return keepMarks(request);
  });
  const other = toChannelId({ platform: 't', workspace: 'w', channel: 'other' });
  for (let n = 0; n < 15; n++) await carryOut(core, message(n, chatter(n)));
  await held.reached;
  await carryOut(core, message(15, `mark15x ${'violin '.repeat(1200)}`, { channel: other }));
  const answer = core.outcomes.get('e15')?.answer;
  assert.ok(answer, 'the other channel is answered while the first waits');
  assert.doesNotMatch(textOf(core.model.answers().at(-1)), /mark(\d|1[0-4])x/);
  held.open();
  await core.memory.idle();
  await talk(core, 16, 16);
  assert.doesNotMatch(textOf(core.model.answers().at(-1)), /mark15x/);
});

test('whoever waits for a fold that hangs can stop waiting, and nothing is lost', async (t) => {
  const held = barrier();
  const core = await start(t, async (request) => {
    await held.wait();
    return keepMarks(request);
  });
  await talk(core, 0, 8);
  await core.intake.accept(message(9, `mark9x ${'orchard '.repeat(1100)}`));
  await held.reached;
  assert.equal(core.model.answers().length, 9, 'the answer waits for the fold');
  await core.intake.accept(command(900, 'stop'));
  while (core.outcomes.get('e9')?.notices.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(core.outcomes.get('e9')?.notices[0]?.text ?? '', /stopped by/i);
  held.open();
  await core.memory.idle();
  assert.ok((await refs(core)).length > 0, 'the fold went on');
  await say(core, 10);
  assert.match(textOf(core.model.answers().at(-1)), /mark0x.*mark10x/);
});

test('only so many rounds where MEMORY_ROUNDS says so, folded with hysteresis', async (t) => {
  const core = await start(t, goodSummaryOf, { MEMORY_TOKENS: '12000', MEMORY_ROUNDS: '10' });
  const limits = planLimits((await core.memory.profiles.of(room)).memory, 0);
  assert.deepEqual(limits.rounds, { high: 10, low: 3 });
  const lengths: number[] = [];
  for (let n = 0; n < 40; n++) {
    await say(core, n);
    lengths.push((await core.memory.conversations.read(room)).tail.length / 2);
    const request = core.model.answers().at(-1);
    assert.ok((request?.messages.filter((one) => one.role === 'assistant').length ?? 0) <= 10);
  }
  assert.deepEqual(lengths.slice(8, 20), [9, 10, 3, 4, 5, 6, 7, 8, 9, 10, 3, 4]);
});
