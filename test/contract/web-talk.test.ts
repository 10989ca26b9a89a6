import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { LiveEvent, Turns } from '../../adapters/web/wire.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';
import { type ScriptedModel, scriptedModel } from './core.ts';
import { startWebStage } from './web.ts';
import { type Follower, openClient, until, type WebClient } from './web-client.ts';

/** People talk in the console: what each of them sees, live, after a while away, and after a restart. */

const general = 'web/console/general';
const passwords = { app: 'open sesame', admin: 'let me administer' };

let say = 'An answer.';
const model = scriptedModel(({ purpose }) => (purpose === 'fold' ? 'A summary.' : say));
const stage = await startWebStage({ model, passwords, isLoopback: false });
after(() => stage.close());

const ann = await openClient(stage.url, 'Ann', passwords.app);
const ben = await openClient(stage.url, 'Ben', passwords.app);

let posts = 0;
function newPost(): { id: string; at: number } {
  posts += 1;
  return { id: `message-${posts}`, at: Date.now() };
}

const pathTo = (what: string, channel = general): string => `/api/channels/${encodeURIComponent(channel)}/${what}`;

async function send(client: WebClient, text: string, channel = general, more: object = {}): Promise<string> {
  const answer = await client.post(pathTo('messages', channel), { ...newPost(), text, uploads: [], ...more });
  assert.equal(answer.status, 202, answer.text);
  return JSON.parse(answer.text).id;
}

async function order(client: WebClient, line: string, channel = general): Promise<string> {
  const answer = await client.post(pathTo('commands', channel), { ...newPost(), line });
  assert.equal(answer.status, 202, answer.text);
  return JSON.parse(answer.text).id;
}

async function turnsOf(client: WebClient, channel = general): Promise<Turns['turns']> {
  return JSON.parse((await client.call(pathTo('turns', channel))).text).turns;
}

const events = (follower: Follower): LiveEvent[] => follower.events.map((one) => one.data);

/** The answer to this question, when it has come to its end. */
function ended(follower: Follower, question: string): string | undefined {
  const isLast = (one: LiveEvent): boolean => one.type === 'piece' && one.piece.question === question && one.piece.last;
  const found = events(follower).find(isLast);
  return found?.type === 'piece' ? found.piece.text : undefined;
}

async function ask(client: WebClient, text: string, follower: Follower, channel = general): Promise<string> {
  const id = await send(client, text, channel);
  await until(() => ended(follower, id) !== undefined, `${text} is answered`);
  return id;
}

function saidTo(follower: Follower): string[] {
  return events(follower).flatMap((one) => (one.type === 'said' ? [one.said.text] : []));
}

test('what one says the others see at once, with the answer as it grows; who comes later reads the same', async (t) => {
  const seen = await ben.follow(general);
  t.after(() => seen.close());
  say = 'It grows word by word until it is whole.';
  const id = await ask(ann, 'does it grow?', seen);
  const told = events(seen).find((one) => one.type === 'message');
  assert.ok(told?.type === 'message');
  assert.deepEqual([told.message.id, told.message.text], [id, 'does it grow?']);
  assert.deepEqual(told.message.person, { id: ann.person().id, name: 'Ann' });
  const pieces = new Map<string, string>();
  for (const one of events(seen)) {
    if (one.type === 'piece') pieces.set(one.piece.id, one.piece.text);
    if (one.type === 'append') {
      assert.equal(pieces.get(one.id)?.length, one.from);
      pieces.set(one.id, pieces.get(one.id) + one.text);
    }
  }
  assert.deepEqual([...pieces.values()], [say]);
  await until(() => seen.events.filter((one) => one.name === 'memory').length >= 2, 'it is kept');
  const [question, answer] = (await turnsOf(ben)).slice(-2);
  assert.deepEqual([question?.id, question?.author, question?.text], [id, ann.person().id, 'does it grow?']);
  assert.deepEqual([answer?.posts, answer?.text], [[...pieces.keys()], say]);
});

test('a long answer costs about its own length on the wire, however many words it comes in', async (t) => {
  const slow = slowly(`${'word '.repeat(3000)}end`, 60);
  const own = await startWebStage({ model: slow });
  t.after(() => own.close());
  const client = await openClient(own.url, 'Ann');
  const seen = await client.follow(general);
  t.after(() => seen.close());
  const id = await ask(client, 'go', seen);
  const about = events(seen).filter((one) => one.type === 'append' || one.type === 'piece');
  assert.ok(about.length > 10, `${about.length} writes`);
  const bytes = JSON.stringify(about).length;
  const length = ended(seen, id)?.length ?? 0;
  assert.ok(length === 15_003 && bytes < 4 * length, `${bytes} bytes for ${length} characters`);
});

