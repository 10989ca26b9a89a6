import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { pageId, pageKind } from '../../src/conversation/page.ts';
import { toChannelId } from '../../src/event.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { defineTool } from '../../src/tools/tool.ts';
import type { Toolbox } from '../../src/tools/toolbox.ts';
import { command, message, room, type SaidAtLength, scriptedModel, startCore, type TestCore } from './core.ts';
import { contentOf, goodSummary, say, talk, textOf } from './memory-talk.ts';

/** Recall where answers are written again, break off, take several rounds, or what they rest on goes. */

const fact = 'The wifi password of the boathouse is kumquat-77.';
const question = 'What was the wifi password of the boathouse?';
const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'x' });

function recallOf(request: ModelRequest | undefined): string | undefined {
  return request?.messages.map(contentOf).find((text) => text.startsWith('<channel_recall'));
}

function markerOf(request: ModelRequest): string {
  const line = recallOf(request)
    ?.split('\n')
    .find((one) => one.includes('kumquat-77'));
  return /^\[m\d+\]/.exec(line ?? '')?.[0] ?? '[m99]';
}

interface Options {
  /** To a question that comes with what was recalled. */
  answer(marker: string, request: ModelRequest): string | SaidAtLength;
  summary?: string;
  env?: Record<string, string>;
  toolbox?: Toolbox;
  store?: Store;
}

/** Said by Ben, answered, and folded away. */
async function startLongAgo(t: { after(run: () => Promise<void>): void }, options: Options): Promise<TestCore> {
  let marker: string | undefined;
  const model = scriptedModel((request, n) => {
    if (request.purpose === 'fold') return options.summary ?? goodSummary;
    const newest = request.messages.findLast((one) => one.role === 'user');
    if (!contentOf(newest).endsWith(question)) return `Reply ${n}, briefly.`;
    if (recallOf(request) !== undefined) marker = markerOf(request);
    return marker === undefined ? 'I do not know.' : options.answer(marker, request);
  });
  const env = { STORE_URL: 'memory:', MEMORY_TOKENS: '2000', ...options.env };
  const core = await startCore({
    model,
    env,
    ...(options.toolbox && { toolbox: options.toolbox }),
    ...(options.store && { store: options.store }),
  });
  t.after(() => core.stop());
  await say(core, 1, fact, 'Ben');
  await talk(core, 2, 40);
  return core;
}

test('a retry is given what was given before, and not the answer that it replaces', async (t) => {
  let n = 0;
  const answer = (marker: string) => `Attempt ${++n} at the boathouse wifi password: ${marker}`;
  const core = await startLongAgo(t, { answer });
  await say(core, 100, question);
  const first = recallOf(core.model.answers().at(-1));
  await core.send(command(101, 'retry'));
  assert.match(first ?? '', /kumquat/);
  assert.equal(recallOf(core.model.answers().at(-1)), first);
  assert.equal(n, 2);
});

