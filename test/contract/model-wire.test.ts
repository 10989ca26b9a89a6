import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/model/clock.ts';
import type { ModelEvent } from '../../src/model/model.ts';
import { createOpenAiModel } from '../../src/model/openai.ts';
import { modelRefusal } from '../../src/model/refusal.ts';
import { type Answer, type ChatRequest, chunk, failure, refusedParameter } from '../sim/model-answer.ts';
import { listen, toRequest } from './model.ts';
import { setUp } from './model-setup.ts';

const endOf = (events: ModelEvent[]) => {
  const end = events.at(-1);
  assert.ok(end?.type === 'end');
  return end;
};

/** Refuses what a server does not know, as OpenAI does. */
const without =
  (...names: string[]) =>
  (request: ChatRequest): string | Answer => {
    const name = names.find((each) => each in request.body);
    return name === undefined ? 'fine' : refusedParameter(name);
  };

describe('what the server is asked', () => {
  test('a setting that nobody set is not sent, one that was is sent exactly', async () => {
    await using setup = await setUp(() => 'yes');
    await listen(setup.model, toRequest());
    const settings = {
      temperature: 0,
      topP: 0.5,
      seed: 7,
      frequencyPenalty: -1,
      presencePenalty: 2,
      logitBias: { '42': -100 },
      stop: ['a', 'b'],
      responseFormat: 'json_object' as const,
    };
    await listen(setup.model, toRequest({ settings }));
    const [plain, full] = setup.server.requests.map((request) => request.body);
    assert.deepEqual(Object.keys(plain ?? {}).sort(), [
      'max_tokens',
      'messages',
      'model',
      'prompt_cache_key',
      'stream',
      'stream_options',
    ]);
    assert.deepEqual(
      { ...full, messages: 0 },
      {
        model: 'main-model',
        messages: 0,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 500,
        prompt_cache_key: 'channel-hash',
        temperature: 0,
        top_p: 0.5,
        seed: 7,
        frequency_penalty: -1,
        presence_penalty: 2,
        logit_bias: { '42': -100 },
        stop: ['a', 'b'],
        response_format: { type: 'json_object' },
      },
    );
  });

  test('every kind of message arrives as the API has it, half characters mended', async () => {
    await using setup = await setUp(() => 'yes');
    const call = { id: 'c1', name: 'weather', arguments: '{"city":"Bonn"}' };
    await listen(
      setup.model,
      toRequest({
        tools: [{ name: 'weather', description: '', parameters: {} }],
        messages: [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this? \ud83d' },
              { type: 'image', url: 'data:image/png;base64,AA==' },
            ],
          },
          { role: 'assistant', content: '', toolCalls: [call] },
          { role: 'tool', callId: 'c1', content: 'rain' },
          { role: 'assistant', content: 'Rain.' },
          { role: 'user', content: 'Thanks' },
        ],
      }),
    );
    assert.deepEqual(setup.server.requests[0]?.body.messages, [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this? \ufffd' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bonn"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      { role: 'assistant', content: 'Rain.' },
      { role: 'user', content: 'Thanks' },
    ]);
  });

  test('the key goes into its header and nowhere else; without one there is no such header', async () => {
    await using keyed = await setUp(() => ({
      text: 'yes',
      headers: { 'x-request-id': 'req_1', 'openai-model': 'm-2' },
    }));
    await listen(keyed.model, toRequest());
    assert.equal(keyed.server.requests[0]?.headers.authorization, 'Bearer sk-secret-key');
    const log = JSON.stringify(keyed.lines);
    assert.match(log, /req_1/);
    assert.match(log, /m-2/);
    assert.doesNotMatch(log, /sk-secret/);
    await using open = await setUp(() => 'yes', { apiKey: undefined });
    await listen(open.model, toRequest());
    assert.equal(open.server.requests[0]?.headers.authorization, undefined);
  });

  for (const name of ['stream_options', 'prompt_cache_key', 'max_tokens']) {
    test(`a server that refuses ${name} is asked without it, and from then on at once`, async () => {
      await using setup = await setUp(without(name));
      for (const expected of [2, 3]) {
        const { text, events } = await listen(setup.model, toRequest());
        assert.equal(text, 'fine');
        assert.equal(events.filter((event) => event.type === 'attempt').length, 0);
        assert.equal(setup.server.requests.length, expected);
      }
      assert.equal(setup.warnings.length, 0, 'it was no failure');
    });
  }

  test('a server that refuses all three is learnt in one question', async () => {
    await using setup = await setUp(without('stream_options', 'prompt_cache_key', 'max_tokens'));
    assert.equal((await listen(setup.model, toRequest())).text, 'fine');
    assert.equal(setup.server.requests.at(-1)?.body.max_completion_tokens, 500);
    assert.equal(setup.server.requests.length, 4);
  });

  test('a refusal in words alone, naming both limits, is understood', async () => {
    const message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
    await using setup = await setUp((request) => ('max_tokens' in request.body ? failure(400, { message }) : 'fine'));
    assert.equal((await listen(setup.model, toRequest())).text, 'fine');
  });

  test('a server that takes neither limit is not asked for ever', async () => {
    await using setup = await setUp(without('max_tokens', 'max_completion_tokens'));
    const { error } = await listen(setup.model, toRequest());
    assert.ok(error !== undefined);
    assert.deepEqual(modelRefusal(error), { param: 'max_reply_tokens' });
    assert.equal(setup.server.requests.length, 2);
  });

  test('a limit that is too high is not taken for one that is unknown', async () => {
    const answer = failure(400, { code: 'invalid_value', param: 'max_tokens', message: 'max_tokens is too large' });
    await using setup = await setUp(() => answer);
    const { error } = await listen(setup.model, toRequest());
    assert.ok(error !== undefined);
    assert.deepEqual(modelRefusal(error), { param: 'max_reply_tokens' });
    assert.match(error.message, /the setting max_reply_tokens as it is/);
    assert.equal(setup.server.requests.length, 1);
  });

  test('a fold goes without a setting that the model refuses, an answer does not', async () => {
    const answer = without('temperature');
    await using setup = await setUp(answer);
    const settings = { temperature: 0 };
    assert.equal((await listen(setup.model, toRequest({ purpose: 'fold', settings }))).text, 'fine');
    const { error } = await listen(setup.model, toRequest({ settings }));
    assert.equal(error?.kind, 'input');
  });
});

