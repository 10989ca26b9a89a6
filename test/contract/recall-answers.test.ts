import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { countMessages, toMessages } from '../../src/conversation/wire.ts';
import { toChannelId } from '../../src/event.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { createSearchHistory } from '../../src/tools/search-history.ts';
import type { Toolbox } from '../../src/tools/toolbox.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import {
  allTurns,
  contentOf,
  counter,
  goodSummary,
  lastingPart,
  say,
  talk,
  textOf,
  wireTokens,
} from './memory-talk.ts';

/** What was said long ago comes along with the question it is about, and the answer says where from. */

const budget = 2000;
const fact = 'The wifi password of the boathouse is kumquat-77.';
const question = 'What was the wifi password of the boathouse?';

function recallOf(request: ModelRequest | undefined): string | undefined {
  return request?.messages.map(contentOf).find((text) => text.startsWith('<channel_recall'));
}

/** The marker of the line that has the words. */
function markerOf(request: ModelRequest, words: string): string {
  const line = recallOf(request)
    ?.split('\n')
    .find((one) => one.includes(words));
  return /^\[m\d+\]/.exec(line ?? '')?.[0] ?? '[m99]';
}

interface Options {
  env?: Record<string, string>;
  toolbox?: Toolbox;
}

async function start(t: { after(run: () => Promise<void>): void }, options: Options = {}): Promise<TestCore> {
  const model = scriptedModel((request, n) => {
    if (request.purpose === 'fold') return goodSummary;
    const last = contentOf(request.messages.at(-1));
    if (last.includes('wifi password')) return `You find it here ${markerOf(request, 'kumquat')}. And [m99]!`;
    return `Reply ${n}, briefly.`;
  });
  const env = { STORE_URL: 'memory:', MEMORY_TOKENS: String(budget), ...options.env };
  const core = await startCore({ model, env, ...(options.toolbox && { toolbox: options.toolbox }) });
  t.after(() => core.stop());
  return core;
}

/** Said by Ben, answered, and folded away. */
async function startLongAgo(t: { after(run: () => Promise<void>): void }, options: Options = {}): Promise<TestCore> {
  const core = await start(t, options);
  await say(core, 1, fact, 'Ben');
  await talk(core, 2, 40);
  return core;
}

test('a fact that was folded away comes along as data, last before the question, and within the budget', async (t) => {
  const core = await startLongAgo(t);
  await say(core, 100, question);
  const request = core.model.answers().at(-1);
  assert.ok(request);
  assert.ok(!lastingPart(request).slice(0, -1).map(contentOf).join().includes('kumquat'), 'else it would be no recall');
  assert.match(
    recallOf(request) ?? '',
    /\n\[m\d+\] \[2026-11-03 12:\d\d\] Ben: The wifi password of the boathouse is kumq/,
  );
  assert.match(contentOf(request.messages.at(-2)), /^<channel_recall/);
  assert.equal(contentOf(request.messages.at(-1)), `Ann: ${question}`);
  assert.ok((await wireTokens(request)) <= budget);
  assert.ok((await wireTokens(request)) <= request.promptTokens + 1, 'it is counted');
});

test('small talk and what stands in the prompt anyway bring nothing along', async (t) => {
  const core = await start(t);
  await say(core, 1, fact, 'Ben');
  await say(core, 2, question);
  assert.equal(recallOf(core.model.answers().at(-1)), undefined, 'nothing is folded yet');
  await talk(core, 3, 40);
  await say(core, 100, 'ok');
  assert.equal(recallOf(core.model.answers().at(-1)), undefined);
});

test('the answer names who said it and when, with the way there, and the memory shows what was found', async (t) => {
  const core = await startLongAgo(t);
  const outcome = await say(core, 100, question);
  assert.equal(outcome.answer, 'You find it here ([Ben, 3 Nov](test://t/w/room/m1)). And !');
  const shown = (await core.send(command(101, 'memory show'))).notices[0]?.text ?? '';
  assert.match(shown, /🔎 cited: Ben, \[2026-11-03\]\(test:\/\/t\/w\/room\/m1\): The wifi password/);
  const { recalled } = await core.views.inspect(room);
  const cited = recalled.filter((one) => one.cited);
  assert.deepEqual(
    cited.map(({ name, text, link }) => ({ name, text, link })),
    [{ name: 'Ben', text: fact, link: 'test://t/w/room/m1' }],
  );
  assert.deepEqual((await core.views.turns(room, { limit: 1 })).turns[0]?.text, outcome.answer);
});

