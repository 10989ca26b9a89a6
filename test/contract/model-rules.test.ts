import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toChannelId } from '../../src/event.ts';
import type { ChatMessage, ModelRequest } from '../../src/model/model.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { type Answer, type ChatRequest, failure, refusedParameter } from '../sim/model-answer.ts';
import {
  alternating,
  alwaysThinkingModel,
  templateErrors,
  thinkingModel,
  userAndAssistantOnly,
} from '../sim/model-rules.ts';
import { message, person, room, startCore, type TestCore } from './core.ts';
import { chatter, goodSummary } from './memory-talk.ts';
import { listen, toRequest } from './model.ts';
import { type Setup, setUp } from './model-setup.ts';

/** Servers with rules of their own: what they refuse once is put in another way from then on. */

const spec = (name: string) => ({
  name,
  description: `What ${name} does`,
  parameters: { type: 'object', properties: {} },
});

function toTool(name: string): Tool {
  return { ...spec(name), run: async () => `${name} has run` };
}

function toolNames({ body }: ChatRequest): string[] {
  const tools: unknown[] = Array.isArray(body.tools) ? body.tools : [];
  return tools.map((tool) => /"name":"([^"]*)"/.exec(JSON.stringify(tool))?.[1] ?? '');
}

/** The whole core before the server, which may call tools. */
async function startBefore(
  t: { after(run: () => Promise<void>): void },
  setup: Setup,
  model: string,
  env: Record<string, string> = {},
): Promise<TestCore> {
  const tools = [toTool('current_time'), toTool('look_up')];
  const core = await startCore({
    model: { ...setup.model, requests: [], answers: () => [] },
    env: { STORE_URL: 'memory:', LISTEN: 'all', ...env },
    toolbox: { offered: async () => tools, names: () => tools.map(({ name }) => name) },
    profile: { model },
  });
  t.after(() => core.stop());
  return core;
}

/** Calls a tool every third time, then answers. */
function talkative(request: ChatRequest): Answer {
  if (request.messages.some(({ text }) => text.includes('write the summary') || text.includes('transcript'))) {
    return { text: goodSummary };
  }
  const isAsked = request.messages.at(-1)?.role === 'user' && request.body.tools !== undefined;
  if (isAsked && request.n % 3 === 0) return { calls: [{ name: 'look_up', arguments: '{}' }] };
  return { text: `Reply ${request.n}, briefly.` };
}

describe('a model that thinks', () => {
  for (const name of ['gpt-6-luna', 'a-thinker-behind-a-gateway']) {
    test(`${name} keeps its tools through a dialogue of forty questions`, async (t) => {
      await using setup = await setUp((request) => thinkingModel(request) ?? talkative(request));
      const core = await startBefore(t, setup, name);
      for (let n = 0; n < 40; n++) {
        const { answer } = await core.send(message(n, `Question ${n}?`));
        assert.match(answer ?? '', /^Reply/);
      }
      const asked = setup.server.requests.filter((request) => thinkingModel(request) === undefined);
      assert.ok(asked.length > 40);
      for (const request of asked) assert.deepEqual(toolNames(request), ['current_time', 'look_up']);
      assert.ok(asked.some(({ messages }) => messages.some(({ text }) => text.includes('look_up has run'))));
      assert.ok(setup.server.requests.length - asked.length <= 2, 'a refusal is met once');
      assert.doesNotMatch(JSON.stringify(setup.lines), /takes no tools/);
    });
  }

  test('OpenAI’s own is told not to think from the start, and only beside tools', async () => {
    await using setup = await setUp((request) => thinkingModel(request) ?? 'yes');
    const tools = [spec('now')];
    for (const model of ['gpt-5.4-mini', 'openai/gpt-5.6-luna', 'gpt-6-luna', 'gpt-5.10']) {
      await listen(setup.model, toRequest({ model, tools }));
      await listen(setup.model, toRequest({ model }));
    }
    const efforts = setup.server.requests
      .filter(({ body }) => !('max_tokens' in body))
      .map(({ body }) => [body.tools !== undefined, body.reasoning_effort]);
    assert.deepEqual(
      efforts,
      [1, 2, 3, 4].flatMap(() => [
        [true, 'none'],
        [false, undefined],
      ]),
    );
  });

  test('others are not told so', async () => {
    await using setup = await setUp(() => 'yes');
    for (const model of ['gpt-5', 'gpt-5.3-chat', 'gpt-4o', 'gpt-oss:20b', 'gemma'])
      await listen(setup.model, toRequest({ model, tools: [spec('now')] }));
    for (const { body } of setup.server.requests) assert.ok(!('reasoning_effort' in body));
  });

  test('one that cannot be told so answers without tools', async () => {
    await using setup = await setUp((request) => alwaysThinkingModel(request) ?? 'Seven degrees.');
    for (const model of ['gpt-6-astra', 'an-unknown-thinker']) {
      for (const _ of [1, 2]) {
        const { text } = await listen(setup.model, toRequest({ model, tools: [spec('now')] }));
        assert.equal(text, 'Seven degrees.');
      }
    }
    assert.equal(JSON.stringify(setup.lines).match(/takes no tools/g)?.length, 2, 'once a model');
  });
});

