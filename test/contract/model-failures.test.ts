import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { type ErrorKind, userText } from '../../src/errors.ts';
import { modelRefusal } from '../../src/model/refusal.ts';
import { type Answer, type ChatRequest, chunk, endless, failure } from '../sim/model-answer.ts';
import { listen, toRequest } from './model.ts';
import { afterFinishMs, firstTokenMs, idleMs, setUp } from './model-setup.ts';

const html = '<!doctype html><title>Sign in</title>';
const half = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"Gr\u00fc').subarray(0, -1);
const limited = (headers: Record<string, string>) => failure(429, { code: 'rate_limit_exceeded' }, headers);

interface Row {
  when: string;
  answer: Answer | ((request: ChatRequest) => Answer);
  kind: ErrorKind;
  says: RegExp;
  /** Requests the server sees. */
  asked: number;
}

const beforeTheFirstWord: Row[] = [
  {
    when: 'the key is wrong',
    answer: failure(401, { code: 'invalid_api_key' }),
    kind: 'credentials',
    says: /refused the key/,
    asked: 1,
  },
  {
    when: 'the key may not use the model',
    answer: failure(403),
    kind: 'credentials',
    says: /does not let this key/,
    asked: 1,
  },
  {
    when: 'the account is empty',
    answer: failure(429, { type: 'insufficient_quota', code: 'insufficient_quota' }),
    kind: 'busy',
    says: /no quota left/,
    asked: 1,
  },
  { when: 'there is no credit', answer: failure(402), kind: 'busy', says: /no quota left/, asked: 1 },
  {
    when: 'the request is bad',
    answer: failure(400, { message: 'nonsense' }),
    kind: 'model',
    says: /refused the request \(400\)/,
    asked: 1,
  },
  {
    when: 'there is no such path',
    answer: { status: 404, body: { detail: 'Not Found' } },
    kind: 'model',
    says: /no chat API at 127/,
    asked: 1,
  },
  { when: 'the server fails', answer: failure(500), kind: 'model', says: /failed \(500\)/, asked: 3 },
  {
    when: 'a gateway answers in HTML',
    answer: { status: 502, body: html },
    kind: 'model',
    says: /failed \(502\)/,
    asked: 3,
  },
  { when: 'the server is overloaded', answer: failure(503), kind: 'model', says: /overloaded/, asked: 3 },
  {
    when: 'the server says not to try again',
    answer: failure(500, {}, { 'x-should-retry': 'false' }),
    kind: 'model',
    says: /failed/,
    asked: 1,
  },
  { when: 'the rate limit names no time', answer: limited({}), kind: 'busy', says: /rate limit/, asked: 3 },
  {
    when: 'the rate limit names a time',
    answer: limited({ 'retry-after': '20' }),
    kind: 'busy',
    says: /rate limit/,
    asked: 3,
  },
  {
    when: 'the rate limit lasts a day',
    answer: limited({ 'retry-after': '86400' }),
    kind: 'busy',
    says: /rate limit/,
    asked: 1,
  },
  { when: 'a web page comes instead of a stream', answer: { body: html }, kind: 'model', says: /web page/, asked: 1 },
  {
    when: 'a web page pretends to be a stream',
    answer: { pieces: [Buffer.from(html)], finish: null },
    kind: 'model',
    says: /before the first word/,
    asked: 3,
  },
  {
    when: 'a chunk is no JSON',
    answer: { pieces: [Buffer.from('data: {"choices":[{\n\n')] },
    kind: 'model',
    says: /unreadable/,
    asked: 3,
  },
  { when: 'the model answers nothing', answer: { text: '' }, kind: 'model', says: /answered nothing/, asked: 3 },
  {
    when: 'the model thinks until its limit',
    answer: { text: '', finish: 'length' },
    kind: 'model',
    says: /all of its 500 reply tokens.*MAX_REPLY_TOKENS/,
    asked: 1,
  },
  {
    when: 'the filter withholds the answer',
    answer: { text: '', finish: 'content_filter' },
    kind: 'model',
    says: /content filter/,
    asked: 1,
  },
  {
    when: 'the stream ends with its headers',
    answer: { text: '', finish: null },
    kind: 'model',
    says: /before the first word/,
    asked: 3,
  },
  {
    when: 'the connection is cut in the first chunk',
    answer: { text: 'hello there', cutAfterBytes: 30 },
    kind: 'model',
    says: /connection to 127.* failed/,
    asked: 3,
  },
  {
    when: 'an error event comes first',
    answer: { pieces: [{ error: { message: 'boom', code: 'server_error' } }] },
    kind: 'model',
    says: /the chat API failed/,
    asked: 3,
  },
  {
    when: 'an error stands in a 200 that is no stream',
    answer: { body: { error: { message: 'boom' } } },
    kind: 'model',
    says: /the chat API failed/,
    asked: 3,
  },
  {
    when: 'a line never ends',
    answer: { pieces: endless(Buffer.alloc(64 * 1024, 'x')) },
    kind: 'model',
    says: /far more than was asked for/,
    asked: 1,
  },
  {
    when: 'an error page never ends',
    answer: { status: 500, headers: { 'content-type': 'text/html' }, pieces: endless(Buffer.alloc(64 * 1024, 'x')) },
    kind: 'model',
    says: /failed \(500\)/,
    asked: 3,
  },
];