test('the next prompt begins as this one did without what was recalled', async (t) => {
  const core = await startLongAgo(t);
  await say(core, 100, question);
  const first = core.model.answers().at(-1);
  await say(core, 101, 'Thank you very much indeed.');
  const second = core.model.answers().at(-1);
  const lasting = lastingPart(first);
  assert.deepEqual(second?.messages.slice(0, lasting.length), lasting);
});

test('deleted, it is never found again: not for a question, not by a command, not in what the memory shows', async (t) => {
  const core = await startLongAgo(t);
  await say(core, 100, question);
  await core.send({ kind: 'delete', id: 'x1', channel: room, at: core.now(), messageIds: ['m1'], origin: {} });
  const before = core.model.requests.length;
  await say(core, 101, question);
  await say(core, 102, 'And the kumquat-77 wifi of the boathouse?');
  const since = core.model.requests.slice(before).map(textOf).join();
  assert.ok(!since.replaceAll('And the kumquat-77 wifi', '').includes('kumquat'));
  const { recalled } = await core.views.inspect(room);
  assert.ok(!recalled.some((one) => one.text.includes('password of the boathouse is')));
  const found = (await core.send(command(103, 'memory search kumquat'))).notices[0]?.text ?? '';
  assert.ok(!found.includes('password of the boathouse is'), found);
});

test('edited, it is found as it stands now', async (t) => {
  const core = await startLongAgo(t);
  const text = 'The wifi password of the boathouse is papaya-12.';
  await core.send({ kind: 'edit', id: 'x1', channel: room, at: core.now(), messageId: 'm1', text, origin: {} });
  await say(core, 100, question);
  const recall = recallOf(core.model.answers().at(-1)) ?? '';
  assert.ok(recall.includes('papaya-12') && !recall.includes('kumquat'));
});

test('no channel hears of another; a thread draws on its channel as it was, the channel never on a thread', async (t) => {
  const core = await startLongAgo(t);
  const other = toChannelId({ platform: 't', workspace: 'w', channel: 'other' });
  const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'x' });
  await talk(core, 41, 45);
  await say(core, 200, question, 'Ann', other);
  await core.send(message(201, question, { channel: thread, branchedFrom: 'm45' }));
  const inThread = core.model.answers().at(-1);
  assert.match(recallOf(inThread) ?? '', /kumquat/);
  assert.ok(!textOf(core.model.answers().at(-2)).includes('kumquat'));
  await core.send(message(202, 'The sauna code of the boathouse is 4711.', { channel: thread, branchedFrom: 'm45' }));
  await talk(core, 46, 60);
  await say(core, 203, 'What was the sauna code of the boathouse?');
  assert.ok(!textOf(core.model.answers().at(-1)).includes('4711'));
  const shown = (await core.send(command(204, 'memory show', { channel: thread }))).notices[0]?.text ?? '';
  assert.doesNotMatch(shown, /4711.*4711/s);
});

test('memory search shows what was said, with the way there, page by page, to whoever asks and nobody else', async (t) => {
  const core = await start(t, { env: { MEMORY_TOKENS: '12000' } });
  for (let n = 1; n <= 8; n++) await say(core, n, `Rose number ${n} is ${n % 2 === 0 ? 'red' : 'white'}.`, 'Ben');
  const [first] = (await core.send(command(100, 'memory search rose'))).notices;
  assert.equal(first?.private, true);
  assert.match(
    first.text,
    /^8 messages found in this channel:\n\*\*Ben\*\*, \[2026-11-03 12:0\d\]\(test:\/\/t\/w\/room\/m\d\): Rose/,
  );
  assert.equal(first.text.split('\n').length, 7);
  assert.deepEqual(first.actions, [{ label: '2 more', command: 'memory search rose page 2' }]);
  const [second] = (await core.send(command(101, 'memory search rose page 2'))).notices;
  assert.equal(second?.text.split('\n').length, 3);
  assert.deepEqual(second.actions, []);
  const seen = `${first.text}\n${second.text}`;
  for (let n = 1; n <= 8; n++) assert.ok(seen.includes(`Rose number ${n} `));
  assert.match(
    (await core.send(command(102, 'memory search zeppelin'))).notices[0]?.text ?? '',
    /^Nothing that was said/,
  );
});

