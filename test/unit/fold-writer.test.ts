import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roomForText, writeFold } from '../../src/conversation/fold-writer.ts';
import { loadCounter } from '../../src/conversation/tokens.ts';
import { countMessages } from '../../src/conversation/wire.ts';
import type { CallCost } from '../../src/model/collect.ts';
import type { Model, ModelRequest } from '../../src/model/model.ts';

const counter = await loadCounter('o200k_base');
const usage = { prompt: 100, cached: 0, completion: 20, reasoning: 0, estimated: false };
const good = 'Ann and Bob talked about the harbour for a good while and agreed to meet there again on Monday at noon.';

function writing(
  answer: (request: ModelRequest, n: number) => string,
  mostTokens = 1000,
  finish: (n: number) => 'stop' | 'length' = () => 'stop',
) {
  const requests: ModelRequest[] = [];
  const costs: CallCost[] = [];
  const model: Model = {
    contextTokens: () => undefined,
    async *stream(request) {
      requests.push(request);
      yield { type: 'text', text: answer(request, requests.length) };
      yield { type: 'end', finish: finish(requests.length), usage, model: 'm', asked: 'm' };
    },
  };
  const signal = new AbortController().signal;
  const deps = { model, name: 'm', counter, mostTokens, cacheKey: 'k', signal, costs, onText: () => undefined };
  return { requests, costs, deps };
}

const sentences = (count: number): string =>
  Array.from({ length: count }, (_, n) => `Sentence number ${n} is about the harbour and its boats.`).join(' ');

test('a talk that fits one request takes one call, with a temperature of 0 and a little more room than its cap', async () => {
  const { requests, costs, deps } = writing(() => `  ${good}\n`);
  assert.equal(await writeFold(deps, sentences(40), 100), good);
  assert.equal(requests.length, 1);
  assert.deepEqual(
    [requests[0]?.maxTokens, requests[0]?.settings, requests[0]?.purpose],
    [180, { temperature: 0 }, 'fold'],
  );
  assert.equal(costs.length, 1);
});

test('a talk larger than one request is folded in parts, none above the budget, and all its words are read once', async () => {
  const { requests, costs, deps } = writing(() => good);
  assert.equal(await writeFold(deps, sentences(400), 100), good);
  assert.ok(requests.length > 5);
  assert.equal(costs.length, requests.length);
  for (const request of requests) {
    const tokens = (await countMessages(request.messages, counter)) + 3;
    assert.ok(tokens <= 1000, `${tokens} tokens`);
    assert.equal(tokens, request.promptTokens);
  }
  const read = requests.map((one) => JSON.stringify(one.messages[1])).join(' ');
  for (const n of [0, 57, 123, 256, 399]) assert.equal(read.match(new RegExp(`number ${n} is`, 'g'))?.length, 1);
});

test('a short rest of a long talk is taken as it is, because no summary of it is shorter', async () => {
  const room = await roomForText(counter, 1000, 100);
  let whole = 'harbour';
  while ((await counter.count(`${whole} harbour`)) <= room) whole += ' harbour';
  const { requests, deps } = writing(() => good);
  assert.equal(await writeFold(deps, `${whole}\nOk then.`, 100), good);
  assert.equal(requests.length, 2);
  assert.match(JSON.stringify(requests[1]?.messages), /Monday at noon\.\\n\\nOk then\./);
});

test('a summary that its escapes make too long is cut until it fits', async () => {
  const { deps } = writing(() => `${good} ${'a < b > c. '.repeat(40)}`);
  const text = await writeFold(deps, sentences(60), 60);
  assert.ok((await counter.count(text.replaceAll('<', '&lt;').replaceAll('>', '&gt;'))) <= 60);
  assert.ok(text.startsWith('Ann and Bob talked'));
});

test('an answer of very many tokens is not sent back whole to be shortened', async () => {
  const { requests, deps } = writing((_, n) => (n === 1 ? sentences(2000) : good));
  assert.equal(await writeFold(deps, sentences(60), 60), good);
  assert.equal(requests.length, 2);
  assert.ok((requests[1]?.promptTokens ?? 0) <= 1000);
});

test('a summary that is cut off and cut off again when it is to be shorter is none', async () => {
  const cutOff = `${sentences(30)} And the harb`;
  const twice = writing(
    () => cutOff,
    1000,
    () => 'length',
  );
  await assert.rejects(writeFold(twice.deps, sentences(60), 60), /not kept: it was cut off/);
  assert.equal(twice.costs.length, 2, 'what it cost is known');
  for (const whole of [1, 2]) {
    const once = writing(
      (_, n) => (n === whole ? `${good} ${sentences(20)}` : cutOff),
      1000,
      (n) => (n === whole ? 'stop' : 'length'),
    );
    const text = await writeFold(once.deps, sentences(60), 60);
    assert.ok(text.startsWith(good) && text.endsWith('.'), 'the one that came to its end is cut at a sentence');
  }
});