describe('a server that wants user and assistant to take turns', () => {
  for (const [who, say] of Object.entries(templateErrors)) {
    test(`with the words of ${who}: a channel of many people, its summaries, recall and threads are answered`, async (t) => {
      const rule = alternating(say);
      await using setup = await setUp((request) => rule(request) ?? talkative(request));
      const core = await startBefore(t, setup, 'strict-model', { MEMORY_TOKENS: '2500' });
      await core.send(message(0, 'The wifi password of the boathouse is kumquat-77.', { author: person('Ben') }));
      for (let n = 1; n < 45; n++) {
        const to = n % 3 === 0 ? 'mention' : 'none';
        const { answer } = await core.send(message(n, chatter(n, 60), { to, author: person(n % 2 ? 'Ann' : 'Ben') }));
        if (to === 'mention') assert.match(answer ?? '', /^Reply/);
      }
      const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'one' });
      for (const [n, channel] of [room, thread].entries()) {
        const more = { channel, ...(channel === thread && { branchedFrom: 'm30' }) };
        const { answer } = await core.send(message(100 + n, 'What was the wifi password of the boathouse?', more));
        assert.match(answer ?? '', /^Reply/);
      }
      const taken = setup.server.requests.filter((request) => rule(request) === undefined);
      assert.equal(setup.server.requests.length - taken.length, 1, 'it is learnt once');
      const all = taken.flatMap(({ messages }) => messages.map(({ text }) => text)).join('\n');
      assert.match(all, /<channel_summary/);
      assert.match(all, /<channel_recall/);
      assert.match(all, /look_up has run/);
      const recalled = taken.flatMap(({ messages }) => messages).filter(({ text }) => text.includes('<channel_recall'));
      assert.ok(
        recalled.some(({ text }) => /kumquat[\s\S]*What was the wifi password/.test(text)),
        'in one message',
      );
      assert.ok(taken.every((request) => request.body.tools !== undefined || request.messages.length === 2));
    });
  }

  test('one that knows no other roles gets the role with the first message, and calls in words', async () => {
    for (const say of [templateErrors['llama.cpp'], templateErrors.vLLM]) {
      assert.ok(say);
      const rule = userAndAssistantOnly(say);
      await using setup = await setUp((request) => rule(request) ?? 'Seven degrees.');
      const messages: ModelRequest['messages'] = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Oslo?' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'weather', arguments: '{}' }] },
        { role: 'tool', callId: 'a', content: '7 degrees' },
      ];
      for (const expected of [3, 4]) {
        const { text } = await listen(setup.model, toRequest({ tools: [spec('weather')], messages }));
        assert.equal(text, 'Seven degrees.');
        assert.equal(setup.server.requests.length, expected);
      }
      assert.deepEqual(
        setup.server.requests.at(-1)?.messages.map(({ role, text }) => [role, text]),
        [
          ['user', 'Be brief.\n\nOslo?'],
          ['assistant', '[weather {}]'],
          ['user', '7 degrees'],
        ],
      );
    }
  });

  test('neighbours are joined with their images, and a user begins', async () => {
    const say = templateErrors.vLLM;
    assert.ok(say);
    const rule = alternating(say);
    await using setup = await setUp((request) => rule(request) ?? 'yes');
    const image: ChatMessage = {
      role: 'user',
      content: [
        { type: 'text', text: 'and this?' },
        { type: 'image', url: 'data:image/png;base64,AA==' },
      ],
    };
    const messages: ChatMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'assistant', content: 'Welcome.' },
      { role: 'user', content: 'What is that' },
      image,
    ];
    assert.equal((await listen(setup.model, toRequest({ messages }))).text, 'yes');
    const sent = setup.server.requests.at(-1)?.messages.slice(1);
    assert.deepEqual(
      sent?.map(({ role }) => role),
      ['user', 'assistant', 'user'],
    );
    assert.equal(sent?.[1]?.text, 'Hello.\n\nWelcome.');
    assert.deepEqual(sent?.[2]?.raw.content, [
      { type: 'text', text: 'What is that' },
      { type: 'text', text: 'and this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
    ]);
  });

  test('one that refuses every form is not asked for ever', async () => {
    const say = templateErrors.vLLM;
    assert.ok(say);
    await using setup = await setUp(() => say('Conversation roles must alternate user/assistant/user/assistant/...'));
    const { error } = await listen(setup.model, toRequest({ tools: [spec('now')] }));
    assert.equal(error?.kind, 'model');
    assert.match(error.message, /form it is sent/);
    assert.equal(setup.server.requests.length, 4);
  });
});

const bad = 'wiki_search';
const offered = ['now', 'weather', bad, 'dice', 'files_read', 'files_list', 'music'].map(spec);