test('the model searches the channel it speaks in; the answer does not keep a copy of what was found', async (t) => {
  let core: TestCore | undefined;
  const search = createSearchHistory(async (channel, words, most) => {
    const found = await core?.memory.recall.find(channel, words, { offset: 0, limit: most });
    return (found?.found ?? []).map(({ line }) => line);
  });
  const toolbox: Toolbox = { offered: async () => [search], names: () => [search.name] };
  const model = scriptedModel((request, n) => {
    if (request.purpose === 'fold') return goodSummary;
    const last = request.messages.at(-1);
    if (last?.role === 'tool') return 'I looked it up.';
    if (!contentOf(last).includes('look')) return `Reply ${n}, briefly.`;
    return { text: '', calls: [{ name: 'search_history', arguments: '{"words":"wifi boathouse"}' }] };
  });
  core = await startCore({ model, toolbox, env: { STORE_URL: 'memory:', MEMORY_TOKENS: String(budget) } });
  t.after(async () => await core?.stop());
  await say(core, 1, fact, 'Ben');
  await core.send(
    message(50, 'The wifi of the boathouse next door', {
      channel: toChannelId({ platform: 't', workspace: 'w', channel: 'b' }),
      author: person('Eve'),
    }),
  );
  await talk(core, 2, 30);
  await say(core, 100, 'Please look for it.');
  const result = contentOf(core.model.answers().at(-1)?.messages.at(-1));
  assert.match(result, /Ben: The wifi password of the boathouse is kumquat-77\./);
  assert.doesNotMatch(result, /next door/);
  const kept = (await core.views.turns(room, { limit: 1 })).turns[0];
  assert.equal(kept?.tools[0]?.name, 'search_history');
  assert.doesNotMatch(kept.tools[0]?.result ?? '', /kumquat/);
});

const edited = (text: string, id = 'm1') => ({
  kind: 'edit' as const,
  id: `edit-${id}-${text.length}`,
  channel: room,
  at: Date.UTC(2026, 10, 3, 20),
  messageId: id,
  text,
  origin: {},
});

/** Everything that is stored, word for word. */
async function stored(core: TestCore): Promise<string> {
  const anything = (name: string) => ({ name, version: 1, schema: z.unknown(), upgrades: {} });
  const kinds = ['head', 'page', 'fold', 'inbox', 'late', 'ref'].map((name) => core.store.list(anything(name), ''));
  return JSON.stringify((await Promise.all(kinds)).flat().map((one) => one.read()));
}

for (const where of ['channel', 'thread'] as const) {
  test(`an edit of a cited message reaches the answer that cites it, in its ${where}`, async (t) => {
    const core = await startLongAgo(t);
    const channel =
      where === 'channel' ? room : toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'x' });
    await core.send(message(100, question, { channel, ...(where === 'thread' && { branchedFrom: 'm40' }) }));
    const answerNow = async () => {
      const turns = await allTurns(core, channel);
      return turns[turns.findIndex((turn) => turn.id === 'm100') + 1];
    };
    assert.match((await answerNow())?.text ?? '', /You find it here/);
    await core.send(edited(`${fact} I wrote it on the door, too.`));
    assert.match(
      (await answerNow())?.text ?? '',
      /You find it here/,
      'more words beside the old ones take nothing back',
    );
    await core.send({
      ...edited('The wifi password of the boathouse is no longer here.'),
      at: Date.UTC(2026, 10, 3, 21),
    });
    assert.equal((await answerNow())?.erased, 'deleted');
    assert.ok(!(await stored(core)).includes('kumquat'));
    const before = core.model.requests.length;
    await core.send(message(101, question, { channel }));
    for (const request of core.model.requests.slice(before)) assert.ok(!textOf(request).includes('kumquat'));
    const shown = (await core.send(command(102, 'memory show', { channel }))).notices[0]?.text ?? '';
    assert.doesNotMatch(shown, /kumquat/);
  });
}

test('an answer that repeats an edited message word for word says the new words', async (t) => {
  const model = scriptedModel((request) => {
    const said = contentOf(request.messages.at(-1)).replace(/^Ann: /, '');
    return said.startsWith('We meet') ? `Noted: ${said.toUpperCase()} Not: we meet at noonday. ${said}` : 'Well.';
  });
  const core = await startCore({ model, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(1, 'We meet at noon.'));
  await core.send(message(2, 'We meet at noonday, did you know?'));
  await core.send(edited('We meet at dusk!'));
  const [, first, , second] = await allTurns(core);
  assert.equal(first?.text, 'Noted: We meet at dusk!. Not: we meet at noonday. We meet at dusk!.');
  assert.match(second?.text ?? '', /at noonday/, 'that is another word');
  assert.equal(first?.rev, 1);
  assert.equal(first?.tokens, await countMessages(toMessages(first ?? assert.fail()), counter));
});
