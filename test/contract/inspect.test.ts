import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryChange } from '../../src/conversation/changes.ts';
import { replyPrimerTokens } from '../../src/conversation/tokens.ts';
import { countMessages } from '../../src/conversation/wire.ts';
import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';
import type { FoldNode } from '../../src/inspect/fold-tree.ts';
import type { ChatMessage } from '../../src/model/model.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore } from '../../src/storage/store.ts';
import { createCurrentTime } from '../../src/tools/current-time.ts';
import { createToolbox, noTools, type Toolbox } from '../../src/tools/toolbox.ts';
import type { Chart } from '../../src/usage/charts.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';
import { chatter, counter, goodSummary, say, talk, wireTokens } from './memory-talk.ts';

/** What may be seen of a memory from outside of a conversation, and changed there. */

const admin = { id: 'console', name: 'Admin', admin: true, platform: 'console' };
const month = { from: '2026-11-01', to: '2026-11-30' };

const clock = createToolbox(
  [{ tools: () => [createCurrentTime('UTC')], names: () => ['current_time'] }],
  ['all'],
  () => {},
);

async function start(
  t: { after(run: () => Promise<void>): void },
  env: object = {},
  toolbox: Toolbox = noTools,
): Promise<TestCore> {
  const model = scriptedModel(({ purpose }, n) => (purpose === 'fold' ? goodSummary : `Reply ${n}, briefly.`));
  const core = await startCore({ model, toolbox, env: { STORE_URL: 'memory:', MEMORY_TOKENS: '2000', ...env } });
  t.after(() => core.stop());
  return core;
}

test('channels are listed by their names, the last used first, and what was said between two alone is not', async (t) => {
  const core = await start(t);
  const garden = toChannelId({ platform: 't', workspace: 'w', channel: 'C1' });
  const alone = toChannelId({ platform: 't', workspace: 'w', channel: 'D1' });
  const inThread = toChannelId({ platform: 't', workspace: 'w', channel: 'C1', thread: '77' });
  await core.send(message(1, 'hello', { channel: garden, place: 'garden' }));
  await core.send(message(2, 'a secret', { channel: alone, to: 'direct' }));
  await core.send(message(3, 'hello', { channel: inThread }));
  await core.send(message(4, 'hello'));
  const listed = await core.views.channels();
  assert.deepEqual(
    listed.map(({ id, name, thread, turns }) => ({ id, name, thread, turns })),
    [
      { id: room, name: 'room', thread: false, turns: 2 },
      { id: inThread, name: 'C1 › 77', thread: true, turns: 2 },
      { id: garden, name: 'garden', thread: false, turns: 2 },
    ],
  );
});

test('a closed group is listed for nobody, whatever was said there first, and its people are called by their names', async (t) => {
  const core = await start(t);
  const group = toChannelId({ platform: 't', workspace: 'w', channel: 'G1' });
  const inside = toChannelId({ platform: 't', workspace: 'w', channel: 'G1', thread: '77' });
  const closed = { channel: group, place: 'ann, ben', private: true };
  const ben = { author: person('Ben') };
  await core.send(message(1, 'between us', { ...closed, to: 'group' }));
  await core.send(message(2, 'not to you', { ...closed, ...ben, to: 'group' }));
  await core.send(message(3, 'nor is this', { ...closed, to: 'group' }));
  await core.send(message(4, 'but this is', { ...closed, ...ben, to: 'mention' }));
  await core.send(message(5, 'and this', { channel: inside, private: true }));
  assert.deepEqual(await core.views.channels(), []);
  const [, asked, ...more] = core.model.answers();
  const said =
    asked?.messages.filter(({ role }) => role === 'user').map(({ content }) => JSON.stringify(content)) ?? [];
  assert.match(said.join(), /Ann: between us.*Ben: but this is/);
  assert.doesNotMatch(said.join(), /not to you|nor is this/);
  assert.equal(more.length, 1);
});

test('what was taken for a channel before is listed no more when it turns out to be a closed group', async (t) => {
  const core = await start(t);
  await core.send(message(1, 'hello'));
  assert.equal((await core.views.channels()).length, 1);
  await core.send(message(2, 'hello', { private: true }));
  assert.deepEqual(await core.views.channels(), []);
  await core.send(message(3, 'hello'));
  assert.equal((await core.views.channels()).length, 1);
});