describe('what the server answers', () => {
  const usage = { prompt: 100, completion: 20, cached: 64, reasoning: 12 };

  test('the cost is the server’s own, cached and thinking tokens with it', async () => {
    await using setup = await setUp(() => ({ text: 'yes', usage }));
    const { events } = await listen(setup.model, toRequest());
    assert.deepEqual(endOf(events).usage, { prompt: 100, cached: 64, completion: 20, reasoning: 12, estimated: false });
  });

  test('which configuration answered is kept with the cost, whole or estimated, streamed or not', async () => {
    const named = { ...chunk({ content: 'yes' }), system_fingerprint: 'fp_1' };
    const message = { choices: [{ message: { content: 'yes' }, finish_reason: 'stop' }], system_fingerprint: 'fp_1' };
    for (const answer of [{ pieces: [named] }, { pieces: [named], usage: 'never' as const }, { body: message }]) {
      await using setup = await setUp(() => answer);
      assert.equal(endOf((await listen(setup.model, toRequest())).events).usage.fingerprint, 'fp_1');
    }
    await using setup = await setUp(() => 'yes');
    assert.ok(!('fingerprint' in endOf((await listen(setup.model, toRequest())).events).usage));
  });

  test('where the server sends no usage, or zeros, ours stands in and is marked', async () => {
    const zeros = { ...chunk({}), usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } };
    for (const pieces of [['four char'], ['four char', zeros]]) {
      await using setup = await setUp(() => ({ pieces, usage: 'never' }));
      const { events } = await listen(setup.model, toRequest());
      assert.deepEqual(endOf(events).usage, { prompt: 30, cached: 0, completion: 3, reasoning: 0, estimated: true });
    }
  });

  test('of usage on every chunk the last counts', async () => {
    await using setup = await setUp(() => ({ pieces: ['aaaa', 'bbbb', 'cccc'], usage: 'every-chunk' }));
    const { events } = await listen(setup.model, toRequest());
    assert.equal(endOf(events).usage.completion, 3);
    assert.equal(endOf(events).usage.estimated, false);
  });

  test('the model that really answered is named: by its chunks, else by its header', async () => {
    const headers = { 'openai-model': 'from-header' };
    await using byChunk = await setUp(() => ({ text: 'yes', model: 'main-model-2026-08-07', headers }));
    assert.equal(endOf((await listen(byChunk.model, toRequest())).events).model, 'main-model-2026-08-07');
    await using byHeader = await setUp(() => ({ text: 'yes', model: '', headers }));
    assert.equal(endOf((await listen(byHeader.model, toRequest())).events).model, 'from-header');
    await using byNone = await setUp(() => ({ text: 'yes', model: '' }));
    assert.equal(endOf((await listen(byNone.model, toRequest())).events).model, 'main-model');
  });

  const odd: [what: string, answer: Answer, text: string][] = [
    ['content that is null', { pieces: [chunk({ content: null }), 'yes', chunk({ content: null })] }, 'yes'],
    ['chunks without delta or choices', { pieces: [{ choices: [{ index: 0 }] }, {}, { choices: null }, 'yes'] }, 'yes'],
    [
      'a content of parts',
      { pieces: [chunk({ content: [{ type: 'thinking' }, { type: 'text', text: 'yes' }] })] },
      'yes',
    ],
    [
      'no stream at all',
      { body: { choices: [{ message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }] } },
      'yes',
    ],
    ['a second choice', { pieces: ['yes', { choices: [{ index: 1, delta: { content: 'no' } }] }] }, 'yes'],
    ['a refusal of the model', { pieces: [chunk({ refusal: 'I will not.' })] }, 'I will not.'],
    ['thinking before the answer', { pieces: [chunk({ reasoning_content: 'hm' }), 'yes'] }, 'yes'],
    ['keep-alive comments', { pieces: [Buffer.from(': wait\n\n'), 'yes'] }, 'yes'],
    ['every byte alone', { text: 'Grüße 🐈 für 猫', byteWise: true }, 'Grüße 🐈 für 猫'],
    ['halves of a character', { pieces: ['a\ud83d', '\udc08b', 'c\ud83d'] }, 'a🐈bc\ufffd'],
    ['NUL and special tokens', { pieces: ['a\u0000b<|endoftext|>'] }, 'a\u0000b<|endoftext|>'],
  ];
  for (const [what, answer, text] of odd) {
    test(`an answer with ${what} arrives right`, async () => {
      await using setup = await setUp(() => answer);
      const heard = await listen(setup.model, toRequest());
      assert.equal(heard.error, undefined);
      assert.equal(heard.text, text);
      assert.equal(endOf(heard.events).finish, 'stop');
    });
  }

  test('an answer cut by its limit or by the filter says so', async () => {
    for (const finish of ['length', 'content_filter'] as const) {
      await using setup = await setUp(() => ({ text: 'so far', finish }));
      assert.equal(endOf((await listen(setup.model, toRequest())).events).finish, finish);
    }
  });

  test('tool calls arrive whole, several at once, however the server numbers them', async () => {
    const piece = (index: number | undefined, id: string | undefined, name: string | undefined, text: string) =>
      chunk({ tool_calls: [{ ...(index === undefined ? {} : { index }), id, function: { name, arguments: text } }] });
    const numberings = [
      [piece(0, 'a', 'first', ''), piece(0, undefined, undefined, '{"x":1}'), piece(1, 'b', 'second', '{}')],
      [piece(1, 'a', 'first', '{"x"'), piece(1, 'a', 'first', ':1}'), piece(2, 'b', 'second', '{}')],
      [piece(0, 'a', 'first', '{"x":1}'), piece(0, 'b', 'second', '{}')],
      [piece(undefined, 'a', 'first', '{"x":1}'), piece(undefined, 'b', 'second', '{}')],
    ];
    for (const pieces of numberings) {
      await using setup = await setUp(() => ({ pieces, finish: 'stop' }));
      const { events } = await listen(setup.model, toRequest());
      const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
      assert.deepEqual(calls, [
        { id: 'a', name: 'first', arguments: '{"x":1}' },
        { id: 'b', name: 'second', arguments: '{}' },
      ]);
      assert.equal(endOf(events).finish, 'tool_calls');
    }
  });
});

test('a prompt must fit the smallest of the models that may answer it', () => {
  const create = (fallbackModels: string[], contextTokens?: number) =>
    createOpenAiModel(
      { apiKey: 'k', baseUrl: undefined, fallbackModels, firstTokenMs: 1, idleMs: 1, contextTokens },
      { clock: systemClock, random: () => 0, log: { debug() {}, warn() {} }, countTokens: () => 0 },
    );
  assert.equal(create(['gpt-3.5-turbo', 'of-nobody-knows']).contextTokens('gpt-4o'), 16_385);
  assert.equal(create([]).contextTokens('of-nobody-knows'), undefined);
  assert.equal(create(['gpt-3.5-turbo'], 5000).contextTokens('gpt-4o'), 5000);
});
