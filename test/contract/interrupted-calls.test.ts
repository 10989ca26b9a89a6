import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import type { ModelEvent } from '../../src/model/model.ts';
import { nobody, usageFrom } from '../../src/usage/usage-record.ts';
import { message, type ScriptedModel, scriptedModel, startCore, type TestCore } from './core.ts';
import { barrier } from './memory-talk.ts';

/** Calls that the end of the process cut off. */

async function charged(core: TestCore): Promise<{ calls: number; prompt: number }> {
  const sum = { calls: 0, prompt: 0 };
  for await (const { rows } of usageFrom(core.store, 't/w', '')) {
    for (const row of rows.filter(({ person }) => person !== nobody)) {
      sum.calls += row.calls;
      sum.prompt += row.prompt;
    }
  }
  return sum;
}

/** Idle, or held up at the barrier. */
async function settled(core: TestCore, reached: Promise<void>): Promise<void> {
  const idle = (async () => {
    for (let turn = 0; turn < 20_000 && core.inbox.waiting() + core.inbox.running() > 0; turn++)
      await new Promise<void>((resolve) => setImmediate(resolve));
  })();
  await Promise.race([idle, reached]);
}

for (const crashes of [1, 2, 3]) {
  test(`a question whose first call was cut off ${crashes} times is charged for each of them, and for the last`, async (t) => {
    const prompts: number[] = [];
    let core: TestCore | undefined;
    for (let life = 0; life <= crashes; life++) {
      const hold = barrier();
      const model = scriptedModel(async (request) => {
        prompts.push(request.promptTokens);
        if (life < crashes) await hold.wait();
        return 'Found it.';
      });
      // The process goes: what it was doing is never heard of again, and the store stays.
      const store = core?.store;
      core = await startCore({ model, ...(store && { store }), env: { STORE_URL: 'memory:' } });
      if (life === 0) await core.intake.accept(message(1, 'Look it up'));
      await settled(core, hold.reached);
    }
    assert.ok(core);
    assert.equal(core.outcomes.get('e1')?.answer, 'Found it.');
    assert.equal(prompts.length, crashes + 1);
    const { calls, prompt } = await charged(core);
    assert.equal(calls, crashes + 1);
    // What is reserved is an upper bound: a question that is known already is counted in it twice.
    const made = prompts.reduce((sum, one) => sum + one, 0);
    assert.ok(made <= prompt && prompt < made * 1.5, `${prompt} charged for ${made}`);
    t.after(() => core?.stop());
  });
}

test('one that is given up has been charged for every call', async (t) => {
  let calls = 0;
  let core: TestCore | undefined;
  for (let life = 0; life < 8; life++) {
    const hold = barrier();
    const model = scriptedModel(async () => {
      calls += 1;
      await hold.wait();
      return 'never';
    });
    const store = core?.store;
    core = await startCore({ model, ...(store && { store }), env: { STORE_URL: 'memory:' } });
    if (life === 0) await core.intake.accept(message(1, 'Look it up'));
    await settled(core, hold.reached);
  }
  assert.ok(core);
  assert.equal(calls, 6);
  assert.equal((await charged(core)).calls, 6);
  assert.match(core.outcomes.get('e1')?.notices[0]?.text ?? '⚠️', /⚠️/);
  t.after(() => core?.stop());
});

test('an order to stop and start again charges the call that it cut off once', async (t) => {
  const asked = Promise.withResolvers<void>();
  const silent: ScriptedModel = {
    ...scriptedModel(() => ''),
    async *stream(_, signal): AsyncGenerator<ModelEvent> {
      yield { type: 'waiting', until: 0, reason: 'the model thinks' };
      asked.resolve();
      await once(signal, 'abort');
      throw new BotError('stopped', 'this answer was stopped');
    },
  };
  const first = await startCore({ model: silent, env: { STORE_URL: 'memory:' } });
  await first.intake.accept(message(1, 'Look it up'));
  await asked.promise;
  await first.stop();
  const model = scriptedModel(() => 'Found it.');
  for (const _ of [1, 2]) {
    const core = await startCore({ model, store: first.store, env: { STORE_URL: 'memory:' } });
    await settled(core, new Promise(() => undefined));
    assert.equal((await charged(core)).calls, 2);
    t.after(() => core.stop());
  }
});
