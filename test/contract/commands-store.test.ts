import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { command, message, scriptedModel, startCore } from './core.ts';

/** What budgets and commands do while the store fails. */

function storeThat(fails: { read?: (kind: string) => boolean; commit?: (keys: string[]) => boolean }): Store {
  const store = createStore(createMemoryBackend());
  const failIf = (isFailing: boolean | undefined): void => {
    if (isFailing) throw new BotError('store', 'the store fails');
  };
  return {
    ...store,
    async get(kind, id) {
      failIf(fails.read?.(kind.name));
      return await store.get(kind, id);
    },
    async list(kind, prefix, range) {
      failIf(fails.read?.(kind.name));
      return await store.list(kind, prefix, range);
    },
    async commit(records) {
      failIf(fails.commit?.(records.map((record) => record.key)));
      await store.commit(records);
    },
  };
}

async function until<T>(found: () => T | undefined): Promise<T> {
  for (;;) {
    const value = found();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('where the budget cannot be read nothing is asked of the model, and the answer comes when it can', async (t) => {
  let broken = true;
  const core = await startCore({
    model: scriptedModel(() => 'fine'),
    env: { BUDGET_USER_TOKENS: '5000' },
    store: storeThat({ read: (kind) => broken && kind === 'usage' }),
  });
  t.after(() => core.stop());
  await core.intake.accept(message(1, 'Hello?'));
  const told = await until(() => core.outcomes.get('e1')?.notices[0]);
  assert.match(told.text, /^⚠️ I cannot reach my memory just now, and I will not answer without it/);
  assert.deepEqual(core.model.requests, []);
  broken = false;
  assert.equal(await until(() => core.outcomes.get('e1')?.answer), 'fine');
  assert.equal(core.model.requests.length, 1);
});

for (const line of ['role set You are a fish.', 'settings set seed 1', 'settings set workspace.seed 1', 'reset']) {
  test(`/${line} says that it was done when it was, not when the store refused it`, async (t) => {
    let left = 1;
    const isChange = (keys: string[]): boolean => keys.some((key) => /^(head|workspace):/.test(key));
    const core = await startCore({
      model: scriptedModel(() => 'fine'),
      store: storeThat({ commit: (keys) => isChange(keys) && left > -1 && left-- > 0 }),
    });
    t.after(() => core.stop());
    await core.intake.accept(command(1, line));
    const said = await until(() => core.outcomes.get('e1')?.notices.find((notice) => !notice.text.startsWith('⚠️')));
    assert.match(said.text, /Ann (set|reset)/);
    assert.equal(left, -1, 'it was tried again');
    const { notices } = await core.send(command(2, 'memory show'));
    assert.equal(notices[0]?.text.match(/UTC: Ann (set|reset)/g)?.length, 1, notices[0]?.text);
  });
}
