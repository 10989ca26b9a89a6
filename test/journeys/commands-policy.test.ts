import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { commandName } from '../../src/commands/command.ts';
import { commands } from '../../src/commands/list.ts';
import { startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, order, type Program, say, startProgram } from './program.ts';

/** Who may talk, who may command, and where; and how a refusal reads. */

const server = await startModelServer();
after(() => server.close());

function start(env: Record<string, string>): Program {
  const program = startProgram({
    env: { DATA_DIR: newFolder({ after }), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k', ...env },
  });
  after(async () => assert.equal(await program.end(), 0));
  return program;
}

const by = (id: string, more: object = {}) => ({ author: { id, name: id, ...more } });

function refused({ text, private: isPrivate }: Line, rule: string): void {
  assert.deepEqual([text, isPrivate], [`⚠️ ${rule}`, true]);
}

async function passed(line: Promise<Line>): Promise<void> {
  assert.doesNotMatch((await line).text ?? '⚠️', /⚠️/);
}

const taken = (program: Program, id: string) =>
  program.line((line) => line.id === id && ['accepted', 'ignored'].includes(line.type));

const allSent = () => server.requests.map((one) => JSON.stringify(one.body)).join('\n');

describe('with lists of people, roles and channels', () => {
  const program = start({
    ADMIN_USERS: 'lines:boss',
    ALLOWED_USERS: 'lines:ann,lines/local/ben,terminal/local/cyd,discord:eve',
    ALLOWED_ROLES: 'lines:staff',
    ALLOWED_CHANNELS: 'lines:open,lines/local/second',
    BLOCKED_USERS: 'lines:mallory',
    LISTEN: 'all',
  });
  const ask = (text: string, more: object) => program.ending(say(program, text, { channel: 'open', ...more }));
  const run = (text: string, more: object) => program.ending(order(program, text, { channel: 'open', ...more }));

  test('whoever is allowed by name, by installation, by role or as an admin is answered', async () => {
    for (const who of [by('ann'), by('ben'), by('dan', { roles: ['staff'] }), by('boss')]) await passed(ask('Hi', who));
    await passed(ask('Hi', { ...by('boss'), channel: 'closed' }));
    await passed(ask('Hi', { ...by('ann'), channel: 'second', thread: 't' }));
  });

  test('everybody else is told which rule says no, alone, and the model hears nothing', async () => {
    const people = 'Only people in ALLOWED_USERS or with a role in ALLOWED_ROLES may talk to me here.';
    const channels = 'I may only be talked to in the channels in ALLOWED_CHANNELS, and this is none of them.';
    refused(await ask('outsider-4711', by('eve')), people);
    refused(await ask('outsider-4711', by('cyd')), people);
    refused(await ask('outsider-4711', by('dan', { roles: ['guest'] })), people);
    refused(await ask('outsider-4711', { ...by('ann'), channel: 'closed' }), channels);
    refused(await ask('outsider-4711', { ...by('ann'), channel: 'closed', thread: 't' }), channels);
    refused(
      await ask('outsider-4711', by('mallory', { roles: ['staff'] })),
      'People in BLOCKED_USERS may not talk to me.',
    );
    await passed(ask('And what was said?', by('ann')));
    assert.doesNotMatch(allSent(), /outsider/);
  });

  test('commands follow the same rules, whichever way they are given', async () => {
    const people = 'Only people in ALLOWED_USERS or with a role in ALLOWED_ROLES may talk to me here.';
    const blocked = 'People in BLOCKED_USERS may not talk to me.';
    refused(await run('help', by('eve')), people);
    refused(await ask('/role set You are mine.', by('eve')), people);
    refused(await run('memory show', by('mallory', { admin: true })), blocked);
    refused(await run('stop', by('mallory')), blocked);
    refused(await run('reset', by('eve', { admin: true })), people);
    await passed(run('memory show', by('ann')));
    refused(await run('memory export', by('ann')), 'Only admins may use /memory export.');
    await passed(run('memory export', by('boss')));
    await passed(run('memory export', by('ann', { admin: true })));
  });

  test('where somebody who may not talk to it speaks in a thread, others need a mention there', async () => {
    const top = say(program, 'Hi', { channel: 'open', ...by('ann') });
    await program.ending(top);
    const thread = { channel: 'open', thread: 'shared', branchedFrom: top, to: 'thread' };
    await passed(program.ending(say(program, 'Alone', { ...thread, ...by('ann') })));
    const blocked = say(program, 'Hello, ann', { ...thread, ...by('mallory') });
    const back = say(program, 'Hello, mallory', { ...thread, ...by('ann') });
    const mention = say(program, 'And you?', { ...thread, to: 'mention', ...by('ann') });
    await passed(program.ending(mention));
    for (const id of [blocked, back]) {
      assert.deepEqual(
        program.lines.filter((line) => line.id === id).map((line) => line.type),
        ['accepted'],
      );
    }
  });

  test('who is blocked and only overheard is neither answered nor remembered', async () => {
    const blocked = say(program, 'overheard-4711 by mallory', { channel: 'open', to: 'none', ...by('mallory') });
    const other = say(program, 'overheard-4712 by eve', { channel: 'open', to: 'none', ...by('eve') });
    const heard = say(program, 'overheard-4713 by ann', { channel: 'open', to: 'none', ...by('ann') });
    for (const id of [blocked, other, heard]) await taken(program, id);
    await passed(ask('What was said?', by('ann')));
    assert.match(allSent(), /overheard-4713/);
    assert.doesNotMatch(allSent(), /overheard-471[12]/);
    for (const id of [blocked, other]) {
      assert.ok(program.lines.every((line) => line.id !== id || ['accepted', 'ignored'].includes(line.type)));
    }
  });
});

describe('with restricted commands', () => {
  const program = start({ RESTRICTED_COMMANDS: 'role set, /reset, forget, retry, usage' });
  const run = (text: string, more: object = by('ann')) =>
    program.ending(order(program, text, { channel: 'open', ...more }));

  test('they are left to admins, the others stay open, and the refusal names the rule', async () => {
    await passed(program.ending(say(program, 'Hi', { channel: 'open', ...by('ann') })));
    for (const [line, name] of [
      ['role set You are mine.', 'role set'],
      ['reset', 'reset'],
      ['forget me', 'forget me'],
      ['forget last 1 confirm', 'forget last'],
      ['retry', 'retry'],
      ['usage', 'usage'],
    ] as const) {
      refused(await run(line), `RESTRICTED_COMMANDS leaves /${name} to admins.`);
    }
    for (const line of ['role show', 'memory show', 'settings show', 'help']) await passed(run(line));
    const mention = say(program, '/reset', { channel: 'open', ...by('ann') });
    refused(await program.ending(mention), 'RESTRICTED_COMMANDS leaves /reset to admins.');
    const admin = by('root', { admin: true });
    for (const line of ['role set You are ours.', 'usage', 'reset', 'undo']) await passed(run(line, admin));
  });

  test('where ids are chosen by whoever sends them, one that does not say its platform ends the program at once', async () => {
    const other = startProgram({ env: { STORE_URL: 'memory:', DISCORD_BOT_TOKEN: 'x', ADMIN_USERS: '4711' } });
    assert.equal(await other.end(), 78);
    assert.match(
      other.errors(),
      /- ADMIN_USERS: an id does not say of which platform it is; write discord:ID or lines:ID\n/,
    );
    assert.doesNotMatch(other.errors(), /4711/);
  });

  test('a restriction that names nothing ends the program at once, with what was probably meant', async () => {
    const other = startProgram({ env: { STORE_URL: 'memory:', RESTRICTED_COMMANDS: 'rest' } });
    assert.equal(await other.end(), 78);
    assert.match(other.errors(), /RESTRICTED_COMMANDS: there is no command "rest"; did you mean reset\?/);
  });
});

test('every command answers in public or in private as the list says', async () => {
  const program = start({});
  const options: Record<string, string> = {
    'role set': 'You are a fish.',
    'role preset': 'translator',
    'forget last': '1',
    'forget user': 'u1',
    'settings set': 'seed 1',
    'settings clear': 'seed',
  };
  await passed(program.ending(say(program, 'Hi', { channel: 'open' })));
  for (const spec of commands) {
    const name = commandName(spec);
    if (name === 'retry') continue; // is answered like a question
    const said = await program.ending(order(program, `${name} ${options[name] ?? ''}`, { channel: 'open' }));
    assert.equal(said.private, !spec.public, name);
  }
});
