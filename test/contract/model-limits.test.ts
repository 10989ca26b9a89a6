import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, type ChatRequest, failure } from '../sim/model-answer.ts';
import { listen, toRequest } from './model.ts';
import { firstTokenMs, type Setup, setUp } from './model-setup.ts';

interface Limit {
  who: string;
  /** So many requests in each window. */
  requests: number;
  windowMs: number;
  headers: (left: number, resetMs: number) => Record<string, string>;
  refusal: (resetMs: number) => Record<string, string>;
}

const limits: Limit[] = [
  {
    who: 'counts down in headers',
    requests: 3,
    windowMs: 60_000,
    headers: (left, resetMs) => ({
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': String(left),
      'x-ratelimit-reset-requests': `${resetMs / 1000}s`,
    }),
    refusal: (resetMs) => ({ 'retry-after-ms': String(resetMs) }),
  },
  {
    who: 'says Retry-After and nothing before',
    requests: 3,
    windowMs: 60_000,
    headers: () => ({}),
    refusal: (resetMs) => ({ 'retry-after': String(Math.ceil(resetMs / 1000)) }),
  },
  {
    who: 'tells only when it resets',
    requests: 3,
    windowMs: 60_000,
    headers: () => ({}),
    refusal: (resetMs) => ({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': `${resetMs}ms` }),
  },
  {
    who: 'lets one through every twenty seconds',
    requests: 1,
    windowMs: 20_000,
    headers: () => ({}),
    refusal: (resetMs) => ({ 'retry-after': String(Math.ceil(resetMs / 1000)) }),
  },
];

/** A server with a fixed window, by the test's clock. */
async function limitedServer(limit: Limit): Promise<Setup & { served: string[] }> {
  const served: string[] = [];
  let windowEnds = 0;
  let used = 0;
  const setup = await setUp((request) => {
    const now = setup.clock.now();
    if (now >= windowEnds) {
      windowEnds = now + limit.windowMs;
      used = 0;
    }
    used += 1;
    const resetMs = windowEnds - now;
    if (used > limit.requests) return failure(429, { code: 'rate_limit_exceeded' }, limit.refusal(resetMs));
    served.push(request.last);
    return { text: `hello ${request.last}`, headers: limit.headers(limit.requests - used, resetMs) };
  });
  return { ...setup, served };
}

const ask = (setup: Setup, who: string, signal?: AbortSignal) =>
  listen(
    setup.model,
    toRequest({ messages: [{ role: 'user', content: who }] }),
    signal === undefined ? {} : { signal },
  );

describe('a rate limit', () => {
  for (const limit of limits) {
    test(`ten people at once, and a server that ${limit.who}: all are answered, and hear how long it takes`, async () => {
      await using setup = await limitedServer(limit);
      const people = Array.from({ length: 10 }, (_, n) => `person ${n}`);
      const started = setup.clock.now();
      const heard = await Promise.all(people.map((who) => ask(setup, who)));
      for (const [n, { text, error }] of heard.entries()) {
        assert.equal(error, undefined, `${people[n]}: ${error?.message}`);
        assert.equal(text, `hello ${people[n]}`);
      }
      const waits = heard.flatMap(({ events }) => events.filter((event) => event.type === 'waiting'));
      assert.ok(waits.length >= 7);
      for (const wait of waits) assert.ok(wait.until > started && wait.until <= setup.clock.now());
      assert.ok(setup.clock.now() - started >= (10 / limit.requests - 1) * limit.windowMs - 1);
      assert.equal(setup.clock.running(), 0, 'no timer is left');
    });
  }

  test('who came first is answered first', async () => {
    const [limit] = limits;
    assert.ok(limit !== undefined);
    await using setup = await limitedServer(limit);
    await ask(setup, 'first of all');
    const people = Array.from({ length: 9 }, (_, n) => `person ${n}`);
    await Promise.all(people.map((who) => ask(setup, who)));
    assert.deepEqual(setup.served.slice(3), people.slice(2), 'the first two shared what was left of the minute');
    assert.equal(setup.server.requests.length, 10, 'nobody was sent away');
  });

  test('who gives up in the queue leaves it, and the others move up', async () => {
    const [limit] = limits;
    assert.ok(limit !== undefined);
    await using setup = await limitedServer({ ...limit, requests: 1 });
    await ask(setup, 'before');
    const stop = new AbortController();
    const impatient = listen(setup.model, toRequest(), {
      signal: stop.signal,
      onEvent: (event) => event.type === 'waiting' && stop.abort(),
    });
    const patient = ask(setup, 'patient');
    assert.equal((await impatient).error?.kind, 'stopped');
    assert.equal((await patient).text, 'hello patient');
    assert.equal(setup.server.requests.length, 2);
  });

  test('a connection that fails at the head of the queue holds up nobody', async () => {
    await using setup = await setUp((request) => {
      if (request.n === 1) return failure(429, {}, { 'retry-after': '10' });
      return request.n === 2 ? { drop: true } : `hello ${request.last}`;
    });
    const heard = await Promise.all(['Ann', 'Bob', 'Cleo'].map((who) => ask(setup, who)));
    assert.deepEqual(
      heard.map(({ text }) => text),
      ['hello Ann', 'hello Bob', 'hello Cleo'],
    );
  });

  test('one model’s limit holds up no other', async () => {
    await using setup = await setUp((request) =>
      request.model === 'busy' ? failure(429, {}, { 'retry-after': '50' }) : 'here',
    );
    const busy = listen(setup.model, toRequest({ model: 'busy' }));
    await setup.server.asked(1);
    const { text, events } = await listen(setup.model, toRequest({ model: 'free' }));
    assert.equal(text, 'here');
    assert.ok(!events.some((event) => event.type === 'waiting'));
    assert.equal((await busy).error?.kind, 'busy');
  });
});

describe('other models', () => {
  const others = { fallbackModels: ['second', 'third'] };
  const failing =
    (answers: Record<string, Answer>) =>
    (request: ChatRequest): string | Answer =>
      answers[request.model] ?? `${request.model} here`;

  test('take over where the first fails, and people see nothing of it', async () => {
    await using setup = await setUp(failing({ 'main-model': failure(500), second: failure(404) }), others);
    const { text, error, events } = await listen(setup.model, toRequest());
    assert.equal(error, undefined);
    assert.equal(text, 'third here');
    assert.deepEqual([...new Set(events.map((event) => event.type))], ['text', 'end']);
    const asked = setup.server.requests.map((request) => request.model);
    assert.deepEqual(asked, ['main-model', 'main-model', 'main-model', 'second', 'third']);
    assert.equal(setup.warnings.length, 4, 'the operator sees it in the log');
  });

  test('take over from one whose limit lasts, but not for a moment’s wait', async () => {
    await using lasting = await setUp(failing({ 'main-model': failure(429, {}, { 'retry-after': '30' }) }), others);
    assert.equal((await listen(lasting.model, toRequest())).text, 'second here');
    assert.equal((await listen(lasting.model, toRequest())).text, 'second here');
    const asked = lasting.server.requests.map((request) => request.model);
    assert.deepEqual(asked, ['main-model', 'second', 'second'], 'nobody asks the first before its time');

    await using short = await setUp(
      (request) => (request.n === 1 ? failure(429, {}, { 'retry-after': '2' }) : `${request.model} here`),
      others,
    );
    assert.equal((await listen(short.model, toRequest())).text, 'main-model here');
  });

  test('take over at once from one that says nothing', async () => {
    await using setup = await setUp(failing({ 'main-model': { hang: 'after-headers' } }), others);
    const listening = listen(setup.model, toRequest());
    await setup.headersSeen(1);
    await setup.clock.armed(firstTokenMs);
    setup.clock.advance(firstTokenMs);
    const { text, events } = await listening;
    assert.equal(text, 'second here');
    assert.equal(events[0]?.type, 'attempt', 'what the first had begun is charged');
  });

  test('are not asked where they would fail as well', async () => {
    for (const answer of [failure(401), failure(400, { code: 'context_length_exceeded' })]) {
      await using setup = await setUp(() => answer, others);
      assert.ok((await listen(setup.model, toRequest())).error !== undefined);
      assert.equal(setup.server.requests.length, 1);
    }
  });

  test('when all fail, people hear what was wrong with the one they asked for', async () => {
    const all = { 'main-model': failure(429, {}, { 'retry-after': '30' }), second: failure(404), third: failure(500) };
    await using setup = await setUp(failing(all), others);
    const { error } = await listen(setup.model, toRequest());
    assert.equal(error?.kind, 'busy');
    assert.match(error?.message ?? '', /rate limit/);
  });

  test('a model named twice is asked once', async () => {
    await using setup = await setUp(failing({ second: failure(403) }), { fallbackModels: ['second', 'second'] });
    await listen(setup.model, toRequest({ model: 'second' }));
    assert.equal(setup.server.requests.length, 1);
  });
});
