import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { LLMock } from '@copilotkit/aimock';
import { newFolder, order, say, shownOf, startProgram } from './program.ts';

/** Models behind aimock, with another one to fall back on. Each failure has a channel and a model of its own. */

const mock = new LLMock({ port: 0, latency: 5, chunkSize: 8 });
const usage = { prompt_tokens: 1234, completion_tokens: 56, total_tokens: 1290 };
const whole = 'Mirabelle is a lovely name for a cat that sleeps all day long.';
mock.on({ model: 'spare' }, { content: `From the spare one: ${whole}`, usage });
mock.on({ model: 'good' }, { content: whole, usage });
mock.on({ model: 'broken' }, { error: { message: 'boom', type: 'server_error' }, status: 404 });
mock.on({ model: 'stalling' }, { content: whole }, { streamingProfile: { ttft: 2000 } });
mock.on({ model: 'limited-for-long' }, { error: { message: 'slow down' }, status: 429, retryAfter: 600 });
mock.on({ model: 'limited', sequenceIndex: 0 }, { error: { message: 'slow down' }, status: 429, retryAfter: 1 });
mock.on({ model: 'limited' }, { content: whole, usage });
const tooLong = { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' };
mock.on({ model: 'small', sequenceIndex: 0 }, { error: tooLong, status: 400 });
mock.on({ model: 'small' }, { content: whole, usage });
mock.on({ model: 'cut' }, { content: whole }, { truncateAfterChunks: 4, latency: 20 });
mock.on({ model: 'refusing' }, { error: { message: 'who are you?' }, status: 401 });
await mock.start();

const program = startProgram({
  env: {
    DATA_DIR: newFolder({ after }),
    OPENAI_BASE_URL: `${mock.url}/v1`,
    OPENAI_API_KEY: 'k',
    FALLBACK_MODELS: 'spare',
    MODEL_FIRST_TOKEN_SECONDS: '1',
  },
});
after(async () => {
  assert.equal(await program.end(), 0);
  await mock.stop();
});

const requestsTo = (model: string) =>
  mock.getRequests().filter(({ body }) => body !== null && 'model' in body && body.model === model);

async function askModel(model: string, text = 'What is my cat called?') {
  await program.ending(order(program, `settings set model ${model}`, { channel: model }));
  const id = say(program, text, { channel: model });
  await program.ending(id);
  return { id, ...shownOf(program.lines, { channel: model, id }) };
}

describe('with a model to fall back on', { concurrency: true }, () => {
  for (const model of ['broken', 'stalling', 'limited-for-long']) {
    test(`where the first is ${model}, the other answers, and nobody hears of it`, async () => {
      const { text, said, endings } = await askModel(model);
      assert.equal(text, `From the spare one: ${whole}`);
      assert.deepEqual([said.size, endings.length], [0, 1]);
      assert.equal(requestsTo(model).length, 1);
    });
  }

  test('an answer comes in pieces, and its cost is the server’s own', async () => {
    const { id, text } = await askModel('good');
    assert.equal(text, whole);
    assert.ok(program.lines.some((line) => line.id === id && line.type === 'write' && line.last === false));
    const { text: table = '' } = await program.ending(order(program, 'usage today by model', { channel: 'good' }));
    assert.match(table, /good +1\.23k +0 +56 /);
  });

  test('a short rate limit is waited for, before another model is asked', async () => {
    const { text } = await askModel('limited');
    assert.equal(text, whole);
    assert.equal(requestsTo('limited').length, 2);
  });

  test('a prompt too long for the model is made shorter, and the same model answers', async () => {
    const { text } = await askModel('small', 'A sentence of a long story. '.repeat(3000));
    assert.equal(text, whole);
    const [first = 0, second = 0, ...more] = requestsTo('small').map(({ body }) => JSON.stringify(body).length);
    assert.ok(second < 0.75 * first);
    assert.deepEqual(more, []);
  });

  test('an answer that broke off is not begun again by another model', async () => {
    const { text, endings } = await askModel('cut');
    assert.match(text, /^Mirabelle [^\n]+\n\n⚠️ The answer broke off before its end\.[^\n]+$/);
    assert.equal(endings.length, 1);
    assert.equal(requestsTo('cut').length, 1);
  });

  test('a key that is refused is refused for every model: one line, at once', async () => {
    const { said, text } = await askModel('refusing');
    assert.match(said.get('outcome')?.text ?? '', /^⚠️ The chat model refused my key\.[^\n]+$/);
    assert.equal(text, '');
    assert.equal(requestsTo('refusing').length, 1);
  });
});