test('a channel that was renamed is listed by its new name, and its turns keep their bytes', async (t) => {
  const core = await start(t);
  await core.send(message(1, 'hello', { place: 'old' }));
  await core.send(message(2, 'hello', { place: 'new <b>' }));
  assert.deepEqual(
    (await core.views.channels()).map(({ name }) => name),
    ['new b'],
  );
  const [first, second] = core.model.answers();
  assert.deepEqual(second?.messages.slice(0, 3), first?.messages);
});

test('turns are read in pages from the newest on, across a reset that was undone', async (t) => {
  const core = await start(t, { MEMORY_TOKENS: '12000' });
  for (let n = 1; n <= 20; n++) await say(core, n, `mark${n}x`);
  await core.send(command(21, 'reset'));
  assert.deepEqual(await core.views.turns(room, { limit: 10 }), { turns: [], more: false });
  for (let n = 22; n <= 25; n++) await say(core, n, `mark${n}x`);
  await core.send(command(26, 'undo'));
  const seen: string[] = [];
  let pages = 0;
  for (let before: number | undefined; ; ) {
    const page = await core.views.turns(room, { limit: 7, ...(before !== undefined && { before }) });
    seen.unshift(...page.turns.filter((turn) => turn.role === 'user').map((turn) => turn.text));
    before = page.turns[0]?.seq;
    pages++;
    if (!page.more) break;
  }
  const expected = [...Array.from({ length: 20 }, (_, n) => n + 1), 22, 23, 24, 25].map((n) => `mark${n}x`);
  assert.deepEqual(seen, expected);
  assert.equal(pages, Math.ceil((24 * 2) / 7));
});

test('a turn tells who said it, that it was edited, and what became of it', async (t) => {
  const core = await start(t);
  await say(core, 1, 'The roses are red.');
  const edit = {
    kind: 'edit',
    id: 'x1',
    channel: room,
    at: core.now(),
    messageId: 'm1',
    text: 'White.',
    origin: {},
  } as const;
  await core.send(edit);
  await say(core, 2, 'gone soon', 'Ben');
  await core.send({ kind: 'delete', id: 'x2', channel: room, at: core.now(), messageIds: ['m2'], origin: {} });
  const { turns } = await core.views.turns(room, { limit: 50 });
  const shown = turns.map(({ role, name, author, text, edited, erased }) => ({
    role,
    name,
    author,
    text,
    edited,
    erased,
  }));
  assert.deepEqual(shown[0], {
    role: 'user',
    name: 'Ann',
    author: 'id-Ann',
    text: 'White.',
    edited: true,
    erased: false,
  });
  assert.deepEqual(
    shown.slice(2).map(({ text, erased }) => ({ text, erased })),
    [
      { text: '', erased: true },
      { text: '', erased: true },
    ],
  );
});

