import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { getEncoding } from 'js-tiktoken';
import { type Answer, type ChatRequest, failure, refusedParameter } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, order, say, startProgram } from './program.ts';

/** Settings: from what an admin types to what the chat API is sent. Each test has a channel of its own. */

function answer(request: ChatRequest): string | Answer {
  if (request.model === 'gpt-imaginary') {
    return failure(404, { message: 'The model `gpt-imaginary` does not exist', code: 'model_not_found' });
  }
  if (request.body.seed === 13) return refusedParameter('seed');
  if (request.body.frequency_penalty === 1.5) {
    const message = "Invalid 'frequency_penalty': not with this model.";
    return failure(400, { message, type: 'invalid_request_error', code: 'invalid_value', param: 'frequency_penalty' });
  }
  return `answer ${request.n}`;
}

const server = await startModelServer({ answer });
const env = {
  DATA_DIR: newFolder({ after }),
  OPENAI_BASE_URL: server.url,
  OPENAI_API_KEY: 'k',
  OPENAI_MODEL: 'gpt-4o',
  FOLD_MODEL: 'gpt-4o',
};
let program = startProgram({ env });
after(async () => {
  assert.equal(await program.end(), 0);
  await server.close();
});

async function restart(): Promise<void> {
  assert.equal(await program.end(), 0);
  program = startProgram({ env });
}

async function run(channel: string, text: string, more: object = {}): Promise<Line> {
  return await program.ending(order(program, text, { channel, ...more }));
}

async function ask(channel: string, more: object = {}): Promise<{ body: Record<string, unknown>; said: string }> {
  const marker = `marker-${server.requests.length}-${channel}.`;
  const ended = await program.ending(say(program, marker, { channel, ...more }));
  const request = server.requests.findLast((one) => one.last.includes(marker));
  return { body: request?.body ?? {}, said: ended.text ?? '' };
}

const encoding = getEncoding('o200k_base');
const tokensOf = (word: string): number[] => [...encoding.encode(word), ...encoding.encode(` ${word}`)];
const bias = Object.fromEntries([...tokensOf('delve').map((id) => [id, -100]), [1234, 5]]);

interface Case {
  name: string;
  typed: string;
  /** As `settings show` has it. */
  shown: string;
  wire: string;
  sent: unknown;
  /** What is sent where it is not set. */
  unset?: unknown;
}

const cases: Case[] = [
  { name: 'model', typed: 'gpt-4.1', shown: 'gpt-4.1', wire: 'model', sent: 'gpt-4.1', unset: 'gpt-4o' },
  { name: 'temperature', typed: '0.30', shown: '0.3', wire: 'temperature', sent: 0.3 },
  { name: 'top_p', typed: '0.9', shown: '0.9', wire: 'top_p', sent: 0.9 },
  { name: 'max_reply_tokens', typed: '77', shown: '77', wire: 'max_tokens', sent: 77, unset: 1024 },
  { name: 'seed', typed: '-7', shown: '-7', wire: 'seed', sent: -7 },
  { name: 'frequency_penalty', typed: '-2', shown: '-2', wire: 'frequency_penalty', sent: -2 },
  { name: 'presence_penalty', typed: '0', shown: '0', wire: 'presence_penalty', sent: 0 },
  {
    name: 'logit_bias',
    typed: 'delve=-100, 1234=5',
    shown: '{"1234": 5, "delve": -100}',
    wire: 'logit_bias',
    sent: bias,
  },
  { name: 'stop', typed: 'END, \\n, ###', shown: '["END", "\\n", "###"]', wire: 'stop', sent: ['END', '\n', '###'] },
  {
    name: 'response_format',
    typed: 'json_object',
    shown: 'json_object',
    wire: 'response_format',
    sent: { type: 'json_object' },
  },
];

const settable = ['temperature', 'top_p', 'seed', 'frequency_penalty', 'presence_penalty', 'logit_bias', 'stop'];

