import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicy, type PolicyLists, restrictionProblems, type Verdict } from '../../src/commands/policy.ts';
import { type Author, type ChannelId, toChannelId } from '../../src/event.ts';
import { specOf, specs } from './command-specs.ts';

const general = toChannelId({ platform: 'chat', workspace: 'W 1', channel: 'general' });
const thread = toChannelId({ platform: 'chat', workspace: 'W 1', channel: 'general', thread: '77' });
const random = toChannelId({ platform: 'chat', workspace: 'W 1', channel: 'random' });
const elsewhere = toChannelId({ platform: 'chat', workspace: 'W2', channel: 'general' });

function policyOf(lists: Partial<PolicyLists> = {}) {
  const none = {
    adminUsers: [],
    allowedUsers: [],
    allowedRoles: [],
    allowedChannels: [],
    blockedUsers: [],
    allowedWorkspaces: [],
    restrictedCommands: [],
  };
  return createPolicy({ ...none, ...lists });
}

function person(id: string, more: Partial<Author> = {}): Author {
  return { id, name: id, admin: false, roles: [], ...more };
}

function ruleOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.rule;
}

function talks(lists: Partial<PolicyLists>, author: Author, channel: ChannelId = general): string {
  return ruleOf(policyOf(lists).mayTalk(author, channel, true));
}

test('without any list everybody may talk everywhere', () => {
  assert.equal(talks({}, person('ann')), 'allowed');
  assert.equal(talks({}, person('ann'), thread), 'allowed');
});

test('whoever is allowed by name or by role may talk, nobody else', () => {
  const both = { allowedUsers: ['chat:ann'], allowedRoles: ['chat:staff'] };
  assert.equal(talks(both, person('ann')), 'allowed');
  assert.equal(talks(both, person('bob', { roles: ['guest', 'staff'] })), 'allowed');
  assert.match(talks(both, person('bob')), /ALLOWED_USERS or with a role in ALLOWED_ROLES/);
  assert.match(talks({ allowedUsers: ['chat:ann'] }, person('bob')), /^Only people in ALLOWED_USERS/);
  assert.match(talks({ allowedRoles: ['chat:staff'] }, person('ann')), /^Only people with a role in ALLOWED_ROLES/);
  assert.doesNotMatch(talks(both, person('bob')), /ann|staff/);
});

test('a thread counts as its channel', () => {
  const lists = { allowedChannels: ['chat:general'] };
  assert.equal(talks(lists, person('ann'), thread), 'allowed');
  assert.match(talks(lists, person('ann'), random), /ALLOWED_CHANNELS/);
  assert.equal(talks({ allowedChannels: ['chat:77'] }, person('ann'), thread).includes('ALLOWED_CHANNELS'), true);
});

test('the channel and the person must both be allowed', () => {
  const lists = { allowedChannels: ['chat:general'], allowedUsers: ['chat:ann'] };
  assert.equal(talks(lists, person('ann')), 'allowed');
  assert.match(talks(lists, person('ann'), random), /ALLOWED_CHANNELS/);
  assert.match(talks(lists, person('bob')), /ALLOWED_USERS/);
});

test('an id with its installation before it means that installation only', () => {
  for (const id of ['chat/W 1/ann', 'chat/W%201/ann']) {
    assert.equal(talks({ allowedUsers: [id] }, person('ann')), 'allowed', id);
    assert.match(talks({ allowedUsers: [id] }, person('ann'), elsewhere), /ALLOWED_USERS/, id);
  }
  assert.equal(talks({ allowedChannels: [general] }, person('ann'), thread), 'allowed');
  assert.match(talks({ allowedChannels: [general] }, person('ann'), elsewhere), /ALLOWED_CHANNELS/);
  assert.equal(talks({ allowedRoles: ['chat/W 1/staff'] }, person('ann', { roles: ['staff'] })), 'allowed');
});

test('an id is of one platform: the same id of another one is somebody else', () => {
  const there = toChannelId({ platform: 'other', workspace: 'W 1', channel: 'general' });
  const lists = { adminUsers: ['chat:200'], blockedUsers: ['chat:300'], allowedRoles: ['chat:staff'] };
  const { isAdmin } = policyOf(lists);
  assert.equal(isAdmin(person('200'), general), true);
  assert.equal(isAdmin(person('200'), there), false);
  assert.equal(isAdmin(person('200', { platform: 'other' }), general), false, 'who commands from elsewhere');
  assert.equal(isAdmin(person('200', { platform: 'chat' }), there), true);
  assert.match(talks({ blockedUsers: ['chat:300'] }, person('300')), /BLOCKED_USERS/);
  assert.equal(talks({ blockedUsers: ['chat:300'] }, person('300'), there), 'allowed');
  const staff = person('ann', { roles: ['staff'] });
  assert.equal(talks(lists, staff), 'allowed');
  assert.match(talks(lists, staff, there), /ALLOWED_ROLES/);
  for (const bare of [['200'], ['ann']])
    assert.equal(policyOf({ adminUsers: bare }).isAdmin(person('200'), general), false);
});

test('in a workspace that is not listed nobody may do anything, admins neither; from elsewhere it is looked after', () => {
  for (const listed of ['chat/W 1', 'chat/W%201']) {
    const { mayTalk, mayCommand, isServed } = policyOf({ allowedWorkspaces: [listed], adminUsers: ['chat:boss'] });
    assert.deepEqual([isServed(general), isServed(thread), isServed(elsewhere)], [true, true, false]);
    assert.deepEqual(mayTalk(person('ann'), general, true), { allowed: true });
    const rule = 'I do not work in this workspace: ALLOWED_WORKSPACES does not name it.';
    for (const author of [person('ann', { admin: true }), person('boss')]) {
      assert.deepEqual(mayTalk(author, elsewhere, true), { allowed: false, rule, silent: false });
      assert.deepEqual(mayTalk(author, elsewhere, false), { allowed: false, rule, silent: true });
      for (const spec of specs) assert.equal(ruleOf(mayCommand(spec, author, elsewhere, {})), rule);
    }
    const visiting = person('root', { admin: true, platform: 'console' });
    assert.equal(ruleOf(mayCommand(specOf('forget me'), visiting, elsewhere, {})), 'allowed');
  }
});

