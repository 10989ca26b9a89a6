import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import { toChannelId } from '../../src/event.ts';
import { type CallRun, runCalls } from '../../src/tools/run-calls.ts';
import { defineTool, type Tool } from '../../src/tools/tool.ts';

const channel = toChannelId({ platform: 't', workspace: 'w', channel: 'room' });

const double = defineTool({
  name: 'double',
  description: 'Twice a number',
  schema: z.object({ x: z.number(), label: z.string().optional() }),
  run: async ({ x }) => String(2 * x),
});

function toolThat(name: string, run: Tool['run']): Tool {
  return { name, description: '', parameters: {}, run };
}

async function call(tool: Tool, text: string, more: Partial<CallRun> = {}): Promise<string> {
  const warnings: unknown[] = [];
  const log = { debug() {}, warn: (fields: unknown) => void warnings.push(fields) };
  const run: CallRun = { tools: [tool], channel, signal: new AbortController().signal, log, now: () => 0, ...more };
  const [result] = await runCalls([{ id: 'a', name: tool.name, arguments: text }], run);
  assert.equal(result?.id, 'a');
  return result.content;
}

const throwing = (error: unknown): Tool => toolThat('broken', () => Promise.reject(error));

test('whatever is wrong with a call comes back as something that the model can act on', async () => {
  assert.equal(await call(double, '{"x": 21}'), '42');
  assert.match(await call(double, '{"x": 21'), /^Error: the arguments are no valid JSON. They were: "\{\\"x\\": 21"$/);
  assert.match(await call(double, '{"x": "many"}'), /^Error: wrong arguments: x: .*number/);
  assert.match(await call(double, ''), /^Error: wrong arguments: x: /);
  assert.match(await call(double, '[1]'), /^Error: wrong arguments: .*object/);
  assert.match(
    await call(throwing(new BotError('input', 'there is no place called Xyz')), '{}'),
    /^Error: there is no place called Xyz$/,
  );
  assert.doesNotMatch(await call(throwing(new Error('password=hunter2')), '{}'), /hunter2/);
  assert.doesNotMatch(await call(throwing('what is this'), '{}'), /what is this/);
  assert.match(
    await call(
      toolThat('quiet', async () => ' \n'),
      '{}',
    ),
    /returned nothing/,
  );
  assert.match(await call(double, '{"x": 1}', { cut: true }), /cut this call off/);
});

test('an unknown name is answered with the known ones', async () => {
  const run = { tools: [double], channel, signal: new AbortController().signal, log: { debug() {}, warn() {} } };
  const calls = [{ id: 'a', name: 'dubble"}<x>', arguments: '{}' }];
  const [result] = await runCalls(calls, { ...run, now: () => 0 });
  assert.equal(result?.content, 'Error: there is no tool "dubble\\"}<x>". There is: double.');
});

test('what a tool itself cannot read is not blamed on the arguments', async () => {
  const reader = defineTool({
    name: 'reader',
    description: '',
    schema: z.object({}),
    run: async () => z.string().parse(42),
  });
  assert.match(await call(reader, '{}'), /^Error: it failed/);
});

test('several calls run side by side, and each has its own time', async () => {
  const waiting: (() => void)[] = [];
  const meet = toolThat('meet', () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.push(() => resolve('met'));
    if (waiting.length === 3) for (const go of waiting) go();
    return promise;
  });
  let aborted = false;
  const deaf = toolThat('deaf', async (_, { signal }) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return await new Promise<never>(() => undefined);
  });
  const calls = ['meet', 'deaf', 'meet', 'meet'].map((name, n) => ({ id: `c${n}`, name, arguments: '{}' }));
  const run = { tools: [meet, deaf], channel, log: { debug() {}, warn() {} }, now: () => 0, limitMs: 30 };
  const results = await runCalls(calls, { ...run, signal: new AbortController().signal });
  assert.deepEqual(
    results.map((result) => result.content.slice(0, 30)),
    ['met', 'Error: it took longer than 1 s', 'met', 'met'],
  );
  assert.ok(aborted, 'a tool is told that its time is over');
});

test('whoever ends the answer ends what it called, and nothing is made of it', async () => {
  const stop = new AbortController();
  const deaf = toolThat('deaf', () => {
    queueMicrotask(() => stop.abort(new BotError('stopped', 'stopped by Ann')));
    return new Promise<never>(() => undefined);
  });
  await assert.rejects(call(deaf, '{}', { signal: stop.signal }), { kind: 'stopped' });
  await assert.rejects(call(double, '{"x":1}', { signal: stop.signal }), { kind: 'stopped' });
});

test('ten megabytes become a beginning and a word of it, without control characters', async () => {
  const big = toolThat('big', async () => `\u0000\u001b[31m${'x'.repeat(10_000_000)}`);
  const content = await call(big, '{}');
  assert.ok(content.length < 25_000);
  assert.match(content, /^\[31mx+\n\[The result had 10,000,006 characters; these are the first\.\]$/);
});

test('more calls at once than anybody needs are refused', async () => {
  let ran = 0;
  const count = toolThat('count', async () => String(++ran));
  const calls = Array.from({ length: 500 }, (_, n) => ({ id: `c${n}`, name: 'count', arguments: '{}' }));
  const run = { tools: [count], channel, log: { debug() {}, warn() {} }, now: () => 0 };
  const results = await runCalls(calls, { ...run, signal: new AbortController().signal });
  assert.equal(ran, 16);
  assert.equal(results.length, 500);
  assert.match(results.at(-1)?.content ?? '', /at most 16 calls at once/);
});