/** What servers are known to say of one tool among others; they tell its place, its name, or neither. */
const oneTool: Record<string, (at: number) => Answer> = {
  'OpenAI, of its schema': (at) =>
    failure(400, {
      message: `Invalid schema for function '${bad}': In context=('properties', 'q'), array schema missing items.`,
      type: 'invalid_request_error',
      param: `tools[${at}].function.parameters`,
      code: 'invalid_function_parameters',
    }),
  'OpenAI, of its description': (at) =>
    failure(400, {
      message: `Invalid 'tools[${at}].function.description': string too long.`,
      type: 'invalid_request_error',
      param: `tools[${at}].function.description`,
      code: 'string_above_max_length',
    }),
  Anthropic: (at) =>
    failure(400, { message: `tools.${at}.custom.input_schema: JSON schema is invalid`, type: 'invalid_request_error' }),
  Gemini: (at) =>
    failure(400, {
      message: `* GenerateContentRequest.tools[0].function_declarations[${at}].parameters.properties: should be non-empty for OBJECT type`,
      type: 'INVALID_ARGUMENT',
    }),
  FastAPI: (at) => ({
    status: 422,
    body: { detail: [{ loc: ['body', 'tools', at, 'function', 'parameters'], msg: 'Input should be an object' }] },
  }),
  'a server that names it': () => failure(400, { message: `the function "${bad}" has no usable parameters` }),
  'a server with a code for it': () =>
    failure(400, { message: 'oneOf is not supported in tools', code: 'invalid_function_parameters' }),
  'a server that names none': () => failure(400, { message: 'Invalid JSON schema', type: 'invalid_request_error' }),
  'a server that names tools': () =>
    failure(400, { message: 'bad value', param: 'tools', code: 'invalid_value', type: 'invalid_request_error' }),
};

describe('a tool with a schema that the server refuses', () => {
  for (const [who, refusal] of Object.entries(oneTool)) {
    test(`as ${who} says it: that tool goes, the others stay, and every question is answered`, async () => {
      await using setup = await setUp((request) => {
        const at = toolNames(request).indexOf(bad);
        return at >= 0 ? refusal(at) : 'Seven degrees.';
      });
      for (let n = 0; n < 6; n++) {
        assert.equal((await listen(setup.model, toRequest({ tools: offered }))).text, 'Seven degrees.');
      }
      const last = setup.server.requests.at(-1);
      assert.ok(last);
      assert.deepEqual(
        toolNames(last),
        offered.map(({ name }) => name).filter((name) => name !== bad),
      );
      assert.ok(setup.server.requests.length <= 6 + 4, 'few requests in vain');
      const told = setup.lines.filter(({ message: line }) => /refuses this tool/.test(line));
      assert.deepEqual(
        told.map(({ fields }) => 'tool' in fields && fields.tool),
        [bad],
      );
      assert.doesNotMatch(JSON.stringify(setup.lines), /takes no tools/);
    });
  }

  test('two of them, named by nobody, are both found', async () => {
    const worse = new Set([bad, 'music']);
    const refusal = oneTool['a server that names none'];
    assert.ok(refusal);
    await using setup = await setUp((request) =>
      toolNames(request).some((name) => worse.has(name)) ? refusal(0) : 'yes',
    );
    for (let n = 0; n < 10; n++) assert.equal((await listen(setup.model, toRequest({ tools: offered }))).text, 'yes');
    const last = setup.server.requests.at(-1);
    assert.ok(last);
    assert.deepEqual(
      toolNames(last),
      offered.map(({ name }) => name).filter((name) => !worse.has(name)),
    );
  });

  test('it is offered again once it is described differently', async () => {
    await using setup = await setUp((request) =>
      JSON.stringify(request.body.tools).includes('old words')
        ? failure(400, { message: `Invalid schema for function '${bad}'` })
        : 'yes',
    );
    const old = { ...spec(bad), description: 'old words' };
    await listen(setup.model, toRequest({ tools: [spec('now'), old], toolChoice: { name: bad } }));
    await listen(setup.model, toRequest({ tools: [spec('now'), spec(bad)], toolChoice: { name: bad } }));
    const [, without, again] = setup.server.requests;
    assert.ok(without && again);
    assert.deepEqual([toolNames(without), without.body.tool_choice], [['now'], undefined]);
    assert.deepEqual(toolNames(again), ['now', bad]);
  });

  test('where all of thirty are refused, the answer comes after a bounded number of tries', async () => {
    const tools = Array.from({ length: 30 }, (_, n) => spec(`tool_${n}`));
    await using setup = await setUp((request) =>
      request.body.tools === undefined ? 'yes' : failure(400, { message: 'x', param: 'tools[0].function.parameters' }),
    );
    assert.equal((await listen(setup.model, toRequest({ tools }))).text, 'yes');
    assert.ok(setup.server.requests.length <= 15);
  });

  test('a server that knows no tools at all is not searched for the wrong one', async () => {
    const answers = [
      refusedParameter('tools'),
      { status: 422, body: { detail: [{ loc: ['body', 'tools'], msg: 'Extra inputs are not permitted' }] } },
      failure(400, { message: 'unknown field "tools"' }),
    ];
    for (const answer of answers) {
      await using setup = await setUp((request) => (request.body.tools === undefined ? 'yes' : answer));
      assert.equal((await listen(setup.model, toRequest({ tools: offered }))).text, 'yes');
      assert.equal(setup.server.requests.length, 2);
    }
  });
});