describe('a setting of a channel', { concurrency: true }, () => {
  test('where nothing is set, nothing is sent', async () => {
    const { body } = await ask('bare');
    for (const name of [...settable, 'response_format', 'n', 'tools']) assert.equal(name in body, false, name);
    assert.deepEqual([body.model, body.max_tokens], ['gpt-4o', 1024]);
  });

  for (const { name, typed, shown, wire, sent, unset } of cases) {
    test(`${name} is sent exactly as it was set, and no more once it is cleared`, async () => {
      const channel = `one-${name}`;
      const set = await run(channel, `settings set ${name} ${typed}`);
      assert.equal(set.private, true);
      assert.ok(set.text?.startsWith(`⚙️ Ann set ${name} to ${shown} for this channel.`), set.text);
      const { body } = await ask(channel);
      assert.deepEqual(body[wire], sent);
      const others = [...settable, 'response_format'].filter((other) => other !== wire && other in body);
      assert.deepEqual(others, [], 'nothing else is sent');
      const cleared = await run(channel, `settings clear ${name}`);
      assert.match(cleared.text ?? '', new RegExp(`^⚙️ Ann cleared ${name} for this channel`));
      assert.deepEqual((await ask(channel)).body[wire], unset);
      const { text = '' } = await run(channel, 'memory show');
      assert.match(text, new RegExp(`✏️ \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC: Ann cleared ${name}`));
      assert.ok(text.includes(`UTC: Ann set ${name} to ${shown}`), text);
    });
  }

  test('memory_tokens bounds what is sent', async () => {
    const long = 'All the long words of a story about harbours and lighthouses. '.repeat(60);
    await program.ending(say(program, long, { channel: 'small' }));
    await run('small', 'settings set memory_tokens 900');
    const { body } = await ask('small');
    assert.doesNotMatch(JSON.stringify(body), /lighthouses/);
  });

  test('a wrong value changes nothing, and what would be right is said to whoever typed it alone', async () => {
    const wrong: [string, RegExp][] = [
      ['temperature 2.5', /temperature must be a number from 0 to 2, not "2.5"/],
      ['temperature warm', /temperature must be a number from 0 to 2, not "warm"/],
      ['top_p -1', /top_p must be a number from 0 to 1/],
      ['max_reply_tokens 1.5', /max_reply_tokens must be a whole number from 1/],
      ['seed x', /seed must be a whole number, not "x"/],
      ['frequency_penalty 3', /frequency_penalty must be a number from -2 to 2/],
      ['presence_penalty -3', /presence_penalty must be a number from -2 to 2/],
      ['logit_bias word', /logit_bias must be words or token ids with a number from -100 to 100/],
      ['stop a,b,c,d,e', /stop must be one to four texts/],
      ['response_format xml', /response_format must be text or json_object, not "xml"/],
      ['listen loudly', /listen must be addressed or all/],
      ['memory_tokens 250', /^⚠️ `memory_tokens` must be at least \d+ here/],
      ['memory_tokens 9000000', /reads 128000 tokens in all.*memory_tokens can be at most \d+/],
      ['max_reply_tokens 127900', /reads 128000 tokens in all/],
      ['temprature 1', /^⚠️ `name` cannot be "temprature"\. Did you mean temperature\?/],
      ['temperature', /needs value/],
      ['workspace.listen all', /`name` cannot be "workspace\.listen"/],
    ];
    for (const [typed, right] of wrong) {
      const refused = await run('wrong', `settings set ${typed}`);
      assert.match(refused.text ?? '', /^⚠️ /);
      assert.match(refused.text ?? '', right);
      assert.equal(refused.private, true, typed);
    }
    assert.match((await run('wrong', 'settings clear seed')).text ?? '', /^⚠️ `seed` is not set for this channel/);
    const { text = '' } = await run('wrong', 'settings show');
    assert.doesNotMatch(text, /set for this/);
    assert.doesNotMatch((await run('wrong', 'memory show')).text ?? '', /✏️/);
  });

  test('only an admin may change one, anyone may look', async () => {
    const ben = { author: { id: 'u2', name: 'Ben' } };
    const refused = await run('looked', 'settings set temperature 1', ben);
    assert.deepEqual([refused.text, refused.private], ['⚠️ Only admins may use /settings set.', true]);
    assert.match((await run('looked', 'settings clear temperature', ben)).text ?? '', /^⚠️ Only admins/);
    const { text = '', private: isPrivate } = await run('looked', 'settings show', ben);
    assert.equal(isPrivate, true);
    assert.match(text, /`temperature {7}` left to the provider/);
    assert.match(text, /`model {13}` gpt-4o/);
  });

  test('a parameter that the chat API refuses is named in the answer, and the next answer comes without it', async () => {
    await run('refused', 'settings set seed 13');
    assert.match((await ask('refused')).said, /^⚠️ The model does not take the setting seed as it is/);
    await run('refused', 'settings set frequency_penalty 1.5');
    await run('refused', 'settings clear seed');
    assert.match((await ask('refused')).said, /^⚠️ The model does not take the setting frequency_penalty as it is/);
    await run('refused', 'settings clear frequency_penalty');
    assert.match((await ask('refused')).said, /^answer \d+$/);
  });

  test('an unknown model is taken back, people are told, and the answer after that is given', async () => {
    const set = await run('unknown', 'settings set model gpt-imaginary');
    assert.match(set.text ?? '', /If the chat API does not know it, I take it back at the next question\.$/);
    const id = say(program, 'Hello?', { channel: 'unknown' });
    assert.match((await program.ending(id)).text ?? '', /^⚠️ The chat API does not know the model “gpt-imaginary”/);
    const told = await program.line((line) => line.id === id && line.key === 'undone');
    assert.equal(told.text, '⚙️ There is no model “gpt-imaginary”, so I took that setting back; gpt-4o answers again.');
    assert.equal((await ask('unknown')).body.model, 'gpt-4o');
    assert.match((await run('unknown', 'memory show')).text ?? '', /I took back the unknown model gpt-imaginary/);
  });

  test('listen all is announced to everybody, and what is overheard is remembered from then on', async () => {
    const overhear = async (text: string): Promise<void> => {
      const id = say(program, text, { channel: 'ears', to: 'none' });
      await program.line((line) => line.id === id && ['accepted', 'ignored'].includes(line.type));
    };
    await overhear('The code is zebra.');
    const set = await run('ears', 'settings set listen all');
    assert.equal(set.private, false);
    assert.match(set.text ?? '', /From now on I remember everything that is said/);
    await overhear('The code is tapir.');
    const sent = JSON.stringify((await ask('ears')).body);
    assert.match(sent, /tapir/);
    assert.doesNotMatch(sent, /zebra/);
    const clear = await run('ears', 'settings clear listen');
    assert.equal(clear.private, false);
    await overhear('The code is okapi.');
    assert.doesNotMatch(JSON.stringify((await ask('ears')).body), /okapi/);
  });
});

