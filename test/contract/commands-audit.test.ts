import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { commandName } from '../../src/commands/command.ts';
import { commands } from '../../src/commands/list.ts';
import type { Config } from '../../src/config.ts';
import type { AuditRecord } from '../../src/operations/audit.ts';
import { command, message, person, room, scriptedModel, startCore, type TestCore } from './core.ts';

/** Whoever changes something, takes something along or is refused leaves a trace, and no word of theirs is in it. */

const canary = 'canary4711';

/** A line for each command that succeeds in the channel as it is prepared; the words in it are nobody else's. */
const lines: Record<string, string> = {
  'role show': 'role show',
  'role set': `role set You are a ${canary}`,
  'role preset': 'role preset plain',
  'role clear': 'role clear',
  reset: 'reset',
  undo: 'undo',
  'forget last': 'forget last 1 confirm',
  'forget me': 'forget me confirm',
  'forget user': `forget user ${canary} confirm`,
  'forget everything': 'forget everything confirm',
  'memory show': 'memory show',
  'memory search': `memory search ${canary}`,
  'memory prompt': 'memory prompt',
  'memory export': 'memory export',
  'memory rewrite': 'memory rewrite',
  usage: 'usage',
  'settings show': 'settings show',
  'settings set': `settings set workspace.stop ${canary}`,
  'settings clear': 'settings clear workspace.stop',
  stop: 'stop',
  retry: 'retry',
  'alternatives show': 'alternatives show',
  'alternatives choose': 'alternatives choose 1',
  help: 'help',
};

/** These are refused for what they are about, here. */
const fails = ['role preset', 'memory rewrite', 'stop', 'alternatives show', 'alternatives choose'];

const boss = { ...person('Boss'), admin: true };

async function start(t: TestContext, policy: Partial<Config['policy']> = {}): Promise<TestCore> {
  const core = await startCore({ model: scriptedModel(() => 'Yes.'), env: { STORE_URL: 'memory:' }, policy });
  t.after(() => core.stop());
  return core;
}

async function trail(core: TestCore): Promise<Omit<AuditRecord, 'at' | 'lastAt'>[]> {
  await core.audit.idle();
  const { entries } = await core.views.audit({ limit: 1000 });
  return entries.map(({ id: _id, at: _at, lastAt: _lastAt, ...entry }) => entry).reverse();
}

test('every command leaves the trace its entry in the list names, and no word that was typed', async (t) => {
  assert.deepEqual(Object.keys(lines), commands.map(commandName));
  const core = await start(t);
  const expected: object[] = [];
  let n = 10;
  for (const spec of commands) {
    const name = commandName(spec);
    n += 10;
    await core.send(message(n, `${canary} said`, { author: { ...person(canary), id: 'U7' } }));
    const run = async (line: string) => await core.send(command(++n, line, { author: boss }));
    const { notices } = await run(lines[name] ?? '');
    const failed = (notices[0]?.text ?? '').startsWith('⚠️');
    assert.equal(failed, fails.includes(name), `${name}: ${notices[0]?.text}`);
    if (failed || spec.audited === 'nothing') continue;
    const detail = spec.audited === 'setting' ? `${name} workspace.stop` : name;
    expected.push({ what: spec.audited, who: 't:id-Boss', from: 't', channel: room, detail, times: 1 });
  }
  const noted = await trail(core);
  assert.deepEqual(noted, expected);
  assert.doesNotMatch(JSON.stringify(noted), new RegExp(canary));
});

test('every command that is refused leaves a trace: who, where, which', async (t) => {
  const core = await start(t, { blockedUsers: ['t:id-Mallory'] });
  const mallory = person('Mallory');
  for (const [n, spec] of commands.entries()) {
    const { notices } = await core.send(command(n + 10, lines[commandName(spec)] ?? '', { author: mallory }));
    assert.match(notices[0]?.text ?? '', /BLOCKED_USERS/);
  }
  await core.send(message(100, `${canary} again`, { author: mallory }));
  const noted = await trail(core);
  assert.deepEqual(
    noted.map(({ what, who, detail }) => [what, who, detail]),
    [...commands.map(commandName), 'message'].map((detail) => ['refused', 't:id-Mallory', detail]),
  );
  assert.doesNotMatch(JSON.stringify(noted), new RegExp(canary));
});

test('what asks first leaves a trace only once it is done', async (t) => {
  const core = await start(t);
  await core.send(message(1, 'hello'));
  await core.send(command(2, 'forget me'));
  assert.deepEqual(await trail(core), []);
  await core.send(command(3, 'forget me confirm'));
  assert.deepEqual(
    (await trail(core)).map(({ what }) => what),
    ['erasure'],
  );
});

test('a command on a channel from elsewhere names whose id it is, and only its own platform’s list makes an admin', async (t) => {
  const core = await start(t, { adminUsers: ['t:200'] });
  await core.send(message(1, 'hello'));
  const visitor = { id: '200', name: 'Visitor', admin: false, platform: 'console' };
  await assert.rejects(core.views.order(room, visitor, 'memory export'), { kind: 'forbidden' });
  await core.views.order(room, { ...visitor, admin: true }, 'memory export');
  assert.deepEqual(
    (await trail(core)).map(({ what, who, from, channel }) => [what, who, from, channel]),
    [
      ['refused', 'console:200', 'console', room],
      ['export', 'console:200', 'console', room],
    ],
  );
});