test('an answer that a limit or a filter cut is no whole answer', async (t) => {
  const finishes = ['length', 'content_filter', 'stop'] as const;
  const model = scriptedModel((_, n) => ({ text: 'It begins', finish: finishes[n - 1] ?? 'stop' }));
  const core = await startCore({ model, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  const answers = [1, 2, 3].map(async (n) => await say(core, n));
  const [atLimit, filtered, whole] = (await Promise.all(answers)).map(({ answer }) => answer);
  assert.match(atLimit ?? '', /^It begins\n\n✂️ Cut off at the reply limit/);
  assert.match(filtered ?? '', /^It begins\n\n✂️ Cut off by the provider’s content filter\.$/);
  assert.equal(whole, 'It begins');
  const { turns } = await core.views.turns(room, { limit: 10 });
  assert.deepEqual(
    turns.flatMap(({ role, partial }) => (role === 'assistant' ? [partial] : [])),
    ['cut off at the reply limit', 'cut off by the provider’s content filter', undefined],
  );
});

test('the parts of the budget come to what the next prompt costs, counted from it', async (t) => {
  const core = await start(t);
  await talk(core, 1, 20);
  const seen = await core.views.inspect(room);
  const { messages, tokens } = await core.views.prompt(room);
  const question = await counter.count('Ann: …');
  const kept = seen.budget.parts.find(({ part }) => part === 'recall')?.tokens ?? 0;
  assert.equal(kept, 200, 'a tenth, for what is found again');
  const parts = seen.budget.parts.reduce((sum, part) => sum + part.tokens, 0);
  assert.equal(parts - kept, tokens);
  assert.equal(parts + seen.budget.room, seen.budget.total);
  assert.equal(seen.budget.parts.find(({ part }) => part === 'question')?.tokens, question + 4);
  const request = core.model.answers().at(-1);
  assert.ok(request);
  // The count is never below what is really sent.
  assert.ok(tokens >= (await wireTokens({ ...request, messages: messages as typeof request.messages })) - 4);
  assert.deepEqual(seen.contributors.map(({ name }) => name).sort(), ['Ann', 'Channelore']);
  assert.equal(seen.turns.total, 40);
  assert.equal(
    seen.turns.verbatim,
    seen.contributors.reduce((sum, one) => sum + one.turns, 0),
  );
});

test('on every channel, with tools and without, the prompt is what is sent and its parts come to the total', async (t) => {
  const core = await start(t, { MEMORY_TOKENS: '3000' }, clock);
  const thread = toChannelId({ ...channelParts(room), thread: 'm3' });
  const alone = toChannelId({ platform: 't', workspace: 'w', channel: 'D1' });
  const empty = toChannelId({ platform: 't', workspace: 'w', channel: 'empty' });
  await talk(core, 1, 40);
  await core.send(message(50, 'And in the thread?', { channel: thread, branchedFrom: 'm3' }));
  await core.send(message(51, 'Only we two.', { channel: alone, to: 'direct' }));
  for (const tools of ['all', 'none']) {
    for (const channel of [room, thread, alone, empty]) {
      await core.views.order(channel, admin, `settings set tools ${tools}`);
      const what = `${channel} with tools ${tools}`;
      const { budget } = await core.views.inspect(channel);
      const prompt = await core.views.prompt(channel);
      const of = (part: string): number => budget.parts.find((one) => one.part === part)?.tokens ?? 0;
      const sum = budget.parts.reduce((all, one) => all + one.tokens, 0);
      assert.equal(sum + budget.room, budget.total, what);
      assert.equal(sum - of('recall'), prompt.tokens, what);
      assert.equal(
        of('tools'),
        prompt.tools.reduce((all, one) => all + one.tokens, 0),
        what,
      );
      assert.equal(prompt.tools.length, tools === 'all' ? 1 : 0, what);
      const messages = await countMessages(prompt.messages as ChatMessage[], counter);
      assert.equal(messages + replyPrimerTokens + of('tools'), prompt.tokens, what);
    }
  }
});

test('what is asked next is sent as the next prompt said, tools and all', async (t) => {
  const core = await start(t, {}, clock);
  await talk(core, 1, 20);
  const prompt = await core.views.prompt(room);
  await say(core, 21, '…');
  const sent = core.model.answers().at(-1);
  assert.deepEqual(sent?.messages, prompt.messages);
  assert.equal(sent?.promptTokens, prompt.tokens);
  const specs = sent?.tools?.map(({ name, description, parameters }) => ({ name, description, parameters })) ?? [];
  assert.equal(specs.length, 1);
  assert.deepEqual(
    prompt.tools.map(({ name, description, parameters }) => ({ name, description, parameters })),
    specs,
  );
});

test('a budget that is smaller than what is set says why', async (t) => {
  const model = scriptedModel(() => ({ text: 'Yes.', promptTokens: 2000 }));
  const core = await startCore({ model, env: { STORE_URL: 'memory:', MEMORY_TOKENS: '6000' } });
  t.after(() => core.stop());
  assert.deepEqual(await budgetOf(core), { total: 6000, set: 6000, readable: undefined, ratio: 1 });
  await say(core, 1, chatter(1, 300));
  const { total, set, ratio } = await budgetOf(core);
  assert.ok(ratio > 1);
  assert.deepEqual([set, total], [6000, Math.floor(6000 / ratio)]);
  const small = await startCore({
    model: { ...model, contextTokens: () => 5000 },
    env: { STORE_URL: 'memory:', MEMORY_TOKENS: '6000', MAX_REPLY_TOKENS: '500' },
  });
  t.after(() => small.stop());
  assert.deepEqual(await budgetOf(small), { total: 4500, set: 6000, readable: 4500, ratio: 1 });
});

async function budgetOf(core: TestCore) {
  const { total, set, readable, ratio } = (await core.views.inspect(room)).budget;
  return { total, set, readable, ratio };
}

test('nothing is kept for recall while everything stands in the prompt', async (t) => {
  const core = await start(t);
  await talk(core, 1, 3);
  assert.deepEqual(
    (await core.views.inspect(room)).budget.parts.map(({ part }) => part),
    ['role', 'turns', 'question'],
  );
});

test('the folds are shown as the tree they are, and cover what is not shown word for word', async (t) => {
  const core = await start(t);
  await talk(core, 1, 120);
  const { folds, turns } = await core.views.inspect(room);
  const all = (nodes: readonly FoldNode[]): FoldNode[] => nodes.flatMap((node) => [node, ...all(node.below)]);
  assert.ok(all(folds).some((node) => node.level > 1 && node.below.length > 1));
  for (const node of all(folds)) {
    for (const [n, child] of node.below.entries()) {
      assert.equal(child.from, n === 0 ? node.from : (node.below[n - 1]?.to ?? 0) + 1);
    }
    if (node.below.length > 0) {
      assert.equal(node.below.at(-1)?.to, node.to);
      assert.equal(
        node.covers,
        node.below.reduce((sum, child) => sum + (child.covers ?? 0), 0),
      );
    }
    assert.ok((node.covers ?? 0) > node.tokens);
  }
  assert.equal(folds[0]?.from, 0);
  assert.equal((folds.at(-1)?.to ?? 0) + 1, turns.firstVerbatim);
});

test('whoever watches hears of each change once it is so: of folds while they are written, of a reset, of an erasure', async (t) => {
  const core = await start(t);
  const heard: MemoryChange[] = [];
  const end = core.views.watch((change) => heard.push(change));
  const count = (what: MemoryChange['what']): number => heard.filter((change) => change.what === what).length;
  await say(core, 1);
  assert.deepEqual([...new Set(heard.map(({ what }) => what))], ['turns']);
  await talk(core, 2, 20);
  assert.equal(count('folded'), (await core.views.inspect(room)).folds.length);
  const progress = heard.flatMap((change) => change.fold?.done ?? []);
  assert.ok(progress.some((done) => done > 0 && done < 1) && progress[0] === 0);
  await core.send(command(30, 'reset'));
  assert.equal(count('reset'), 1);
  await say(core, 31, 'brand new');
  await core.send({ kind: 'delete', id: 'x', channel: room, at: core.now(), messageIds: ['m31'], origin: {} });
  assert.ok(count('amended') + count('reset') > 1);
  const before = heard.length;
  end();
  await say(core, 32);
  assert.equal(heard.length, before);
});

test('a command ordered from outside does what it does in the channel, asks first, and is shown to nobody there', async (t) => {
  const core = await start(t);
  await say(core, 1, 'The roses are red.');
  await core.send(command(2, 'reset'));
  assert.equal((await core.views.inspect(room)).undoable, true);
  const undone = await core.views.order(room, admin, 'undo');
  assert.match(undone.text, /Admin brought back/);
  assert.equal((await core.views.turns(room, { limit: 9 })).turns.length, 2);
  const asked = await core.views.order(room, admin, 'forget everything');
  assert.equal((await core.views.turns(room, { limit: 9 })).turns[0]?.erased, false);
  await core.views.order(room, admin, asked.actions[0]?.command ?? '');
  await core.memory.idle();
  assert.ok((await core.views.turns(room, { limit: 9 })).turns.every((turn) => turn.erased));
  await assert.rejects(core.views.order(room, { ...admin, admin: false }, 'forget everything'), { kind: 'forbidden' });
  await assert.rejects(core.views.order(room, admin, 'forgot'), { kind: 'input' });
  await say(core, 5, 'And now?');
  await assert.rejects(core.views.order(room, admin, 'retry'), { kind: 'input' });
  assert.equal(core.outcomes.get('e5')?.notices.length, 0);
});

test('usage is reported for every workspace, by the names people and channels are shown by, with budgets and charts', async (t) => {
  const core = await start(t, { BUDGET_USER_TOKENS: '50000', BUDGET_WORKSPACE_TOKENS: '90000' });
  const other: ChannelId = toChannelId({ platform: 'u', workspace: 'x/y', channel: 'C9' });
  await core.send(message(1, 'hello', { place: 'garden' }));
  await core.send(message(2, 'hello', { channel: other, author: person('Ben') }));
  const report = await core.views.usage(month);
  assert.deepEqual(
    report.rows.map(({ workspace, channelName, personName, kind, calls }) => ({
      workspace,
      channelName,
      personName,
      kind,
      calls,
    })),
    [
      { workspace: 't/w', channelName: 'garden', personName: 'Ann', kind: 'answer', calls: 1 },
      { workspace: 'u/x%2Fy', channelName: 'C9', personName: 'Ben', kind: 'answer', calls: 1 },
    ],
  );
  const [ann] = report.rows;
  assert.ok(ann?.cost !== undefined && ann.cost > 0 && ann.cost < 0.01, 'dollars');
  assert.deepEqual(report.budgets.map(({ name, limit, unit }) => `${name}: ${limit} ${unit}`).sort(), [
    'Ann (t/w), today: 50000 tokens',
    'Ben (u/x/y), today: 50000 tokens',
    't/w, today: 90000 tokens',
    'u/x/y, today: 90000 tokens',
  ]);
  assert.equal(report.budgets.find(({ name }) => name.startsWith('Ann'))?.used, ann.prompt + ann.completion);
  assert.deepEqual(
    report.charts.map(({ name }) => name),
    ['days', 'cost', 'person', 'channel', 'model'],
  );
  assert.deepEqual((await core.views.usage({ from: '2026-10-01', to: '2026-10-31' })).rows, []);
});

const labelsOf = ({ charts }: { charts: readonly Chart[] }, name: string): string[] =>
  charts
    .filter((one) => one.name === name)
    .flatMap(({ option }) => (option.yAxis as { data: string[] }).data)
    .toSorted();

test('two channels of one name are two in usage, and say what tells them apart; a thread counts as its channel', async (t) => {
  const core = await start(t, { BUDGET_CHANNEL_TOKENS: '50000' });
  const at = (platform: string, channel: string, thread?: string): ChannelId =>
    toChannelId({ platform, workspace: 'w', channel, ...(thread !== undefined && { thread }) });
  const places = [at('t', 'C1'), at('t', 'C2'), at('u', 'C1'), at('t', 'C1', '7')];
  for (const [n, channel] of places.entries()) await core.send(message(n, 'hello', { channel, place: 'general' }));
  const report = await core.views.usage(month);
  const calls = Map.groupBy(report.rows, ({ channelName }) => channelName);
  const labels = ['general (t)', 'general (t) #2', 'general (u)'];
  assert.deepEqual([...calls.keys()].toSorted(), labels);
  assert.deepEqual(
    labels.map((label) => calls.get(label)?.length),
    [2, 1, 1],
  );
  assert.equal(new Set(report.rows.map(({ channelKey }) => channelKey)).size, 3);
  assert.deepEqual(labelsOf(report, 'channel'), labels);
  assert.deepEqual(report.budgets.map(({ name }) => name).toSorted(), [
    'general (t/w), today',
    'general (t/w), today #2',
    'general (u/w), today',
  ]);
});

test('a person of two names is one in usage and among those who spoke, by the name used last; two of one name are two', async (t) => {
  const core = await start(t, { BUDGET_USER_TOKENS: '50000' });
  const first = toChannelId({ platform: 't', workspace: 'w', channel: 'A' });
  const second = toChannelId({ platform: 't', workspace: 'w', channel: 'B' });
  const named = (id: string, name: string) => ({ id, name, admin: false, roles: [] });
  await core.send(message(1, 'hello', { channel: second, author: named('U1', 'Ann') }));
  await core.send(message(2, 'hello', { channel: first, author: named('U1', 'Anna Married') }));
  await core.send(message(3, 'hello', { channel: second, author: named('U2', 'Ann') }));
  const report = await core.views.usage(month);
  const names = new Map(report.rows.map(({ personKey, personName }) => [personKey, personName]));
  assert.deepEqual(
    [...names],
    [
      ['t:U1', 'Anna Married'],
      ['t:U2', 'Ann#2'],
    ],
  );
  assert.deepEqual(labelsOf(report, 'person'), ['Ann#2', 'Anna Married']);
  assert.deepEqual(report.budgets.map(({ name }) => name).toSorted(), [
    'Ann#2 (t/w), today',
    'Anna Married (t/w), today',
  ]);
  const used = report.rows
    .filter(({ person }) => person === 'U1')
    .reduce((n, row) => n + row.prompt + row.completion, 0);
  assert.equal(report.budgets.find(({ name }) => name.startsWith('Anna'))?.used, used);

  await core.send(message(4, 'hello', { channel: second, author: named('U1', 'Annie') }));
  const { contributors } = await core.views.inspect(second);
  assert.deepEqual(
    contributors.map(({ id, name, turns }) => [id, name, turns]),
    [
      [undefined, 'Channelore', 3],
      ['U1', 'Annie', 2],
      ['U2', 'Ann#2', 1],
    ],
  );
  const shown = await core.send(command(5, 'memory show', { channel: second }));
  assert.match(shown.notices[0]?.text ?? '', /Who spoke: me \(3\), Annie \(2\), Ann#2 \(1\)\./);
  const table = await core.send(
    command(6, 'usage', { channel: second, author: { ...named('U9', 'Boss'), admin: true } }),
  );
  assert.match(table.notices[0]?.text ?? '', /\nAnnie +.*\nAnn#2 /);
  assert.doesNotMatch(table.notices[0]?.text ?? '', /Anna Married|\nAnn /);
});

test('usage is reported by ids where a channel is damaged', async (t) => {
  const store = createStore(createMemoryBackend());
  const core = await startCore({ model: scriptedModel(() => 'Yes.'), store, env: { STORE_URL: 'memory:' } });
  await core.send(message(1, 'hello'));
  await core.stop();
  await store.commit([{ key: `head:${room}`, value: { v: 1, d: { live: 'rubbish' } } }]);
  const again = await startCore({ model: scriptedModel(() => 'Yes.'), store, env: { STORE_URL: 'memory:' } });
  t.after(() => again.stop());
  assert.deepEqual(
    (await again.views.usage(month)).rows.map(({ channelName, personName }) => [channelName, personName]),
    [['room', 'id-Ann']],
  );
});

test('a damaged head hides no other channel', async (t) => {
  const backend = createMemoryBackend();
  const store = createStore(backend);
  const model = scriptedModel(() => 'Yes.');
  const core = await startCore({ model, store, env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  await core.send(message(1, 'hello'));
  await core.send(message(2, 'hello', { channel: toChannelId({ platform: 't', workspace: 'w', channel: 'A' }) }));
  await store.commit([{ key: 'head:t/w/A', value: { v: 1, d: { live: 'rubbish' } } }]);
  assert.deepEqual(
    (await core.views.channels()).map(({ name }) => name),
    ['room'],
  );
});

test('a shelf keeps what it is given for its owner alone', async () => {
  const store = createStore(createMemoryBackend());
  const mine = createShelf(store, 'web');
  const other = createShelf(store, 'webb');
  await mine.put('channel/b', { name: 'B' });
  await mine.put('channel/a', { name: 'A' });
  await mine.put('key', 'k');
  await other.put('channel/z', { name: 'Z' });
  assert.deepEqual(await mine.list('channel/'), [
    { key: 'channel/a', value: { name: 'A' } },
    { key: 'channel/b', value: { name: 'B' } },
  ]);
  await mine.remove(['channel/a']);
  assert.deepEqual(
    [await mine.get('channel/a'), await mine.get('key'), await other.get('key')],
    [undefined, 'k', undefined],
  );
});

test('a message of the length that is folded at once is seen whole in its turn', async (t) => {
  const core = await start(t);
  const long = chatter(1, 900);
  await say(core, 1, long);
  assert.equal((await core.views.turns(room, { limit: 1 })).turns[0]?.role, 'assistant');
  assert.equal((await core.views.turns(room, { limit: 2 })).turns[0]?.text, long);
});
