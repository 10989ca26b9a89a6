import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toChannelId } from '../../src/event.ts';
import { message, room, scriptedModel, startCore } from './core.ts';
import { barrier, contentOf } from './memory-talk.ts';

/** What comes before what it belongs to, and what is learnt from whom. */

const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm1' });

test('what is said in a thread while its answer is being written is answered after it, knowing the answer', async (t) => {
  const held = barrier();
  const model = scriptedModel(async (request) => {
    if (contentOf(request.messages.at(-1)).includes('color')) await held.wait();
    return 'Roses are red.';
  });
  const core = await startCore({ model });
  t.after(() => core.stop());
  const first = core.send(message(1, 'What color are roses?'));
  await held.reached;
  const more = message(2, 'And in blue?', { channel: thread, to: 'thread', branchedFrom: 'm1' });
  const second = core.send(more);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(model.requests.length, 1);
  held.open();
  await Promise.all([first, second]);
  assert.equal(core.outcomes.get('e2')?.answer, 'Roses are red.');
  const asked = core.model.answers()[1]?.messages.map(contentOf) ?? [];
  assert.ok(asked.some((text) => text === 'Roses are red.'));
  assert.equal(asked.at(-1), 'Ann: And in blue?');
});

test('a thread does not wait for another question than the one it hangs from', async (t) => {
  const held = barrier();
  const model = scriptedModel(async (request) => {
    if (contentOf(request.messages.at(-1)).includes('color')) await held.wait();
    return 'Yes.';
  });
  const core = await startCore({ model });
  t.after(() => core.stop());
  await core.send(message(1, 'Hello'));
  await core.intake.accept(message(2, 'What color are roses?'));
  await held.reached;
  await core.intake.accept(message(3, 'Still there?', { channel: thread, to: 'thread', branchedFrom: 'm1' }));
  while (core.outcomes.get('e3')?.answer === undefined) await new Promise((resolve) => setImmediate(resolve));
  held.open();
});

test('an answer of a fallback says nothing about how the model that was asked for counts', async (t) => {
  let fallback = true;
  const model = scriptedModel((request) => ({
    text: 'Yes.',
    promptTokens: request.promptTokens * 2,
    ...(fallback && { model: 'other' }),
  }));
  const core = await startCore({ model });
  t.after(() => core.stop());
  const { model: name } = await core.memory.profiles.of(room);
  await core.send(message(1, 'What color are roses, and how many tokens does that take?'));
  assert.equal(await core.memory.calibration.ratio(name), 1);
  fallback = false;
  await core.send(message(2, 'What color are roses, and how many tokens does that take?'));
  assert.ok((await core.memory.calibration.ratio(name)) > 1);
});

test('of two edits that come before a message nobody was to remember the later one stands, whichever comes last', async (t) => {
  const core = await startCore({ model: scriptedModel(() => 'Yes.') });
  t.after(() => core.stop());
  const edit = (id: string, at: number, text: string) =>
    core.intake.accept({ kind: 'edit', id, channel: room, at, messageId: 'm1', text, origin: {} });
  assert.equal(await edit('x2', 2000, 'Roses are white.'), 'ignored');
  assert.equal(await edit('x1', 1000, 'Roses are blue.'), 'ignored');
  await core.send(message(1, 'Roses are red.'));
  assert.equal(contentOf(core.model.answers()[0]?.messages.at(-1)), 'Ann: Roses are white.');
});