test('settings hold after a restart, a thread’s before its channel’s before the workspace’s', async () => {
  for (const { name, typed } of cases) await run('kept', `settings set ${name} ${typed}`);
  await run('layers', 'settings set workspace.temperature 0.1');
  await run('layers', 'settings set workspace.seed 1');
  await run('layers', 'settings set workspace.top_p 0.5');
  await run('layers', 'settings set temperature 0.2');
  await run('layers', 'settings set seed 2');
  await run('layers', 'settings set temperature 0.3', { thread: 't' });
  await restart();
  const kept = (await ask('kept')).body;
  for (const { wire, sent } of cases) assert.deepEqual(kept[wire], sent, wire);

  const three = ({ temperature, seed, top_p }: Record<string, unknown>) => [temperature, seed, top_p];
  assert.deepEqual(three((await ask('layers', { thread: 't' })).body), [0.3, 2, 0.5]);
  assert.deepEqual(three((await ask('layers')).body), [0.2, 2, 0.5]);
  assert.deepEqual(three((await ask('elsewhere')).body), [0.1, 1, 0.5]);
  const { text = '' } = await run('layers', 'settings show', { thread: 't' });
  assert.match(text, /`temperature {7}` 0\.3 \(set for this thread\)/);
  assert.match(text, /`seed {14}` 2 \(set for this channel\)/);
  assert.match(text, /`top_p {13}` 0\.5 \(set for this workspace\)/);
  assert.match((await run('elsewhere', 'memory show')).text ?? '', /Ann set top_p to 0\.5 for the workspace/);

  await run('elsewhere', 'settings clear workspace.temperature');
  const { temperature } = (await ask('elsewhere')).body;
  assert.equal(temperature, undefined);
  assert.equal((await ask('layers')).body.temperature, 0.2);
  await run('layers', 'settings clear temperature', { thread: 't' });
  assert.equal((await ask('layers', { thread: 't' })).body.temperature, 0.2);
  await run('elsewhere', 'settings set workspace.model gpt-imaginary');
  await ask('elsewhere');
  assert.equal((await ask('elsewhere')).body.model, 'gpt-4o');
});