describe('a model that fails before the first word', () => {
  for (const row of beforeTheFirstWord) {
    test(`${row.when}: one clear line, after ${row.asked === 1 ? 'one try' : `${row.asked} tries`}`, async () => {
      await using setup = await setUp((request) =>
        typeof row.answer === 'function' ? row.answer(request) : row.answer,
      );
      const { error, text } = await listen(setup.model, toRequest());
      assert.equal(error?.kind, row.kind);
      assert.match(error?.message ?? '', row.says);
      assert.equal(text, '');
      assert.equal(setup.server.requests.length, row.asked);
      const line = error === undefined ? '' : userText(error, setup.clock.now());
      assert.match(line, /^⚠️ [^\n]+$/);
      assert.doesNotMatch(line, /sk-secret|scripted failure|boom/);
    });
  }

  test('nothing is written past the log', async (t) => {
    const written = t.mock.method(console, 'error', () => {});
    await using setup = await setUp(() => ({ pieces: [Buffer.from('data: {no json\n\n')] }));
    assert.equal((await listen(setup.model, toRequest())).error?.kind, 'model');
    assert.equal(written.mock.callCount(), 0);
  });

  test('a rate limit beyond five minutes is not waited for: people hear when to come back', async () => {
    await using setup = await setUp(() => limited({ 'retry-after': '86400' }));
    const { error } = await listen(setup.model, toRequest());
    assert.equal(error?.retryAt, setup.clock.now() + 86_400_000);
  });

  test('a passing fault is tried again and nobody hears of it', async () => {
    await using setup = await setUp((request) => (request.n < 3 ? failure(500) : 'here I am'));
    const { text, error } = await listen(setup.model, toRequest());
    assert.equal(error, undefined);
    assert.equal(text, 'here I am');
    assert.equal(setup.warnings.length, 2);
    assert.deepEqual(setup.clock.slept, [1500, 3000]);
  });

  test('an answer of nothing is charged, and the next try is charged too', async () => {
    await using setup = await setUp((request) =>
      request.n === 1 ? { text: '', usage: { prompt: 40, completion: 7, reasoning: 7 } } : 'something',
    );
    const { events, text } = await listen(setup.model, toRequest());
    assert.equal(text, 'something');
    const usage = { prompt: 40, cached: 0, completion: 7, reasoning: 7, estimated: false };
    assert.deepEqual(events[0], { type: 'attempt', model: 'main-model', usage });
    assert.equal(events.at(-1)?.type, 'end');
  });

  test('a server that says nothing is given up after the first-token limit', async () => {
    for (const hang of ['before-headers', 'after-headers', 'after-pieces'] as const) {
      await using setup = await setUp(() => ({ hang, pieces: [] }));
      const listening = listen(setup.model, toRequest());
      for (const attempt of [1, 2, 3]) {
        await setup.server.asked(attempt);
        await setup.clock.armed(firstTokenMs);
        setup.clock.advance(firstTokenMs);
      }
      const { error } = await listening;
      assert.equal(error?.kind, 'model');
      assert.match(error?.message ?? '', /said nothing for 60000 seconds/);
    }
  });

  test('nobody listens there: the host is named, and no more of the address', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const address = closed.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    await using setup = await setUp(() => '', { baseUrl: `http://user:password@127.0.0.1:${port}/v1?key=secret` });
    const { error } = await listen(setup.model, toRequest());
    assert.equal(error?.kind, 'model');
    assert.match(error?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.doesNotMatch(error?.message ?? '', /password|secret/);
  });

  test('a name that does not exist', async () => {
    // Too long for a name: no resolver is asked.
    const name = `${'n'.repeat(64)}.invalid`;
    await using setup = await setUp(() => '', { baseUrl: `http://${name}/v1` });
    const { error } = await listen(setup.model, toRequest());
    assert.match(error?.message ?? '', /^the name n+\.invalid could not be found/);
  });

  test('a stop during a back-off ends it at once', async () => {
    const stop = new AbortController();
    await using setup = await setUp(() => failure(500));
    setup.server.answerWith(() => {
      stop.abort();
      return failure(500);
    });
    const { error } = await listen(setup.model, toRequest(), { signal: stop.signal });
    assert.equal(error?.kind, 'stopped');
    assert.equal(setup.server.requests.length, 1);
  });
});

