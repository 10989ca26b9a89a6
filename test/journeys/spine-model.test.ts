import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Answer, type ChatRequest, endless, failure, refusedParameter } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, say, shownOf, startProgram } from './program.ts';

/** A model that fails, in every way one can. Each failure has a channel and a model of its own, all in one program. */

/** Answers the `k`th request that a model is asked. */
type Behaviour = (k: number, request: ChatRequest) => string | Answer;

const behaviours = new Map<string, Behaviour>();
const asked = new Map<string, ChatRequest[]>();

const server = await startModelServer({
  answer(request) {
    const requests = [...(asked.get(request.model) ?? []), request];
    asked.set(request.model, requests);
    return behaviours.get(request.model)?.(requests.length, request) ?? `fine ${request.n}`;
  },
});
const program = startProgram({
  env: {
    DATA_DIR: newFolder({ after }),
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'sk-very-secret',
    MEMORY_TOKENS: '2000',
    MODEL_FIRST_TOKEN_SECONDS: '1',
    MODEL_IDLE_SECONDS: '1',
  },
});
after(async () => {
  assert.equal(await program.end(), 0);
  await server.close();
});
// The first answer loads the token counter: those that are timed come after it.
await program.ending(say(program, 'Hello?', { channel: 'first' }));

async function ask(channel: string, text: string, more: object = {}): Promise<string> {
  const id = say(program, text, { channel, ...more });
  await program.ending(id);
  return id;
}

async function useModel(name: string, behaviour: Behaviour): Promise<void> {
  behaviours.set(name, behaviour);
  await program.ending(order(program, `settings set model ${name}`, { channel: name }));
}

const shown = (channel: string, id: string) => shownOf(program.lines, { channel, id });
const bodies = (model: string) => (asked.get(model) ?? []).map((one) => JSON.stringify(one.body));

async function answeredAgain(channel: string, target: string): Promise<void> {
  const retry = order(program, 'retry', { channel, target });
  await program.ending(retry);
  assert.match(shown(channel, retry).text, /^fine \d+$/);
  await ask(channel, 'third question');
  assert.match(bodies(channel).at(-1) ?? '', /first question.*third question/);
}

const html = '<!doctype html><title>Sign in</title>';
const sse = (text: string) => Buffer.from(`data: ${text}\n\n`);
/** The chunk's bytes end in the middle of the ü. */
const half = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"Gr\u00fc').subarray(0, -1);

interface Refusal {
  when: string;
  answer: Answer;
  says: RegExp;
  /** Where trying again cannot help. */
  once?: true;
}

const refusals: Refusal[] = [
  { when: 'says nothing at all', answer: { hang: 'before-headers' }, says: /said nothing for 1 seconds/ },
  { when: 'says nothing after its headers', answer: { hang: 'after-headers' }, says: /said nothing for 1 seconds/ },
  { when: 'fails again and again', answer: failure(500), says: /failed \(500\)/ },
  { when: 'refuses the key', answer: failure(401), says: /refused my key/, once: true },
  {
    when: 'has no quota left',
    answer: failure(429, { type: 'insufficient_quota', code: 'insufficient_quota' }),
    says: /no quota left/,
    once: true,
  },
  {
    when: 'refuses the request',
    answer: failure(400, { message: 'nonsense' }),
    says: /refused the request/,
    once: true,
  },
  { when: 'is a web page', answer: { body: html }, says: /web page/, once: true },
  { when: 'sends what is no JSON', answer: { pieces: [sse('{"choices":[{')] }, says: /unreadable/ },
  {
    when: 'sends half a character',
    answer: { pieces: [half], finish: null },
    says: /before the first word|unreadable/,
  },
  { when: 'answers nothing', answer: { text: '' }, says: /answered nothing/ },
  { when: 'answers blanks', answer: { text: ' \n ' }, says: /answered nothing/ },
  { when: 'ends before it begins', answer: { text: '', finish: null }, says: /before the first word/ },
  { when: 'sends an error for a word', answer: { pieces: [{ error: { message: 'boom' } }] }, says: /failed/ },
  {
    when: 'takes every prompt for too long',
    answer: failure(400, { code: 'context_length_exceeded' }),
    says: /more than the model can read/,
  },
];

