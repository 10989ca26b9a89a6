import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, say, startProgram } from './program.ts';

test('what was said is in the next request, with who said it, after the role', async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const program = startProgram({ env: { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' } });
  await program.ending(say(program, 'My cat is Mirabelle.'));
  await program.ending(say(program, 'What is my cat called?', { author: { id: 'u2', name: 'Bob' } }));
  assert.equal(await program.end(), 0);
  const messages = server.requests[1]?.messages ?? [];
  assert.equal(messages[0]?.role, 'system');
  assert.deepEqual(
    messages
      .slice(1)
      .filter((one) => !one.text.startsWith('<now>'))
      .map((one) => [one.role, one.text]),
    [
      ['user', 'Ann: My cat is Mirabelle.'],
      ['assistant', 'answer 1'],
      ['user', 'Bob: What is my cat called?'],
    ],
  );
});

test('a question that got no answer is not in the next request, and retry answers it', async (t) => {
  const server = await startModelServer({ answer: () => ({ status: 400, body: '{"error":{"message":"no"}}' }) });
  t.after(() => server.close());
  const program = startProgram({ env: { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' } });
  const failed = await program.ending(say(program, 'First question'));
  assert.match(failed.text ?? '', /^⚠️/);
  server.answerWith((request) => `answer ${request.n}`);
  await program.ending(say(program, 'Second question'));
  assert.doesNotMatch(JSON.stringify(server.requests.at(-1)?.body), /First question/);
  await program.ending(order(program, 'reset'));
  await program.end();
});

test('a conversation goes on after the program was started again', async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' };
  const first = startProgram({ env });
  await first.ending(say(first, 'My cat is Mirabelle.'));
  await first.end();
  const second = startProgram({ env });
  await second.ending(say(second, 'And now?'));
  await second.end();
  assert.match(JSON.stringify(server.requests[1]?.body), /Mirabelle/);
});