test('later prompts say whom an answer cites and leave out the addresses', async (t) => {
  const core = await startLongAgo(t, { answer: (marker) => `It is the fruit with a number ${marker}.` });
  const { answer } = await say(core, 100, question);
  assert.equal(answer, 'It is the fruit with a number ([Ben, 3 Nov](test://t/w/room/m1)).');
  await say(core, 101, 'So?');
  const request = core.model.answers().at(-1);
  assert.equal(contentOf(request?.messages.at(-2)), 'It is the fruit with a number (Ben, 3 Nov).');
  assert.doesNotMatch(textOf(request), /test:\/\//);
  await talk(core, 102, 140);
  assert.doesNotMatch(core.model.requests.map(textOf).join(), /test:\/\//, 'nor do folds');
  const { text } = (await core.send(command(200, 'memory search fruit number'))).notices[0] ?? {};
  assert.match(text ?? '', /It is the fruit with a number \(Ben, 3 Nov\)\./);
});

test('an answer goes with what it cites, in whatever words; in a thread, too', async (t) => {
  const core = await startLongAgo(t, { answer: (marker) => `It is the fruit, then twice a seven ${marker}.` });
  await talk(core, 41, 45);
  await say(core, 100, question);
  await core.send(message(101, question, { channel: thread, branchedFrom: 'm45' }));
  await say(core, 102, 'Thank you for that.');
  assert.match(textOf(core.model.answers().at(-1)), /twice a seven/);
  await core.send({ kind: 'delete', id: 'x1', channel: room, at: core.now(), messageIds: ['m1'], origin: {} });
  await say(core, 103, 'And now?');
  await core.send(message(104, 'And now?', { channel: thread }));
  for (const request of core.model.answers().slice(-2)) assert.doesNotMatch(textOf(request), /twice a seven/);
  for (const n of [103, 104]) assert.doesNotMatch(core.outcomes.get(`e${n}`)?.answer ?? '', /seven/);
});

test('half a marker at the end of an answer that breaks off is not shown', async (t) => {
  const answer = (marker: string): SaidAtLength => ({
    text: `It is a fruit ${marker} and ${marker.slice(0, -1)}`,
    finish: 'length',
  });
  const core = await startLongAgo(t, { answer });
  const { answer: shown } = await say(core, 100, question);
  assert.match(shown ?? '', /^It is a fruit \(\[Ben, 3 Nov\]\(test:\/\/t\/w\/room\/m1\)\) and \n\n✂️/);
});

test('what was recalled can be cited after tools were called, though their results need its room', async (t) => {
  const tool = defineTool({
    name: 'lookup',
    description: 'Looks something up.',
    schema: z.object({}),
    run: async () => Array.from({ length: 400 }, (_, n) => `w${n * 7919}`).join(' '),
  });
  const toolbox: Toolbox = { offered: async () => [tool], names: () => [tool.name] };
  const answer = (marker: string, request: ModelRequest): SaidAtLength => {
    const rounds = request.messages.filter((one) => one.role === 'tool').length;
    return {
      text: `Round ${rounds} ${marker}. `,
      ...(rounds < 3 && { calls: [{ id: `c${rounds}`, name: 'lookup', arguments: '{}' }] }),
    };
  };
  const core = await startLongAgo(t, { answer, toolbox, env: { RECALL_TOKENS: '400' } });
  const { answer: shown = '' } = await say(core, 100, question);
  assert.equal(shown.match(/\(\[Ben, 3 Nov\]\(test:\/\/t\/w\/room\/m1\)\)/g)?.length, 4, shown);
  assert.doesNotMatch(shown, /\[m\d/);
  const last = core.model.answers().at(-1);
  assert.equal(recallOf(last), undefined, 'else the test shows nothing');
  const { recalled } = await core.views.inspect(room);
  assert.deepEqual(
    recalled.filter((one) => one.cited).map((one) => one.text),
    [fact],
  );
});

test('a version that is chosen again brings back what it cited', async (t) => {
  let n = 0;
  const answer = (marker: string) => (++n === 1 ? `The fruit ${marker}.` : 'No idea.');
  const core = await startLongAgo(t, { answer });
  await say(core, 100, question);
  await core.send(command(101, 'retry'));
  const cited = async () => (await core.views.inspect(room)).recalled.filter((one) => one.cited).length;
  assert.equal(await cited(), 0);
  await core.send(command(102, 'alternatives choose 1'));
  assert.equal(await cited(), 1);
});

test('what a channel put away is not told in its threads as what was recalled there', async (t) => {
  const core = await startLongAgo(t, { answer: (marker) => `The fruit ${marker}.` });
  await talk(core, 41, 45);
  await core.send(message(100, question, { channel: thread, branchedFrom: 'm45' }));
  assert.equal((await core.views.inspect(thread)).recalled.filter((one) => one.cited).length, 1);
  await core.send(command(101, 'reset'));
  assert.deepEqual((await core.views.inspect(thread)).recalled, []);
});

test('while no summary can be written, what the prompt leaves out is found again all the same', async (t) => {
  const core = await startLongAgo(t, { answer: (marker) => `The fruit ${marker}.`, summary: 'Too short.' });
  const { answer } = await say(core, 100, question);
  const request = core.model.answers().at(-1);
  assert.match(textOf(request), /Older messages of this channel are left out here/);
  assert.match(recallOf(request) ?? '', /kumquat/);
  assert.match(answer ?? '', /^The fruit \(\[Ben, 3 Nov\]/);
});

test('a page that cannot be read any more costs what stood there, and the memory is shown all the same', async (t) => {
  const backend = createMemoryBackend();
  const core = await startLongAgo(t, { answer: (marker) => `The fruit ${marker}.`, store: createStore(backend) });
  await say(core, 100, question);
  await backend.setMany([{ key: `${pageKind.name}:${pageId(room, 1, 0)}`, value: 'rubbish' }]);
  const shown = (await core.send(command(101, 'memory show'))).notices[0]?.text ?? '';
  assert.match(shown, /What I remember here/);
  assert.doesNotMatch(shown, /kumquat/);
});

test('code that somebody posted does not swallow the rest of what a search found', async (t) => {
  const core = await startLongAgo(t, { answer: () => 'Yes.' });
  await say(core, 100, 'The script of the tulips:\n```sh\nwater tulips', 'Ben');
  await say(core, 101, 'The tulips again', 'Ben');
  const { text = '' } = (await core.send(command(102, 'memory search tulips'))).notices[0] ?? {};
  assert.match(text, /The script of the tulips: '''sh water tulips/);
  assert.doesNotMatch(text, /`/);
});

test('an answer that the platform did not take is found, and nobody is sent to where it is not', async (t) => {
  const core = await startLongAgo(t, { answer: () => 'Yes.' });
  core.refuseWrites();
  await say(core, 100, 'Tell me of the tulips.');
  const { text = '' } = (await core.send(command(101, 'memory search reply briefly'))).notices[0] ?? {};
  assert.match(text, /\n\*\*my answer\*\*, 2026-11-03 12:\d\d: Reply/);
  assert.match(text, /\n\*\*my answer\*\*, \[2026-11-03 12:\d\d\]\(test:/);
});

test('what may be recalled is reserved, so that no budget is passed because of it', async (t) => {
  const env = { RECALL_TOKENS: '1000', MEMORY_TOKENS: '6000', MEMORY_HIGH: '800' };
  const core = await startLongAgo(t, { answer: () => 'Yes.', env });
  const { tail } = await core.memory.conversations.read(room);
  const asked = tail.findLast((turn) => turn.role === 'user');
  assert.ok(asked);
  const held = await core.memory.reserve(
    { channel: room, person: 'id-Ann' },
    await core.memory.profiles.of(room),
    asked,
  );
  held.release();
  await say(core, 100, 'Which harbour, lantern, meadow, violin and glacier was that?');
  const sent = core.model.answers().at(-1);
  assert.ok((recallOf(sent) ?? '').length > 2000, 'enough to make a difference');
  assert.ok((sent?.promptTokens ?? 0) <= held.promptTokens, `${sent?.promptTokens} of ${held.promptTokens}`);
});
