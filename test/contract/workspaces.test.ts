import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ChannelId, type Event, toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { command, message, person, scriptedModel, startCore } from './core.ts';

/** A bot that anybody may invite answers, keeps and pays for only the workspaces that its operator wants. */

const foreign = toChannelId({ platform: 't', workspace: 'other', channel: 'C1' });
const inThread = toChannelId({ platform: 't', workspace: 'other', channel: 'C1', thread: '7' });
const canary = 'canary4711';

async function start(t: TestContext) {
  const backend = createMemoryBackend();
  const core = await startCore({
    model: scriptedModel(() => 'Yes.'),
    store: createStore(backend),
    env: { STORE_URL: 'memory:', LISTEN: 'all' },
    policy: { allowedWorkspaces: ['t/w'] },
  });
  t.after(() => core.stop());
  const stored = async () =>
    JSON.stringify(await backend.list({ from: '', to: '\u{10ffff}', limit: undefined, reverse: false }));
  return { core, stored };
}

test('what is only overheard in a workspace that is not listed is passed over in silence, and nothing of it is kept', async (t) => {
  const { core, stored } = await start(t);
  const overheard = (n: number, to: 'none' | 'thread', channel: ChannelId) =>
    message(n, canary, { channel, to, place: canary });
  const edit: Event = {
    kind: 'edit',
    id: 'x',
    channel: foreign,
    at: core.now(),
    messageId: 'm1',
    text: canary,
    origin: {},
  };
  for (const event of [overheard(1, 'none', foreign), overheard(2, 'thread', inThread), edit]) {
    assert.equal(await core.intake.accept(event), 'ignored');
  }
  assert.doesNotMatch(await stored(), /other|canary/);
  assert.equal(core.outcomes.size, 0);
});

test('whoever speaks to it or commands it there is told why not, alone; neither the model nor the memory has a word of it', async (t) => {
  const { core, stored } = await start(t);
  const author = { ...person('Ann'), admin: true };
  const asked = [
    message(1, canary, { channel: foreign, author, place: canary }),
    message(2, `/memory search ${canary}`, { channel: foreign, author }),
    message(3, canary, { channel: inThread, to: 'reply', author }),
    message(4, canary, { channel: foreign, to: 'direct', author }),
    command(5, `role set ${canary}`, { channel: foreign, author }),
    command(6, 'help', { channel: foreign, author }),
  ];
  for (const event of asked) {
    const { notices, answer } = await core.send(event);
    assert.deepEqual(
      notices.map(({ text, private: isPrivate }) => [text, isPrivate]),
      [['⚠️ I do not work in this workspace: ALLOWED_WORKSPACES does not name it.', true]],
    );
    assert.equal(answer, undefined);
  }
  assert.deepEqual(core.model.requests, []);
  await core.audit.idle();
  assert.doesNotMatch(await stored(), /canary/);
  assert.deepEqual(await core.views.channels(), []);
  assert.equal((await core.send(message(9, 'hello'))).answer, 'Yes.', 'in the one that is listed');
});
