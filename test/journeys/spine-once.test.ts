import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, type Program, say, shownOf, startProgram } from './program.ts';

/** Platforms deliver the same thing again: at once, later, and after the program was started again. */

async function textsOf(program: Program, channel: string): Promise<string[]> {
  const { files = [] } = await program.ending(order(program, 'memory export', { channel }));
  return JSON.parse(files[0]?.content ?? '{}').turns.map((turn: { text: string }) => turn.text);
}

const acknowledgements = (program: Program, id: string) =>
  program.lines.filter((line) => line.id === id && /^(accepted|known)$/.test(line.type)).map((line) => line.type);

test('what is delivered again, at once or later or after a restart, is answered once by one request', async (t) => {
  const server = await startModelServer({ answer: ({ last }) => ({ text: `You said: ${last}`, delayMs: 5 }) });
  t.after(() => server.close());
  const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' };
  const channels = Array.from({ length: 12 }, (_, n) => `room-${n}`);
  const event = (channel: string) => ({ channel, id: 'e1', at: 1_760_000_000_000 });
  const deliver = (program: Program, channel: string) => say(program, `hello from ${channel}`, event(channel));

  const first = startProgram({ env });
  for (const channel of channels) for (let k = 0; k < 3; k++) deliver(first, channel);
  // The same id elsewhere is another event.
  const ended = (program: Program, channel: string) =>
    program.line((line) => line.channel === channel && line.id === 'e1' && line.type === 'write' && line.last === true);
  await Promise.all(channels.map((channel) => ended(first, channel)));
  for (const channel of channels) deliver(first, channel);
  const command = { channel: 'room-0', id: 'c1', at: 1_760_000_000_001 };
  for (let k = 0; k < 3; k++) order(first, 'role set You are a pirate.', command);
  await first.ending('c1');
  assert.equal(await first.end(), 0);
  assert.deepEqual(acknowledgements(first, 'e1').filter((type) => type === 'accepted').length, channels.length);
  assert.equal(acknowledgements(first, 'e1').length, channels.length * 4);
  assert.deepEqual(acknowledgements(first, 'c1').sort(), ['accepted', 'known', 'known']);

  const second = startProgram({ env });
  for (const channel of channels) deliver(second, channel);
  order(second, 'role set You are a pirate.', command);
  for (const channel of channels) {
    assert.deepEqual(await textsOf(second, channel), [`hello from ${channel}`, `You said: Ann: hello from ${channel}`]);
  }
  assert.equal(await second.end(), 0);
  assert.deepEqual(new Set(acknowledgements(second, 'e1')), new Set(['known']));
  assert.deepEqual(acknowledgements(second, 'c1'), ['known']);
  assert.equal(server.requests.length, channels.length);
  for (const channel of channels) {
    const { text, endings } = shownOf([...first.lines, ...second.lines], { channel, id: 'e1' });
    assert.equal(text, `You said: Ann: hello from ${channel}`);
    assert.equal(endings.length, 1);
  }
  const said = [...first.lines, ...second.lines].filter((line) => line.id === 'c1' && line.type === 'say');
  assert.equal(said.length, 1);
});

test('a message that comes as two events, one after the other, is answered once', async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k', LISTEN: 'all' };
  const program = startProgram({ env });
  // Fifteen turns: the question is the last of its page of the journal, its answer the first of the next.
  for (let n = 0; n < 15; n++) say(program, 'by the way', { to: 'none' });
  say(program, 'hello', { id: 'as-mention', messageId: 'both' });
  say(program, 'hello', { id: 'as-message', messageId: 'both' });
  say(program, 'good bye', { id: 'overheard', messageId: 'later', to: 'none' });
  say(program, 'good bye', { id: 'addressed', messageId: 'later' });
  const texts = await textsOf(program, 'room');
  assert.deepEqual(texts.slice(15), ['hello', 'answer 1', 'good bye', 'answer 2']);
  assert.equal(server.requests.length, 2);
  assert.equal(shownOf(program.lines, { id: 'as-mention' }).text, 'answer 1');
  assert.deepEqual(shownOf(program.lines, { id: 'as-message' }).endings, []);
  const ends = program.lines.filter((line) => line.type === 'end').map((line) => line.id);
  assert.deepEqual(ends, ['as-message'], 'it ends visibly');
  assert.equal(shownOf(program.lines, { id: 'addressed' }).text, 'answer 2');
  assert.equal(await program.end(), 0);
});
