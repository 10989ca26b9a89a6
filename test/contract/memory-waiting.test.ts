import assert from 'node:assert/strict';
import { test } from 'node:test';
import { command, message, person, room, scriptedModel, startCore } from './core.ts';

const env = { STORE_URL: 'memory:' };

test('what somebody wrote before asking to be forgotten is not taken in afterwards, though it waited', async (t) => {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const model = scriptedModel(async (_request, n) => {
    begun.resolve();
    if (n === 1) await gate.promise;
    return `Reply ${n}`;
  });
  const core = await startCore({ model, env });
  t.after(() => core.stop());
  const ann = person('Ann');
  const bob = person('Bob');
  const first = core.send(message(1, 'Bob asks', { author: bob }));
  await begun.promise;
  const waiting = core.send(message(2, 'Ann tells 4711', { author: ann }));
  const forget = core.send(command(3, 'forget me confirm', { author: ann }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  gate.resolve();
  await Promise.all([first, waiting, forget]);
  await core.send(message(4, 'Bob asks again', { author: bob }));
  assert.ok(model.requests.every((request) => !JSON.stringify(request.messages).includes('4711')));
  await core.send(message(5, 'Ann is back', { author: ann }));
  assert.match(JSON.stringify(model.requests.at(-1)?.messages), /Ann is back/);
});

test('a question that a reset put away is not asked again', async (t) => {
  const core = await startCore({ model: scriptedModel((_request, n) => `Reply ${n}`), env });
  t.after(() => core.stop());
  await core.send(message(1, 'first question'));
  await core.send(command(2, 'reset'));
  const asked = core.model.requests.length;
  const outcome = await core.send(command(3, 'retry', { target: 'm1' }));
  assert.match(outcome.notices[0]?.text ?? '', /no question here/);
  assert.equal(core.model.requests.length, asked);
});

test('in a thread between people the bot is silent, though it listens', async (t) => {
  const core = await startCore({ model: scriptedModel((_request, n) => `Reply ${n}`), env: { ...env, LISTEN: 'all' } });
  t.after(() => core.stop());
  await core.send(message(1, 'overheard', { to: 'none', author: person('Bob') }));
  const thread = `${room}/t1` as typeof room;
  await core.send(message(2, 'in the thread', { channel: thread, to: 'thread', branchedFrom: 'm1' }));
  assert.equal(core.model.requests.length, 0);
  await core.send(message(3, 'a question'));
  const other = `${room}/t2` as typeof room;
  await core.send(message(4, 'go on', { channel: other, to: 'thread', branchedFrom: 'm3' }));
  assert.equal(core.model.answers().length, 2);
});

test('an answer whose question keeps changing is given up, and no budget is passed by it', async (t) => {
  let edits = 0;
  const model = scriptedModel(async (_request, n) => {
    edits++;
    await core.intake.accept({
      kind: 'edit',
      id: `x${n}`,
      channel: room,
      at: Date.now(),
      messageId: 'm1',
      text: `question ${n}`,
      origin: {},
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'an answer';
  });
  const core = await startCore({ model, env: { ...env, BUDGET_USER_TOKENS: '100000' } });
  t.after(() => core.stop());
  const outcome = await core.send(message(1, 'question'));
  assert.ok(edits <= 5, `${edits} calls`);
  assert.match(outcome.notices[0]?.text ?? '', /kept changing/);
});
