import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createChanges } from '../../src/conversation/changes.ts';
import { createConversations } from '../../src/conversation/conversations.ts';
import { toChannelId } from '../../src/event.ts';
import { openStore } from '../../src/storage/open.ts';
import { fill } from '../contract/recall-talk.ts';
import type { ChatRequest } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, startProgram } from './program.ts';

/** The real program on a data file in which much was said. */

const fact = 'The wifi password of the boathouse is kumquat-77.';
const hidden = 'The wifi password of the boathouse office is papaya-99.';
const question = 'What was the wifi password of the boathouse?';
const words = ['harbour', 'lantern', 'meadow', 'violin', 'glacier', 'pepper', 'saddle', 'orchard', 'thimble', 'marble'];

/** 5,000 messages, the fact first, and another channel with a secret of its own. */
async function fillFile(folder: string): Promise<void> {
  const store = await openStore(`sqlite:${path.join(folder, 'channelore.db')}`);
  const conversations = createConversations(store, { tokens: 20_000 }, Date.now, createChanges());
  const talk = Array.from({ length: 4999 }, (_, n) => `Message ${n}: ${words[n % 10]} and ${words[(n >> 3) % 10]}`);
  await fill(conversations, [fact, ...talk], channelOf('room'));
  await fill(conversations, [hidden, ...talk.slice(0, 50)], channelOf('private'));
  await store.close();
}

const channelOf = (channel: string) => toChannelId({ platform: 'lines', workspace: 'local', channel });

const isFold = (request: ChatRequest): boolean => /memory of a chat channel/.test(request.messages[0]?.text ?? '');

/** Says where it has it from, without repeating it. */
function answer(request: ChatRequest): string {
  if (isFold(request))
    return 'People named all kinds of things, one after the other, without saying why, and they agreed on nothing in particular.';
  const [marker] = /^\[m\d+\](?=.*kumquat)/m.exec(recallOf(request)) ?? [];
  return marker === undefined ? 'I do not know.' : `It is the one with the fruit ${marker}.`;
}

function recallOf(request: ChatRequest | undefined): string {
  return request?.messages.map((one) => one.text).find((text) => text.startsWith('<channel_recall')) ?? '';
}

test('a fact said 5,000 messages ago is in the next prompt and cited, stays in its channel, and once deleted is nowhere', async (t) => {
  const folder = newFolder(t);
  await fillFile(folder);
  const server = await startModelServer({ answer });
  t.after(() => server.close());
  const env = { DATA_DIR: folder, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k', OPENAI_MODEL: 'gpt-4o' };
  const program = startProgram({ env });

  let asked = 0;
  async function ask(text: string, channel = 'room'): Promise<{ recalled: string; request: string; answer: string }> {
    const id = `q${++asked}`;
    const author = { id: 'u1', name: 'Ann' };
    program.send({ type: 'message', id, at: Date.UTC(2026, 0, 9) + asked, channel, author, text });
    const { text: said = '' } = await program.ending(id);
    const request = server.requests.findLast((one) => !isFold(one));
    return { recalled: recallOf(request), request: JSON.stringify(request?.body), answer: said };
  }

  const first = await ask(question);
  assert.match(first.recalled, /\[2026-01-01 00:00\] Ann: The wifi password of the boathouse is kumquat-77\./);
  assert.match(first.answer, /^It is the one with the fruit \(Ann, 1 Jan\)\./);
  assert.doesNotMatch(first.request, /papaya/);
  const [inPrivate, inNew] = [await ask(question, 'private'), await ask(question, 'new')];
  assert.match(inPrivate.request, /papaya/);
  assert.doesNotMatch(inPrivate.request + inNew.request, /kumquat/);
  const found = await program.ending(order(program, 'memory search kumquat'));
  assert.match(found.text ?? '', /^1 message found in this channel:\n\*\*Ann\*\*, 2026-01-01 00:00: The wifi password/);
  const shown = await program.ending(order(program, 'memory show'));
  assert.match(shown.text ?? '', /🔎 cited: Ann, 2026-01-01: The wifi password/);

  program.send({ type: 'delete', id: 'd1', at: Date.UTC(2026, 0, 10), channel: 'room', messageIds: ['m0'] });
  await program.line((line) => line.type === 'accepted' && line.id === 'd1');
  const again = await ask(question);
  assert.doesNotMatch(again.request, /kumquat|one with the fruit/);
  assert.equal(again.answer, 'I do not know.');
  const nothing = await program.ending(order(program, 'memory search kumquat'));
  assert.match(nothing.text ?? '', /^Nothing that was said/);
  assert.equal(await program.end(), 0);
  const files = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'latin1'));
  assert.ok(!files.join().includes('kumquat-77'), 'not a byte of it is left');
});
