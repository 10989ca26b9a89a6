import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelEvent, ModelRequest } from '../../src/model/model.ts';
import { type Answer, type ChatRequest, failure, refusedParameter } from '../sim/model-answer.ts';
import { listen, toRequest } from './model.ts';
import { setUp } from './model-setup.ts';

/** Tools on the wire of the chat API. */

const tools = [
  { name: 'weather', description: 'The weather in a place', parameters: { type: 'object', properties: {} } },
  { name: 'now', description: '', parameters: {} },
];

const history: ModelRequest['messages'] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Oslo?' },
  {
    role: 'assistant',
    content: 'Let me see.',
    toolCalls: [{ id: 'a', name: 'weather', arguments: '{"place":"Oslo"}' }],
  },
  { role: 'tool', callId: 'a', content: '7 degrees' },
];

const callsOf = (events: ModelEvent[]) => events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));

const choices = (requests: readonly ChatRequest[]) =>
  requests.map(({ body }) => [Array.isArray(body.tools) ? body.tools.length : undefined, body.tool_choice]);

test('tools go out as the API has them, with what is forced or forbidden', async () => {
  await using setup = await setUp(() => 'yes');
  for (const toolChoice of ['auto', 'none', { name: 'now' }] as const) {
    await listen(setup.model, toRequest({ tools, toolChoice }));
  }
  const [first] = setup.server.requests;
  const sent = first?.body.tools;
  assert.ok(Array.isArray(sent));
  assert.deepEqual(sent[0], {
    type: 'function',
    function: {
      name: 'weather',
      description: 'The weather in a place',
      parameters: { type: 'object', properties: {} },
    },
  });
  assert.deepEqual(choices(setup.server.requests), [
    [2, undefined],
    [2, 'none'],
    [2, { type: 'function', function: { name: 'now' } }],
  ]);
});

test('several calls come whole from their fragments, with the text before them, whatever the server says at the end', async () => {
  for (const finish of ['tool_calls', 'stop']) {
    const calls = [
      { id: 'x', name: 'weather', arguments: '{"place": "Trondheim, Norway"}' },
      { id: 'y', name: 'now', arguments: '' },
    ];
    await using setup = await setUp(() => ({ text: 'Let me see.', calls, finish }));
    const { events, text } = await listen(setup.model, toRequest({ tools }));
    assert.equal(text, 'Let me see.');
    assert.deepEqual(callsOf(events), calls);
    const end = events.at(-1);
    assert.ok(end?.type === 'end' && end.finish === 'tool_calls');
  }
});

/** What servers that take no tools are known to answer. */
const refusals: Record<string, Answer> = {
  OpenAI: refusedParameter('tools'),
  Ollama: failure(400, { message: 'registry.ollama.ai/library/gemma:2b does not support tools', type: 'api_error' }),
  OpenRouter: { status: 404, body: { error: { message: 'No endpoints found that support tool use.', code: 404 } } },
  vLLM: failure(400, {
    message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    type: 'BadRequestError',
  }),
  Gemini: failure(400, { message: 'Function calling is not enabled for models/gemma-3', type: 'INVALID_ARGUMENT' }),
};

for (const [server, refusal] of Object.entries(refusals)) {
  test(`a server that takes no tools (as ${server} says it) is asked without them, and the log tells once`, async () => {
    await using setup = await setUp(({ body }) => (body.tools === undefined ? 'Seven degrees.' : refusal));
    for (const _ of [1, 2]) {
      const { text, error } = await listen(setup.model, toRequest({ tools, messages: history }));
      assert.equal(error, undefined);
      assert.equal(text, 'Seven degrees.');
    }
    assert.equal(setup.server.requests.length, 3);
    const roles = setup.server.requests[2]?.messages.map((message) => [message.role, message.text]);
    assert.deepEqual(roles?.slice(2), [
      ['assistant', 'Let me see.\n[weather {"place":"Oslo"}]'],
      ['user', '7 degrees'],
    ]);
    assert.equal(JSON.stringify(setup.lines).match(/takes no tools/g)?.length, 1);
  });
}

test('one that cannot be told what to call is not told; where nothing may be called it is offered nothing', async () => {
  await using setup = await setUp(({ body }) =>
    body.tool_choice === undefined ? 'yes' : refusedParameter('tool_choice'),
  );
  for (const toolChoice of [{ name: 'now' }, 'none'] as const)
    await listen(setup.model, toRequest({ tools, toolChoice }));
  assert.deepEqual(choices(setup.server.requests), [
    [2, { type: 'function', function: { name: 'now' } }],
    [2, undefined],
    [undefined, undefined],
  ]);
});

test('other refusals are no refusal of tools', async () => {
  await using setup = await setUp(() =>
    failure(400, { message: 'temperature is not supported here', param: 'temperature' }),
  );
  const { error } = await listen(setup.model, toRequest({ tools, settings: { temperature: 1 } }));
  assert.match(error?.message ?? '', /temperature/);
  assert.equal(setup.server.requests.length, 1);
});
