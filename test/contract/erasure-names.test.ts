import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Head, headKind, newHead } from '../../src/conversation/head.ts';
import { toChannelId } from '../../src/event.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, record, type Store } from '../../src/storage/store.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';

/** Whoever is forgotten is named nowhere: not as a speaker, not as who changed something, not by the role they wrote. */

const model = () => scriptedModel(() => 'An answer.');
const ann = person('Ann zqname', true);
const ben = person('Ben', true);

let n = 0;
async function order(core: TestCore, line: string, author = ann): Promise<string> {
  n += 1;
  return (await core.send(command(1000 + n, line, { author }))).notices.map(({ text }) => text).join('\n');
}

async function say(core: TestCore, text: string, author = ann): Promise<void> {
  n += 1;
  await core.send(message(1000 + n, text, { author }));
}

async function headOf(store: Store): Promise<Head> {
  const head = await store.get(headKind, room);
  assert.ok(head !== undefined);
  return head;
}

const roleOf = async (core: TestCore): Promise<string> => (await core.memory.profiles.of(room)).role;

for (const [way, line, by] of [
  ['asks for it', 'forget me confirm', ann],
  ['is forgotten by an admin', `forget user ${ann.name} confirm`, ben],
] as const) {
  test(`who ${way} is named no more, and the role they wrote is gone; what others did keeps their names`, async () => {
    const store = createStore(createMemoryBackend());
    const core = await startCore({ model: model(), store });
    const usual = await roleOf(core);
    await say(core, 'hello');
    await say(core, 'hello back', ben);
    await order(core, 'role set You know zqrole.');
    await order(core, 'settings set workspace.temperature 0.5');
    await order(core, 'settings set temperature 0.7', ben);
    await order(core, 'reset');
    await say(core, 'and again');
    assert.match(await order(core, 'memory show', ben), /Ann zqname set the role: You know zqrole/);
    assert.equal(await roleOf(core), 'You know zqrole.');

    assert.match(await order(core, line, by), /A role that (you|they) wrote is gone, too; the usual one holds there/);
    assert.equal(await roleOf(core), usual);
    const everything = JSON.stringify([await headOf(store), await core.memory.workspaces.changes(room)]);
    assert.doesNotMatch(everything, /zqname|zqrole|id-Ann/);
    const { changes, people } = await headOf(store);
    assert.deepEqual(
      changes.map(({ by, what }) => `${by} ${what}`),
      [
        'a person who was forgotten set the role',
        'Ben set temperature to 0.7',
        'a person who was forgotten reset the memory',
        `${by === ann ? 'a person who was forgotten' : 'Ben'} had messages forgotten`,
      ],
    );
    assert.deepEqual(
      Object.values(people).map(({ name }) => name),
      ['Ben'],
    );
    assert.doesNotMatch(await order(core, 'memory show', ben), /zqname|zqrole/);
    await core.stop();
    const again = await startCore({ model: model(), store });
    assert.doesNotMatch(await order(again, 'memory show', ben), /zqname|zqrole/, 'after a restart');
    await again.stop();
  });
}

test('who set a role and never spoke is forgotten, too; a role that somebody else wrote stays', async () => {
  const core = await startCore({ model: model() });
  await order(core, 'role set You know zqrole.');
  await order(core, 'role set You are Ben’s.', ben);
  assert.doesNotMatch(await order(core, 'forget me confirm'), /role/);
  const head = await headOf(core.store);
  assert.equal(head.role, 'You are Ben’s.');
  assert.doesNotMatch(JSON.stringify(head), /zqname|zqrole/);
  await core.stop();
});

test('with everything all names go; the role and the settings stay, and the answer says so', async () => {
  const core = await startCore({ model: model() });
  await say(core, 'hello');
  await order(core, 'role set You are Ben’s.', ben);
  assert.match(await order(core, 'forget everything confirm', ben), /The role and the settings stay\./);
  const head = await headOf(core.store);
  assert.equal(head.role, 'You are Ben’s.');
  assert.deepEqual(head.people, {});
  assert.deepEqual(
    head.changes.map(({ by, what }) => `${by} ${what}`),
    ['Ben had messages forgotten'],
  );
  await core.stop();
});

test('in records of older versions people are known by name: they are forgotten there as well', async () => {
  const store = createStore(createMemoryBackend());
  const old = {
    ...newHead(),
    role: 'You know zqrole.',
    away: [{ live: [{ epoch: 1, from: 0 }], folds: [], at: 1, by: 'Ann zqname' }],
    live: [{ epoch: 2, from: 0 }],
    changes: [
      { at: 1, by: 'Ann zqname', what: 'reset the memory' },
      { at: 2, by: 'Ann zqname', what: 'set the role: You know zqrole.' },
      { at: 3, by: 'Ben', what: 'set temperature to 0.7' },
    ],
  };
  await store.commit([record(headKind, room, old)]);
  const core = await startCore({ model: model(), store });
  assert.equal(await roleOf(core), 'You know zqrole.');
  await order(core, 'forget me confirm');
  const head = await headOf(store);
  assert.doesNotMatch(JSON.stringify(head), /zqname|zqrole/);
  assert.equal(head.role, undefined);
  assert.equal(head.changes[2]?.by, 'Ben');
  await core.stop();
});

test('a thread that an older version called by its first message has that name no more', async () => {
  const thread = toChannelId({ platform: 't', workspace: 'w', channel: 'room', thread: 'm1' });
  const core = await startCore({ model: model() });
  await core.send(message(5000, 'hello', { author: ann }));
  await core.send(message(5001, 'hello below', { author: ann, channel: thread, place: 'the pin is zqthread' }));
  assert.equal((await core.store.get(headKind, thread))?.place, 'the pin is zqthread');
  await order(core, 'forget me confirm');
  assert.equal((await core.store.get(headKind, thread))?.place, undefined);
  await core.stop();
});