const breaks: { when: string; answer: Answer }[] = [
  { when: 'the connection is cut', answer: { text: `begun ${'word '.repeat(200)}`, cutAfterBytes: 3000 } },
  { when: 'the stream just ends', answer: { text: 'begun and more', finish: null } },
  { when: 'nothing more comes', answer: { pieces: ['begun '], hang: 'after-pieces' } },
  { when: 'an error comes', answer: { pieces: ['begun ', { error: { message: 'boom' } }] } },
  { when: 'what comes is no JSON', answer: { pieces: ['begun ', sse('{"choices":[{')] } },
  { when: 'it ends in half a character', answer: { pieces: ['begun ', half], finish: null } },
];

const fullyAnswered = 'Grüße 😀 from afar';
const [high = '', low = ''] = '😀'.split('');

const passing: { when: string; behaviour: Behaviour; says?: string; asked?: number }[] = [
  { when: 'a server that fails once', behaviour: (k) => (k === 1 ? failure(500) : fullyAnswered) },
  { when: 'a gateway in between', behaviour: (k) => (k === 1 ? { status: 502, body: html } : fullyAnswered) },
  { when: 'an empty answer', behaviour: (k) => (k === 1 ? { text: '' } : fullyAnswered) },
  {
    when: 'a connection cut at its first bytes',
    behaviour: (k) => (k === 1 ? { text: 'x', cutAfterBytes: 9 } : fullyAnswered),
  },
  { when: 'bytes that come one by one', behaviour: () => ({ text: fullyAnswered, byteWise: true }), asked: 1 },
  {
    when: 'a character in two halves',
    behaviour: () => ({ pieces: ['Grüße ', high, low, ' from afar'] }),
    asked: 1,
  },
  {
    when: 'half a character for good',
    behaviour: () => ({ pieces: ['so ', high, 'x', low] }),
    says: 'so \ufffdx\ufffd',
    asked: 1,
  },
  {
    when: 'a server that refuses stream_options',
    behaviour: (_, request) => ('stream_options' in request.body ? refusedParameter('stream_options') : fullyAnswered),
    asked: 2,
  },
  {
    when: 'a server that knows only max_tokens',
    behaviour: (_, request) =>
      'max_completion_tokens' in request.body ? refusedParameter('max_completion_tokens') : fullyAnswered,
    asked: 1,
  },
  {
    when: 'a server that refuses max_tokens',
    behaviour: (_, request) => ('max_tokens' in request.body ? refusedParameter('max_tokens') : fullyAnswered),
    asked: 2,
  },
];