test('whoever was away reads exactly what they missed', async (t) => {
  say = 'Fine.';
  const first = await ben.follow(general);
  await ask(ann, 'one', first);
  first.close();
  const from = first.lastId();
  const meanwhile = await ann.follow(general);
  await ask(ann, 'two', meanwhile);
  const second = await ben.follow(general, from);
  t.after(() => second.close());
  await ask(ann, 'three', second);
  meanwhile.close();
  const texts = events(second).flatMap((one) => (one.type === 'message' ? [one.message.text] : []));
  assert.deepEqual(texts, ['two', 'three']);
  assert.ok(!second.events.some((one) => one.name === 'reload'));
  const ids = second.events.map((one) => Number(one.id.split('.')[1]));
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    'each event once, in order',
  );
});

test('who comes back with a place of another run, or with nonsense, is told to read again', async () => {
  for (const id of ['00000000.3', 'nonsense', '-1', '9.9.9', '']) {
    const seen = await ben.follow(general, id);
    await until(() => seen.lastId() !== '', 'it begins');
    const [first] = seen.events;
    assert.deepEqual(first?.data, { type: 'reload' }, id);
    seen.close();
  }
});

test('who comes in the middle of an answer sees what is written of it, and what is asked after it', async (t) => {
  const gate = Promise.withResolvers<void>();
  const own = await startWebStage({ model: held('Begun, ', 'and done.', gate.promise) });
  t.after(() => own.close());
  const client = await openClient(own.url, 'Ann');
  const early = await client.follow(general);
  const first = await send(client, 'first');
  const second = await send(client, 'second');
  await until(() => early.events.some((one) => one.name === 'piece'), 'it begins');
  const late = await client.follow(general);
  t.after(() => early.close());
  t.after(() => late.close());
  await until(() => late.events.length >= 3, 'what stands open is told');
  const open = events(late).slice(0, 3);
  assert.deepEqual(
    open.map((one) => (one.type === 'message' ? one.message.id : one.type === 'piece' ? one.piece.text : one.type)),
    [first, 'Begun, ', second],
  );
  gate.resolve();
  await until(() => ended(late, second) !== undefined, 'both are answered');
  assert.equal(ended(late, first), 'Begun, and done.');
});

test('a question that is deleted while it waits does not come back when its turn comes', async (t) => {
  const gate = Promise.withResolvers<void>();
  const own = await startWebStage({ model: held('Begun, ', 'and done.', gate.promise) });
  t.after(() => own.close());
  const client = await openClient(own.url, 'Ann');
  const seen = await client.follow(general);
  t.after(() => seen.close());
  const first = await send(client, 'first');
  const second = await send(client, 'second');
  await client.post(pathTo('deletions'), { ...newPost(), messageId: second });
  await until(() => seen.events.some((one) => one.name === 'deleted'), 'it is told');
  gate.resolve();
  await until(() => ended(seen, first) !== undefined, 'the first is answered');
  await until(() => own.core.inbox.running() + own.core.inbox.waiting() === 0, 'all is done');
  await send(client, 'third');
  await until(
    () => events(seen).some((one) => one.type === 'message' && one.message.text === 'third'),
    'the next is told',
  );
  const told = events(seen).flatMap((one) => (one.type === 'message' ? [one.message.text] : []));
  assert.deepEqual(told, ['first', 'second', 'third']);
});

