import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportChannel } from '../../src/conversation/export.ts';
import type { Surface } from '../../src/event.ts';
import type { ChatRequest } from '../sim/model-answer.ts';
import { command, message, room, startCore } from './core.ts';
import { setUp } from './model-setup.ts';

/** A question with images, answered once more. */

const picture = new Uint8Array([1, 2, 3]);
const shown = `data:image/png;base64,${Buffer.from(picture).toString('base64')}`;

/** The images that a request carries. */
function imagesOf(request: ChatRequest | undefined): string[] {
  return JSON.stringify(request?.body.messages).match(/data:image[^"]*/g) ?? [];
}

async function start(t: { after(run: () => Promise<void>): void }, fetch: Surface['fetch']) {
  const setup = await setUp(({ n }) => `Answer ${n}.`);
  const core = await startCore({
    model: { ...setup.model, requests: [], answers: () => [] },
    env: { STORE_URL: 'memory:' },
    fetch,
  });
  t.after(async () => {
    await core.stop();
    await setup[Symbol.asyncDispose]();
  });
  return { core, requests: setup.server.requests };
}

const attachments = ['one.png', 'two.png', 'notes.txt'].map((name) => ({
  name,
  mime: name.endsWith('.png') ? 'image/png' : 'text/plain',
  bytes: 3,
  source: `secret-address-of-${name}`,
}));

test('a retry sends the images of the question again, as the platform gives them', async (t) => {
  const asked: string[] = [];
  const { core, requests } = await start(t, async ({ source }) => {
    asked.push(source);
    return picture;
  });
  await core.send(message(1, 'What is that?', { attachments }));
  const { answer, notices } = await core.send(command(2, 'retry'));
  assert.match(answer ?? '', /Answer 2\./);
  assert.deepEqual(notices, []);
  assert.deepEqual(requests.map(imagesOf), [
    [shown, shown],
    [shown, shown],
  ]);
  assert.deepEqual(asked.slice(3), ['secret-address-of-one.png', 'secret-address-of-two.png'], 'the text is kept');
  await core.send(message(3, 'And now?'));
  assert.deepEqual(imagesOf(requests.at(-1)), [], 'images go with their own question only');
});

test('an image that is not there any more is told of in one sentence, and the answer comes', async (t) => {
  let isThere = true;
  const { core, requests } = await start(t, async ({ source }) => {
    if (!isThere && source.includes('two')) throw new Error('gone');
    return picture;
  });
  await core.send(message(1, 'What is that?', { attachments }));
  isThere = false;
  const { answer, notices } = await core.send(command(2, 'retry'));
  assert.match(answer ?? '', /Answer 2\./);
  assert.deepEqual(imagesOf(requests.at(-1)), [shown]);
  assert.deepEqual(
    notices.map(({ text }) => text),
    ['🖼️ An image of that question is not there any more, so I answer without it. Send it again with the question.'],
  );
});

test('where an image is kept goes with the message, into no prompt and into no export', async (t) => {
  const { core, requests } = await start(t, async () => picture);
  await core.send(message(1, 'What is that?', { attachments }));
  await core.send(message(2, 'And now?'));
  assert.doesNotMatch(JSON.stringify(requests.map(({ body }) => body)), /secret-address/);
  const whole = await exportChannel(core.memory, room, core.now());
  assert.match(JSON.stringify(whole), /one\.png/);
  assert.doesNotMatch(JSON.stringify(whole), /secret-address/);
  await core.intake.accept({
    kind: 'delete',
    id: 'e3',
    channel: room,
    at: core.now(),
    messageIds: ['m1'],
    origin: {},
  });
  await core.send(message(4, 'Still there?'));
  const { journal } = core.memory.conversations;
  assert.doesNotMatch(JSON.stringify(await journal.turns(room, { epoch: 0, from: 0, to: 100 })), /secret-address/);
});