const afterTheFirstWord: { when: string; answer: Answer }[] = [
  { when: 'the connection is cut', answer: { text: 'one two three four', cutAfterBytes: 650 } },
  { when: 'the stream ends without saying so', answer: { text: 'one two three', finish: null, usage: 'never' } },
  { when: 'the stream says that it failed', answer: { text: 'one two', finish: 'error', usage: 'never' } },
  { when: 'an error event comes', answer: { pieces: ['one', { error: { message: 'overloaded', code: 502 } }] } },
  { when: 'a chunk is no JSON', answer: { pieces: ['one', Buffer.from('data: {"choi\n\n')] } },
  { when: 'the stream ends in half a character', answer: { pieces: ['one', half], finish: null } },
  {
    when: 'a line never ends',
    answer: {
      pieces: (function* () {
        yield 'one';
        yield* endless(Buffer.alloc(64 * 1024, 'x'));
      })(),
    },
  },
];

describe('a model that fails after the first word', () => {
  for (const { when, answer } of afterTheFirstWord) {
    test(`${when}: what came is kept, nothing is repeated, and it is charged`, async () => {
      await using setup = await setUp(() => answer, { fallbackModels: ['other-model'] });
      const { events, text, error } = await listen(setup.model, toRequest());
      assert.equal(error?.kind, 'broken');
      assert.ok(text.startsWith('one'));
      assert.equal(setup.server.requests.length, 1);
      const cost = events.at(-1);
      assert.ok(cost?.type === 'attempt');
      assert.deepEqual([cost.usage.prompt, cost.usage.estimated], [30, true]);
      assert.ok(cost.usage.completion > 0);
    });
  }

  test('silence in the middle ends after the idle limit', async () => {
    await using setup = await setUp(() => ({ pieces: ['one'], hang: 'after-pieces' }));
    const listening = listen(setup.model, toRequest());
    await setup.clock.armed(idleMs);
    setup.clock.advance(idleMs);
    const { text, error } = await listening;
    assert.equal(text, 'one');
    assert.equal(error?.kind, 'broken');
  });

  test('silence after the last word is no fault: the answer stands', async () => {
    await using setup = await setUp(() => ({ pieces: ['one', chunk({}, 'stop')], hang: 'after-pieces' }));
    const listening = listen(setup.model, toRequest());
    await setup.clock.armed(afterFinishMs);
    setup.clock.advance(afterFinishMs);
    const { text, error, events } = await listening;
    assert.equal(error, undefined);
    assert.equal(text, 'one');
    const end = events.at(-1);
    assert.ok(end?.type === 'end' && end.usage.estimated);
  });

  test('a stop reaches the server, which is not left writing', async () => {
    const stop = new AbortController();
    let request: ChatRequest | undefined;
    await using setup = await setUp((asked) => {
      request = asked;
      return { pieces: endless('word '), delayMs: 1 };
    });
    const { error } = await listen(setup.model, toRequest(), {
      signal: stop.signal,
      onEvent: (event) => event.type === 'text' && stop.abort(),
    });
    assert.equal(error?.kind, 'stopped');
    assert.ok(request !== undefined);
    const { gone } = request;
    if (!gone.aborted) await new Promise((resolve) => gone.addEventListener('abort', resolve));
  });

  test('a model that writes without end is cut at its limit, and the server is left', async () => {
    await using setup = await setUp(() => ({ pieces: endless('word '.repeat(200)) }));
    const { events, text, error } = await listen(setup.model, toRequest({ maxTokens: 1000 }));
    assert.equal(error, undefined);
    const end = events.at(-1);
    assert.ok(end?.type === 'end');
    assert.equal(end.finish, 'length');
    assert.ok(text.length >= 10_000 && text.length < 12_000);
  });
});