test('what is said to one person reaches nobody else: live, later, or by the file it came with', async (t) => {
  const admin = await openClient(stage.url, 'Admin', passwords.admin);
  const [own, foreign] = [await admin.follow(general), await ben.follow(general)];
  t.after(() => own.close());
  t.after(() => foreign.close());
  const from = foreign.lastId();
  await order(admin, '/memory export');
  const told = await until(
    () => events(own).find((one) => one.type === 'said' && one.said.files.length > 0),
    'the admin is told',
  );
  assert.ok(told.type === 'said' && told.said.private);
  const [file] = told.said.files;
  const had = await admin.call(`/api/files/${file?.id}`);
  assert.deepEqual([had.status, had.headers.get('x-content-type-options')], [200, 'nosniff']);
  assert.match(had.headers.get('content-disposition') ?? '', /^attachment; filename="/);
  assert.ok(had.text.includes('does it grow?'));
  assert.equal((await ben.call(`/api/files/${file?.id}`)).status, 404);
  say = 'Later.';
  await ask(ann, 'something after it', foreign);
  const [resumed, begun, ownAgain] = [
    await ben.follow(general, from),
    await ben.follow(general),
    await admin.follow(general),
  ];
  await until(() => resumed.events.length > 3 && ownAgain.events.some((one) => one.name === 'said'), 'all have begun');
  for (const one of [foreign, resumed, begun]) {
    assert.deepEqual(
      saidTo(one).filter((text) => text === told.said.text),
      [],
    );
    one.close();
  }
  assert.ok(saidTo(ownAgain).includes(told.said.text), 'after a reload it is still there');
  ownAgain.close();
});

test('the same request again is the same message, also after a restart', async (t) => {
  const store = createStore(createMemoryBackend());
  const once = scriptedModel(() => 'Once.');
  const before = await startWebStage({ store, model: once });
  const client = await openClient(before.url, 'Ann');
  const seen = await client.follow(general);
  const post = { ...newPost(), text: 'only once', uploads: [] };
  const all = await Promise.all([1, 2, 3].map(() => client.post(pathTo('messages'), post)));
  const outcomes = all.map((one) => String(JSON.parse(one.text).outcome));
  assert.deepEqual(outcomes.sort(), ['accepted', 'known', 'known']);
  await until(() => ended(seen, `${client.person().id}.${post.id}`), 'it is answered');
  seen.close();
  await before.close();
  const restarted = await startWebStage({ store, model: once });
  t.after(() => restarted.close());
  const headers = { cookie: client.cookie(), 'x-channelore': '1', 'content-type': 'application/json' };
  const url = `${restarted.url}${pathTo('messages')}`;
  const again = await fetch(url, { method: 'POST', headers, body: JSON.stringify(post) });
  assert.deepEqual(await again.json(), { id: `${client.person().id}.${post.id}`, outcome: 'known' });
  assert.equal(once.answers().length, 1);
});

test('a question that a restart cut short is answered after it, once, for whoever looks on then', async (t) => {
  const store = createStore(createMemoryBackend());
  const before = await startWebStage({ store, model: held('Half', '', new Promise(() => {})) });
  const client = await openClient(before.url, 'Ann');
  const seen = await client.follow(general);
  const id = await send(client, 'what was it?');
  await until(() => seen.events.some((one) => one.name === 'piece'), 'it begins');
  const from = seen.lastId();
  await before.close();
  await until(() => seen.isOver(), 'the stream has ended');
  const restarted = await startWebStage({ store, model: scriptedModel(() => 'Whole.') });
  t.after(() => restarted.close());
  const back = await openClient(restarted.url, 'Ann');
  const after = await back.follow(general, from);
  t.after(() => after.close());
  await until(() => ended(after, id) === 'Whole.', 'it is answered');
  assert.deepEqual(events(after)[0], { type: 'reload' });
  const told = await turnsAt(restarted.core, id);
  assert.deepEqual(told, [`answer:${id}:0`]);
});

test('what was forgotten is not told again to whoever comes back', async (t) => {
  const seen = await ann.follow(general);
  t.after(() => seen.close());
  const from = seen.lastId();
  say = 'Noted.';
  const id = await ask(ann, 'my code is 4711', seen);
  const removed = await ann.post(pathTo('deletions'), { ...newPost(), messageId: id });
  assert.equal(removed.status, 202);
  await until(() => events(seen).some((one) => one.type === 'memory' && one.change.what !== 'turns'), 'it is gone');
  for (const place of [from, undefined]) {
    const back = await ben.follow(general, place);
    await until(() => back.lastId() !== '', 'it begins');
    assert.ok(!JSON.stringify(back.events).includes('4711'));
    if (place !== undefined) assert.deepEqual(events(back)[0], { type: 'reload' });
    back.close();
  }
});

test('what a reset put away is not told again to whoever comes after it', async (t) => {
  const seen = await ann.follow(general);
  t.after(() => seen.close());
  await ask(ann, 'the bird is a bittern', seen);
  await order(ann, '/reset');
  await until(() => saidTo(seen).some((text) => /reset my memory/.test(text)), 'it is told to everybody');
  const back = await ben.follow(general);
  await until(() => saidTo(back).length > 0, 'it begins');
  assert.ok(!JSON.stringify(back.events).includes('bittern'));
  back.close();
});

test('one changes one’s own messages and the answers to them, and nobody else’s', async (t) => {
  const seen = await ann.follow(general);
  t.after(() => seen.close());
  say = 'Yes.';
  const id = await ask(ann, 'mine', seen);
  const change = async (client: WebClient, what: string, more: object) =>
    (await client.post(pathTo(what), { ...newPost(), ...more })).status;
  assert.equal(await change(ben, 'edits', { messageId: id, text: 'his' }), 403);
  assert.equal(await change(ben, 'deletions', { messageId: id }), 403);
  assert.equal(await change(ben, 'deletions', { messageId: `answer:${id}:0` }), 403);
  assert.equal(await change(ann, 'edits', { messageId: `answer:${id}:0`, text: 'other words' }), 403);
  assert.equal(await change(ann, 'edits', { messageId: id, text: 'mine, changed' }), 202);
  await until(() => seen.events.some((one) => one.name === 'edited' && one.data.text === 'mine, changed'), 'told');
  assert.equal(await change(ann, 'deletions', { messageId: `answer:${id}:0` }), 202);
  await until(() => seen.events.some((one) => one.name === 'deleted'), 'told');
  const turn = await retried(async () => (await turnsOf(ann)).find((one) => one.posts.includes(`answer:${id}:0`)));
  assert.ok(turn === undefined || turn.erased);
});

test('a thread is opened once, knows what was said above, and is heard of in its channel', async (t) => {
  const seen = await ann.follow(general);
  t.after(() => seen.close());
  say = 'A heron.';
  const id = await ask(ann, 'which bird?', seen);
  await until(() => seen.events.filter((one) => one.name === 'memory').length >= 2, 'it is kept');
  const open = async (client: WebClient, branchedFrom: string) =>
    await client.post(pathTo('threads'), { branchedFrom });
  const first = await open(ann, `answer:${id}:0`);
  assert.equal(first.status, 200, first.text);
  const thread = JSON.parse(first.text);
  assert.deepEqual([thread.name, thread.branchedFrom], ['A heron.', `answer:${id}:0`]);
  assert.deepEqual(JSON.parse((await open(ben, `answer:${id}:0`)).text), thread);
  assert.ok(seen.events.some((one) => one.name === 'channels'));
  assert.equal((await open(ann, 'nothing')).status, 404);
  const below = await ask(ben, 'are you sure?', seen, thread.id);
  assert.ok(
    events(seen).some((one) => one.type === 'message' && one.channel === thread.id && one.message.id === below),
  );
  assert.match(JSON.stringify(model.answers().at(-1)?.messages), /which bird.*A heron\..*are you sure/);
  const listed = JSON.parse((await ann.call('/api/channels')).text);
  assert.deepEqual(
    listed.own.find((one: { id: string }) => one.id === general).threads.map((one: { id: string }) => one.id),
    [thread.id],
  );
});

test('while the program stops nothing is taken in, and open streams do not hold it up', async () => {
  const own = await startWebStage({ model });
  const client = await openClient(own.url, 'Ann');
  const open = await Promise.all(Array.from({ length: 5 }, () => client.follow(general)));
  await own.web.pause();
  const refused = await client.post(pathTo('messages'), { ...newPost(), text: 'too late', uploads: [] });
  assert.equal(refused.status, 503);
  assert.match(JSON.parse(refused.text).problem, /shutting down/);
  assert.equal((await client.call(pathTo('turns'))).status, 200);
  await own.web.close();
  await until(() => open.every((one) => one.isOver()), 'all streams have ended');
  assert.equal((await client.call(pathTo('events'))).status, 503, 'and none begins');
  const begun = performance.now();
  await own.close();
  assert.ok(performance.now() - begun < 2_000);
});

/** Says the first half, and the other when it may. */
function held(first: string, rest: string, gate: Promise<void>): ScriptedModel {
  const base = scriptedModel(() => '');
  return {
    ...base,
    async *stream(request, signal) {
      yield { type: 'text', text: first };
      const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      await Promise.race([gate, aborted]);
      if (rest !== '') yield { type: 'text', text: rest };
      const usage = { prompt: request.promptTokens, cached: 0, completion: 5, reasoning: 0, estimated: false };
      yield { type: 'end', finish: 'stop', usage, model: request.model, asked: request.model };
    },
  };
}

/** In so many parts, each after the one before was written. */
function slowly(text: string, parts: number): ScriptedModel {
  const base = scriptedModel(() => '');
  const size = Math.ceil(text.length / parts);
  return {
    ...base,
    async *stream(request) {
      for (let at = 0; at < text.length; at += size) {
        yield { type: 'text', text: text.slice(at, at + size) };
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const usage = { prompt: request.promptTokens, cached: 0, completion: 5, reasoning: 0, estimated: false };
      yield { type: 'end', finish: 'stop', usage, model: request.model, asked: request.model };
    },
  };
}

async function turnsAt(core: Awaited<ReturnType<typeof startWebStage>>['core'], question: string): Promise<string[]> {
  const channel = (await core.views.channels())[0]?.id;
  assert.ok(channel);
  await until(() => core.inbox.running() === 0, 'it is kept');
  const { turns } = await core.views.turns(channel, { limit: 50 });
  const asked = turns.find((one) => one.id === question)?.seq;
  return turns.filter((one) => one.answers === asked).flatMap((one) => one.posts);
}

/** What comes of it once nothing runs any more. */
async function retried<T>(read: () => Promise<T>): Promise<T> {
  await until(() => stage.core.inbox.running() === 0, 'nothing runs');
  return await read();
}