test('who is blocked is blocked, also with an allowed name, role or channel', () => {
  const lists = { blockedUsers: ['chat:ann'], allowedUsers: ['chat:ann'], allowedChannels: ['chat:general'] };
  assert.match(talks(lists, person('ann', { roles: ['staff'] })), /BLOCKED_USERS/);
  assert.match(ruleOf(policyOf(lists).mayCommand(specOf('help'), person('ann'), general, {})), /BLOCKED_USERS/);
});

test("the operator's admins pass every list", () => {
  const lists = {
    adminUsers: ['chat:ann'],
    blockedUsers: ['chat:ann'],
    allowedUsers: ['chat:bob'],
    allowedChannels: ['chat:random'],
    restrictedCommands: ['role'],
  };
  assert.equal(talks(lists, person('ann')), 'allowed');
  for (const spec of specs)
    assert.equal(ruleOf(policyOf(lists).mayCommand(spec, person('ann'), general, {})), 'allowed');
});

test("a platform's admin may command in the own workspace, but passes none of the operator's lists", () => {
  const boss = person('ann', { admin: true });
  assert.equal(policyOf().isAdmin(boss, general), true);
  for (const spec of specs) {
    assert.equal(ruleOf(policyOf({ restrictedCommands: ['role'] }).mayCommand(spec, boss, general, {})), 'allowed');
  }
  assert.match(talks({ blockedUsers: ['chat:ann'] }, boss), /BLOCKED_USERS/);
  assert.match(talks({ allowedUsers: ['chat:bob'] }, boss), /ALLOWED_USERS/);
  assert.match(
    ruleOf(policyOf({ allowedChannels: ['chat:random'] }).mayCommand(specOf('usage'), boss, general, {})),
    /ALLOWED_CHANNELS/,
  );
});

test('only admins may use the commands of admins', () => {
  const { mayCommand, isAdmin } = policyOf({ adminUsers: ['chat/W 1/ann'] });
  assert.equal(
    ruleOf(mayCommand(specOf('settings set'), person('bob'), general, {})),
    'Only admins may use /settings set.',
  );
  assert.equal(ruleOf(mayCommand(specOf('settings set'), person('ann'), general, {})), 'allowed');
  assert.equal(ruleOf(mayCommand(specOf('settings show'), person('bob'), general, {})), 'allowed');
  assert.equal(isAdmin(person('ann'), thread), true);
  assert.equal(isAdmin(person('ann'), elsewhere), false);
});

test('an answer may be stopped by whoever asked, or by an admin', () => {
  const { mayCommand } = policyOf({ adminUsers: ['chat:boss'] });
  const stop = specOf('stop');
  assert.match(
    ruleOf(mayCommand(stop, person('bob'), general, {})),
    /whoever asked the question, or an admin, may use \/stop/,
  );
  assert.equal(ruleOf(mayCommand(stop, person('bob'), general, { isAsker: true })), 'allowed');
  assert.equal(ruleOf(mayCommand(stop, person('boss'), general, { isAsker: false })), 'allowed');
});

test('a restricted command, or a group of them, is left to admins', () => {
  for (const restricted of ['role set', '/Role  Set', 'role']) {
    const { mayCommand } = policyOf({ restrictedCommands: [restricted] });
    assert.equal(
      ruleOf(mayCommand(specOf('role set'), person('bob'), general, {})),
      'RESTRICTED_COMMANDS leaves /role set to admins.',
    );
    assert.equal(ruleOf(mayCommand(specOf('reset'), person('bob'), general, {})), 'allowed');
    assert.equal(
      ruleOf(mayCommand(specOf('role show'), person('bob'), general, {})) === 'allowed',
      restricted !== 'role',
    );
  }
  const { mayCommand } = policyOf({ restrictedCommands: ['forget'] });
  assert.equal(ruleOf(mayCommand(specOf('forget me'), person('bob'), general, {})), 'allowed', 'not restrictable');
});

test('who was only overheard is passed over in silence, who spoke to it is told', () => {
  const { mayTalk, mayCommand } = policyOf({ allowedUsers: ['chat:ann'] });
  const rule = 'Only people in ALLOWED_USERS may talk to me here.';
  assert.deepEqual(mayTalk(person('bob'), general, false), { allowed: false, rule, silent: true });
  assert.deepEqual(mayTalk(person('bob'), general, true), { allowed: false, rule, silent: false });
  assert.deepEqual(mayCommand(specOf('help'), person('bob'), general, {}), { allowed: false, rule, silent: false });
});

test('a restriction of what does not exist, or cannot be restricted, is a problem of the configuration', () => {
  assert.deepEqual(restrictionProblems(specs, ['role', '/role set', 'RESET', 'settings set']), []);
  assert.deepEqual(restrictionProblems(specs, ['rest', 'xyzzy', 'help']), [
    'RESTRICTED_COMMANDS: there is no command "rest"; did you mean reset?',
    'RESTRICTED_COMMANDS: there is no command "xyzzy"',
    'RESTRICTED_COMMANDS: help is open to everybody and cannot be restricted',
  ]);
});