describe('a model', { concurrency: true }, () => {
  describe('that gives no answer', { concurrency: true }, () => {
    for (const [n, { when, answer, says, once }] of refusals.entries()) {
      test(`${when}: one clear line; the talk goes on without the question, and retry answers it`, async () => {
        const channel = `none-${n}`;
        await useModel(channel, () => answer);
        const id = await ask(channel, 'first question');
        if (once) assert.equal(asked.get(channel)?.length, 1);
        behaviours.delete(channel);
        const { text, said, endings } = shown(channel, id);
        const line = said.get('outcome');
        assert.match(line?.text ?? '', /^⚠️ [^\n]+$/);
        assert.match(line?.text ?? '', says);
        assert.doesNotMatch(line?.text ?? '', /secret|boom|scripted/);
        assert.deepEqual(line?.actions, [{ label: 'Retry', command: 'retry' }]);
        assert.equal(text, '');
        assert.deepEqual([said.size, endings.length], [1, 1]);
        const next = await ask(channel, 'second question');
        assert.match(shown(channel, next).text, /^fine \d+$/);
        assert.doesNotMatch(bodies(channel).at(-1) ?? '', /first question/);
        await answeredAgain(channel, id);
      });
    }
  });

  describe('whose answer breaks off', { concurrency: true }, () => {
    for (const [n, { when, answer }] of breaks.entries()) {
      test(`when ${when}: what had come stays, marked; the talk goes on from it, and retry gives a new one`, async () => {
        const channel = `part-${n}`;
        await useModel(channel, () => answer);
        const id = await ask(channel, 'first question');
        assert.equal(asked.get(channel)?.length, 1, 'what people have seen is not asked for again');
        behaviours.delete(channel);
        const { text, said, endings } = shown(channel, id);
        assert.match(text, /^begun [\s\S]*\n\n⚠️ The answer broke off before its end\.[^\n]+$/);
        assert.ok(text.isWellFormed() && !text.includes('boom'));
        assert.deepEqual(endings[0]?.actions, [{ label: 'Retry', command: 'retry' }]);
        assert.deepEqual([said.size, endings.length], [0, 1]);
        await ask(channel, 'second question');
        assert.match(bodies(channel).at(-1) ?? '', /first question.*begun.*\[…\].*second question/);
        await answeredAgain(channel, id);
        assert.doesNotMatch(bodies(channel).at(-1) ?? '', /begun/);
      });
    }
  });

  describe('whose trouble people need not hear of', { concurrency: true }, () => {
    for (const [n, { when, behaviour, says = fullyAnswered, asked: times }] of passing.entries()) {
      test(`${when}: the answer comes, whole and once, and what was learnt is kept`, async () => {
        const channel = `pass-${n}`;
        await useModel(channel, behaviour);
        const id = await ask(channel, 'first question');
        const { text, said, endings } = shown(channel, id);
        assert.equal(text, says);
        assert.deepEqual([said.size, endings.length], [0, 1]);
        const before = asked.get(channel)?.length ?? 0;
        if (times !== undefined) assert.equal(before, times);
        await ask(channel, 'second question');
        assert.equal(asked.get(channel)?.length, before + 1);
        assert.match(bodies(channel).at(-1) ?? '', /first question.*second question/);
      });
    }

    test('a rate limit: people are told of the wait, and are answered after it', async () => {
      await useModel('limited', (k) => (k === 1 ? failure(429, {}, { 'retry-after': '2' }) : 'after all'));
      const begun = Date.now();
      const id = await ask('limited', 'first question');
      assert.ok(Date.now() - begun >= 1900);
      const notes = program.lines.filter((line) => line.id === id && line.type === 'progress').map((line) => line.note);
      assert.ok(notes.some((note) => /^2 s: .* so many requests a minute$/.test(String(note))));
      assert.equal(shown('limited', id).text, 'after all');
      assert.equal(asked.get('limited')?.length, 2);
    });

    test('a rate limit for hours is not waited for: one line says when to come back', async () => {
      await useModel('hours', () => failure(429, {}, { 'retry-after': '7200' }));
      const id = await ask('hours', 'first question');
      assert.match(shown('hours', id).said.get('outcome')?.text ?? '', /^⚠️ .*rate limit.*Try again in 2 h\.$/);
    });

    test('a prompt that was too long is made shorter once, and answered', async () => {
      await useModel('long', (k) => (k === 1 ? failure(400, { code: 'context_length_exceeded' }) : 'short enough'));
      const id = await ask('long', 'A sentence of a long story. '.repeat(400));
      assert.equal(shown('long', id).text, 'short enough');
      const [first, second, ...more] = asked.get('long') ?? [];
      assert.ok((second?.last.length ?? 0) < 0.75 * (first?.last.length ?? 0));
      assert.deepEqual([more.length, shown('long', id).said.size], [0, 0]);
    });

    test('an answer without end is ended at the reply limit, and marked', async () => {
      await useModel('endless', () => ({ pieces: endless('all work and no play ') }));
      const id = await ask('endless', 'first question');
      behaviours.delete('endless');
      const { text, messageIds, endings } = shown('endless', id);
      assert.match(text, /^all work and no play[\s\S]+\n\n✂️ Cut off at the reply limit/);
      assert.ok(text.length < 15_000 && messageIds.length > 1);
      assert.equal(endings.length, 1);
      assert.match(shown('endless', await ask('endless', 'second question')).text, /^fine \d+$/);
    });

    test('usage is the server’s own, and marked where the server tells none', async () => {
      const usage = { prompt: 4321, completion: 77, cached: 4096 };
      await useModel('telling', () => ({ text: fullyAnswered, usage }));
      await useModel('silent', () => ({ text: fullyAnswered, usage: 'never' }));
      await useModel('chatty', () => ({ text: fullyAnswered, usage: 'every-chunk' }));
      const ida = { author: { id: 'u9', name: 'Ida' } };
      for (const channel of ['telling', 'silent', 'chatty']) await ask(channel, 'first question', ida);
      const usageOrder = order(program, 'usage today by model', { channel: 'telling', ...ida });
      const { text: table = '' } = await program.ending(usageOrder);
      assert.match(table, /telling +4\.32k +4\.10k +77 /);
      assert.match(table, /silent +~/);
      assert.doesNotMatch(table, /chatty +~/);
    });
  });
});
