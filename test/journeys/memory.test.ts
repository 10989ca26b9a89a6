import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getEncoding } from 'js-tiktoken';
import type { ChatRequest } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, say, startProgram } from './program.ts';

const encoding = getEncoding('o200k_base');

const counted = new Map<string, number>();

/** Most texts come again in the next request. */
function tokensOf(text: string): number {
  const tokens = counted.get(text) ?? encoding.encode(text, [], []).length;
  counted.set(text, tokens);
  return tokens;
}

/** As a provider counts: three a message, its role, its content, and three for the reply. */
function wireTokens(request: ChatRequest): number {
  return request.messages.reduce((sum, one) => sum + 3 + tokensOf(one.role) + tokensOf(one.text), 3);
}

const isFold = (request: ChatRequest): boolean => /memory of a chat channel/.test(request.messages[0]?.text ?? '');

/** Keeps what is marked as important, and nothing else, as a good summariser would. */
function summarise(request: ChatRequest): string {
  const facts = [...request.last.matchAll(/fact-\d+ is [a-z]+/g)].map((match) => match[0]);
  return `People talked about everyday things for a good while, each in turn, and agreed on nothing in particular. What must be remembered: ${[...new Set(facts)].join('; ') || 'nothing'}.`;
}

const words = ['harbour', 'lantern', 'meadow', 'violin', 'glacier', 'pepper', 'saddle', 'orchard', 'thimble', 'marble'];

function chatter(n: number): string {
  const picked = Array.from({ length: 14 }, (_, k) => words[(n * 7 + k * 3) % words.length]);
  return `Number ${n}: ${picked.join(' ')}`;
}

test('500 turns under 2,000 tokens: never above it, the role first, what matters kept, what is deleted gone', async (t) => {
  const server = await startModelServer({
    answer: (request) => {
      const text = isFold(request) ? summarise(request) : `Reply ${request.n}: ${chatter(request.n)}`;
      return { text, usage: { prompt: wireTokens(request), completion: tokensOf(text) } };
    },
  });
  t.after(() => server.close());
  const role = 'You are the keeper of the harbour log.';
  const program = startProgram({
    env: {
      DATA_DIR: newFolder(t),
      OPENAI_BASE_URL: server.url,
      OPENAI_API_KEY: 'k',
      OPENAI_MODEL: 'gpt-4o',
      MEMORY_TOKENS: '2000',
      SYSTEM_ROLE: role,
    },
  });
  const people = ['Ann', 'Bob', 'Cyd'];
  const secret = 'fact-13 is turquoise';
  let secretId = '';
  for (let n = 0; n < 250; n++) {
    const name = people[n % 3] ?? 'Ann';
    const text = n === 13 ? secret : n % 50 === 7 ? `fact-${n} is ${words[n % 10]}` : chatter(n);
    const id = say(program, text, { author: { id: name, name } });
    if (n === 13) secretId = id;
    await program.ending(id);
    if (n !== 120) continue;
    assert.ok(
      server.requests.some(
        (one) =>
          !isFold(one) && one.messages.some((m) => m.text.includes('<channel_summary') && m.text.includes(secret)),
      ),
      'the fact was folded and is known',
    );
    program.send({ type: 'delete', id: 'd1', at: Date.now(), channel: 'room', messageIds: [secretId] });
    await program.line((line) => line.type === 'accepted' && line.id === 'd1');
    await program.ending(order(program, 'memory show'));
    await program.ending(order(program, 'help'));
    server.requests.length = 0;
  }
  await program.end();

  const answers = server.requests.filter((one) => !isFold(one));
  for (const request of answers) {
    assert.ok(wireTokens(request) <= 2000, `${wireTokens(request)} tokens`);
    assert.equal(request.messages[0]?.role, 'system');
    assert.ok(request.messages[0]?.text.startsWith(role));
    assert.equal(request.messages.filter((one) => one.role === 'system').length, 1);
    assert.doesNotMatch(JSON.stringify(request.body), /turquoise/);
  }
  for (const request of server.requests) {
    assert.doesNotMatch(JSON.stringify(request.body), /turquoise/);
    assert.ok(wireTokens(request) <= 2000, 'nor is any request for a fold above it');
  }
  const said = answers.length * 2 * tokensOf(`Ann: ${chatter(1)}`);
  const folds = server.requests.length - answers.length;
  assert.ok(folds >= 2 && folds <= (2 * said) / (1200 - 420) + 2, `${folds} folds`);
  const last = JSON.stringify(answers.at(-1)?.body);
  for (const n of [7, 57, 107, 157, 207]) assert.match(last, new RegExp(`fact-${n} is`), `fact ${n} is still known`);
});
