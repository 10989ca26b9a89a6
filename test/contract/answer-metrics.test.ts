import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { BotError, userText } from '../../src/errors.ts';
import { modelRefusal } from '../../src/model/refusal.ts';
import { defineTool } from '../../src/tools/tool.ts';
import { createToolbox } from '../../src/tools/toolbox.ts';
import { failure } from '../sim/model-answer.ts';
import { command, message, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { allTurns, barrier, chatter, goodSummary, talk } from './memory-talk.ts';
import { listen, toRequest } from './model.ts';
import { setUp } from './model-setup.ts';

/** What is counted of answers, and under whose name. */

type Context = { after(run: () => Promise<void>): void };

async function counted(core: TestCore, name: string): Promise<number> {
  const line = (await core.metrics.render()).split('\n').find((one) => one.startsWith(`channelore_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** In seconds: the sum of all, and how many. */
async function firstTokens(core: TestCore): Promise<[sum: number, count: number]> {
  return [await counted(core, 'first_token_seconds_sum'), await counted(core, 'first_token_seconds_count')];
}

function toolsOf(run: () => Promise<string>) {
  const tool = defineTool({ name: 'look_up', description: 'Looks up', schema: z.object({}), run });
  return createToolbox([{ tools: () => [tool], names: () => ['look_up'] }], ['all'], () => undefined);
}

test('the time to the first word counts from when the question was accepted, over tools and once an answer', async (t: Context) => {
  const model = scriptedModel((_, n) => {
    core.advance(n === 1 ? 5000 : 700);
    return n === 1 ? { text: '', calls: [{ name: 'look_up', arguments: '{}' }] } : 'Seven degrees.';
  });
  const core = await startCore({ model, toolbox: toolsOf(async () => 'warm'), env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(1, 'Is it warm?'));
  assert.deepEqual(await firstTokens(core), [5.7, 1]);
});

test('what a question waits behind another one in its channel counts as well', async (t: Context) => {
  const hold = barrier();
  const model = scriptedModel(async (_, n) => {
    if (n === 1) await hold.wait();
    return 'An answer.';
  });
  const core = await startCore({ model, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  const first = core.send(message(1, 'First?'));
  await hold.reached;
  await core.intake.accept(message(2, 'Second?'));
  core.advance(9000);
  hold.open();
  await first;
  const [sum, count] = await firstTokens(core);
  assert.equal(count, 2);
  assert.ok(sum >= 18, `${sum} seconds for two that waited nine each`);
});

test('an answer that is begun anew has shown its first word before', async (t: Context) => {
  const hold = barrier();
  const model = scriptedModel(async (_, n) => {
    if (n === 2) await hold.wait();
    return n === 1 ? { text: 'Let me see. ', calls: [{ name: 'look_up', arguments: '{}' }] } : 'Seven degrees.';
  });
  const core = await startCore({ model, toolbox: toolsOf(async () => 'warm'), env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  const answered = core.send(message(1, 'Is it warm?'));
  await hold.reached;
  const edit = { kind: 'edit', id: 'e2', channel: room, at: core.now(), messageId: 'm1', origin: {} } as const;
  await core.intake.accept({ ...edit, text: 'Is it cold?' });
  for (let turns = 0; !(await allTurns(core)).some((turn) => turn.text === 'Is it cold?'); turns++) {
    assert.ok(turns < 10_000, 'it is edited');
    await new Promise(setImmediate);
  }
  hold.open();
  await answered;
  assert.ok(core.model.requests.length >= 3, 'it was begun anew');
  assert.equal((await firstTokens(core))[1], 1);
});

test('a tool that fails is counted as a tool, and not as the model; wrong arguments are no failure', async (t: Context) => {
  let failing = true;
  const model = scriptedModel((_, n) =>
    n % 2 === 1 ? { text: '', calls: [{ name: 'look_up', arguments: n === 3 ? '[]' : '{}' }] } : 'I do not know.',
  );
  const toolbox = toolsOf(async () => {
    if (failing) throw new BotError('tool', 'the weather service cannot be reached');
    return 'warm';
  });
  const core = await startCore({ model, toolbox, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(1, 'Is it warm?'));
  assert.equal(await counted(core, 'failures_total{kind="tool"}'), 1);
  await core.send(message(2, 'Is it warm?'));
  failing = false;
  await core.send(message(3, 'Is it warm?'));
  assert.equal(await counted(core, 'failures_total{kind="tool"}'), 1);
  assert.equal(await counted(core, 'failures_total{kind="model"}'), 0);
  assert.match(userText(new BotError('tool', 'the weather service failed'), 0), /^⚠️ The weather service failed\./);
});

test('a summary that was written in vain is counted as dropped', async (t: Context) => {
  const hold = barrier();
  let folds = 0;
  const model = scriptedModel(async (request, n) => {
    if (request.purpose !== 'fold') return `Reply ${n}, briefly.`;
    folds += 1;
    if (folds === 1) await hold.wait();
    return goodSummary;
  });
  const core = await startCore({ model, env: { STORE_URL: 'memory:', MEMORY_TOKENS: '2000' } });
  t.after(() => core.stop());
  const talking = talk(core, 1, 25);
  await hold.reached;
  await core.intake.accept(command(500, 'reset'));
  hold.open();
  await talking;
  assert.equal(await counted(core, 'folds_total{outcome="dropped"}'), 1);
  await core.send(message(600, chatter(600)));
});

test('an unknown model is the operator’s matter where the operator set it, else of whoever set it', async () => {
  const unknown = failure(404, { code: 'model_not_found', message: 'no such model' });
  await using setup = await setUp(() => unknown, { ownModel: 'main-model' });
  for (const [model, kind] of [
    ['main-model', 'config'],
    ['of-a-person', 'input'],
  ] as const) {
    const { error } = await listen(setup.model, toRequest({ model }));
    assert.equal(error?.kind, kind);
    assert.ok(error !== undefined && modelRefusal(error)?.unknownModel);
  }
});

test('an unknown model that a person set is taken back and told of, also where a fallback answers', async (t: Context) => {
  await using setup = await setUp(
    ({ model }) => (model === 'typo' ? failure(404, { code: 'model_not_found' }) : `${model} answers.`),
    { fallbackModels: ['spare'] },
  );
  const core = await startCore({
    model: { ...setup.model, requests: [], answers: () => [] },
    env: { STORE_URL: 'memory:' },
    profile: { model: 'main-model' },
  });
  t.after(() => core.stop());
  await core.send(command(1, 'settings set model typo'));
  const { answer, notices } = await core.send(message(2, 'Hello?'));
  assert.equal(answer, 'spare answers.');
  assert.deepEqual(
    notices.map(({ text }) => text),
    ['⚙️ There is no model “typo”, so I took that setting back; main-model answers again.'],
  );
  assert.equal((await core.memory.profiles.of(room)).model, 'main-model');
  const next = await core.send(message(3, 'And now?'));
  assert.deepEqual([next.answer, next.notices], ['main-model answers.', []]);
});