describe('what a server has against a request', () => {
  const overflows: [who: string, answer: Answer][] = [
    ['OpenAI', failure(400, { code: 'context_length_exceeded', param: 'messages' })],
    [
      'llama.cpp',
      {
        status: 400,
        body: { error: { code: 400, type: 'exceed_context_size_error', message: 'too big', n_ctx: 4096 } },
      },
    ],
    [
      'vLLM',
      {
        status: 400,
        body: {
          object: 'error',
          message: "This model's maximum context length is 4096 tokens.",
          type: 'BadRequestError',
          param: null,
          code: 400,
        },
      },
    ],
    [
      'Anthropic',
      failure(400, { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
    ],
    [
      'Gemini',
      {
        status: 400,
        body: [
          {
            error: {
              code: 400,
              message: 'The input token count (1200000) exceeds the maximum',
              status: 'INVALID_ARGUMENT',
            },
          },
        ],
      },
    ],
    ['Groq', failure(413, { code: 'rate_limit_exceeded' })],
    ['a stream that has begun', { pieces: [{ error: { message: 'full', code: 'context_length_exceeded' } }] }],
    [
      'a minute that is too short',
      failure(429, { code: 'rate_limit_exceeded' }, { 'x-ratelimit-limit-tokens': '400' }),
    ],
  ];
  for (const [who, answer] of overflows) {
    test(`a prompt too long for ${who} is known as such, so that it can be shortened`, async () => {
      await using setup = await setUp(() => answer, { fallbackModels: ['other-model'] });
      const { error } = await listen(setup.model, toRequest());
      assert.equal(error?.kind, 'overflow');
      assert.equal(setup.server.requests.length, 1);
    });
  }

  const unknown: [who: string, answer: Answer][] = [
    ['OpenAI', failure(404, { code: 'model_not_found', message: 'The model `main-model` does not exist' })],
    ['Ollama', { status: 404, body: { error: { message: "model 'main-model' not found", type: 'api_error' } } }],
    ['LM Studio', { status: 404, body: { error: 'no model main-model' } }],
    ['OpenRouter', { status: 400, body: { error: { message: 'main-model is not a valid model ID', code: 400 } } }],
  ];
  for (const [who, answer] of unknown) {
    test(`a model unknown to ${who} can be taken back`, async () => {
      await using setup = await setUp(() => answer);
      const { error } = await listen(setup.model, toRequest());
      assert.ok(error !== undefined);
      assert.deepEqual(modelRefusal(error), { unknownModel: true });
      assert.match(error.message, /does not know the model “main-model”/);
    });
  }

  const settings: [who: string, answer: Answer][] = [
    ['OpenAI', failure(400, { code: 'unsupported_value', param: 'temperature' })],
    ['a FastAPI server', { status: 422, body: { detail: [{ loc: ['body', 'temperature'], msg: 'too high' }] } }],
    ['a server of few words', failure(400, { message: 'invalid "temperature"' })],
  ];
  for (const [who, answer] of settings) {
    test(`a setting that ${who} refuses is named`, async () => {
      await using setup = await setUp(() => answer);
      const { error } = await listen(setup.model, toRequest({ settings: { temperature: 1.9 } }));
      assert.ok(error !== undefined);
      assert.deepEqual(modelRefusal(error), { param: 'temperature' });
      assert.match(userText(error, 0), /setting temperature/);
      assert.equal(setup.server.requests.length, 1);
    });
  }
});
