import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseConfig, variableNames } from '../../src/config.ts';
import { BotError } from '../../src/errors.ts';

const example = readFileSync(path.resolve(import.meta.dirname, '../../.env.example'), 'utf8');

test('.env.example names exactly the variables that are read', () => {
  const named = [...example.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
  assert.deepEqual(new Set(named), new Set(variableNames));
});

test('.env.example shows the defaults that hold', () => {
  const shown = [...example.matchAll(/^# ([A-Z][A-Z0-9_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]);
  const given = parseConfig(Object.fromEntries(shown));
  // Of what the client libraries know themselves, as their own address, the program knows no default.
  for (const [path, value] of leaves(parseConfig({}))) {
    if (value !== undefined) assert.deepEqual(leaves(given).get(path), value, path);
  }
});

test('every problem is listed at once, by name and without the value', () => {
  const bad = {
    MEMORY_TOKENS: 'lots',
    PORT: '99999',
    OPENAI_BASE_URL: 'ftp://secret-host',
    TIMEZONE: 'Mars/Olympus',
    LISTEN: 'maybe',
  };
  assert.throws(
    () => parseConfig(bad),
    (error: unknown) => {
      assert.ok(error instanceof BotError);
      assert.equal(error.kind, 'config');
      for (const name of Object.keys(bad)) assert.match(error.message, new RegExp(`- ${name}: `));
      for (const value of ['lots', '99999', 'secret-host', 'Mars'])
        assert.doesNotMatch(error.message, new RegExp(value));
      return true;
    },
  );
});

test('settings that contradict each other are refused', () => {
  assert.throws(() => parseConfig({ MEMORY_HIGH: '500', MEMORY_LOW: '600' }), /MEMORY_LOW: must be below MEMORY_HIGH/);
  assert.throws(
    () => parseConfig({ MODEL_CONTEXT_TOKENS: '8000' }),
    /MEMORY_TOKENS: with MAX_REPLY_TOKENS it is more than/,
  );
});

test('a console that others can reach needs both passwords, and long ones', () => {
  for (const HOST of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org']) {
    assert.throws(() => parseConfig({ HOST }), /- APP_PASSWORD: is needed[\s\S]*- ADMIN_PASSWORD: is needed/);
    assert.throws(() => parseConfig({ HOST, APP_PASSWORD: 'long enough' }), /\n {2}- ADMIN_PASSWORD: is needed[^\n]*$/);
    parseConfig({ HOST, APP_PASSWORD: 'long enough', ADMIN_PASSWORD: 'longer yet' });
  }
  for (const HOST of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) parseConfig({ HOST });
  assert.throws(() => parseConfig({ APP_PASSWORD: 'secret' }), /APP_PASSWORD: must have at least 8 characters/);
});

test('behind a proxy the console needs both passwords, too; addresses that are none are refused', () => {
  for (const set of [{ TRUSTED_PROXIES: '127.0.0.1' }, { PUBLIC_URL: 'https://bot.example.org' }]) {
    assert.throws(() => parseConfig(set), /- APP_PASSWORD: is needed where[\s\S]*- ADMIN_PASSWORD: is needed where/);
  }
  const passwords = { APP_PASSWORD: 'long enough', ADMIN_PASSWORD: 'longer yet' };
  const { publicUrl, trustedProxies } = parseConfig({
    ...passwords,
    PUBLIC_URL: 'https://Bot.example.org/',
    TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8, fd00::/8',
  });
  assert.deepEqual([publicUrl, trustedProxies], ['https://bot.example.org', ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']]);
  assert.equal(parseConfig({ PUBLIC_URL: 'http://localhost:7860' }).publicUrl, 'http://localhost:7860');
  for (const ranges of ['proxy', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '1.2.3']) {
    assert.throws(() => parseConfig({ ...passwords, TRUSTED_PROXIES: ranges }), /- TRUSTED_PROXIES: must be addresses/);
  }
  for (const url of ['bot.example.org', 'ftp://x', 'https://x/path', 'https://u:p@x', 'https://x/?q']) {
    assert.throws(() => parseConfig({ ...passwords, PUBLIC_URL: url }), /- PUBLIC_URL: must be an/);
  }
});

test('a variable that is set but empty counts as not set', () => {
  assert.equal(parseConfig({ OPENAI_API_KEY: '', MEMORY_TOKENS: ' ' }).memory.tokens, 12_000);
});

test('the older name of the address is read as well, and the newer one wins', () => {
  assert.equal(parseConfig({ OPENAI_API_BASE: 'http://a/v1' }).model.baseUrl, 'http://a/v1');
  assert.equal(
    parseConfig({ OPENAI_API_BASE: 'http://a/v1', OPENAI_BASE_URL: 'http://b/v1' }).model.baseUrl,
    'http://b/v1',
  );
});

function leaves(value: unknown, path = ''): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, value]]);
  return new Map(Object.entries(value).flatMap(([name, inner]) => [...leaves(inner, `${path}.${name}`)]));
}

function problemsOf(env: Record<string, string>, mode?: 'serve' | 'chat' | 'lines'): string[] {
  try {
    parseConfig(env, mode);
    return [];
  } catch (error) {
    assert.ok(error instanceof BotError);
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''));
  }
}

test('what values are to each other is checked also while others cannot be understood', () => {
  const problems = problemsOf({
    LISTEN: 'maybe',
    MEMORY_TOKENS: 'lots',
    SUMMARY_TOKENS: '900000',
    MEMORY_HIGH: '500',
    MEMORY_LOW: '600',
    SLACK_BOT_TOKEN: 'xoxb-1',
    HOST: '0.0.0.0',
    PUBLIC_URL: 'nowhere',
    APP_PASSWORD: 'short',
  });
  assert.deepEqual(
    problems.map((line) => line.split(':')[0] ?? '').toSorted((a, b) => a.localeCompare(b)),
    ['ADMIN_PASSWORD', 'APP_PASSWORD', 'LISTEN', 'MEMORY_LOW', 'MEMORY_TOKENS', 'PUBLIC_URL', 'SLACK_BOT_TOKEN'],
    'but none that is about a value which cannot be understood',
  );
});

const [discord, slack] = [{ DISCORD_BOT_TOKEN: 'd' }, { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }];
const idLists = ['ADMIN_USERS', 'ALLOWED_USERS', 'ALLOWED_ROLES', 'ALLOWED_CHANNELS', 'BLOCKED_USERS'];

test('an id that does not say its platform is taken only where one platform runs', () => {
  for (const name of idLists) {
    const bare = { [name]: '200' };
    assert.deepEqual(problemsOf({ ...discord, ...slack, ...bare }), [
      `${name}: an id does not say of which platform it is; write discord:ID or slack:ID`,
    ]);
    assert.deepEqual(problemsOf({ ...discord, ...bare }, 'lines'), [
      `${name}: an id does not say of which platform it is; write discord:ID or lines:ID`,
    ]);
    assert.deepEqual(problemsOf(bare, 'lines'), [
      `${name}: an id does not say of which platform it is; write lines:ID`,
    ]);
  }
  const adminsOf = (env: Record<string, string>, mode?: 'chat') =>
    parseConfig({ ...env, ADMIN_USERS: '200, slack:U1,discord/1/3' }, mode).policy.adminUsers;
  assert.deepEqual(adminsOf(discord), ['discord:200', 'slack:U1', 'discord/1/3']);
  assert.deepEqual(adminsOf(slack), ['slack:200', 'slack:U1', 'discord/1/3']);
  assert.deepEqual(adminsOf({}), ['web:200', 'slack:U1', 'discord/1/3']);
  assert.deepEqual(adminsOf({}, 'chat'), ['terminal:200', 'slack:U1', 'discord/1/3']);
  assert.deepEqual(adminsOf(discord, 'chat'), ['discord:200', 'slack:U1', 'discord/1/3']);
});

test('an id of a platform that there is not, or that is incomplete, is a problem, told without the id', () => {
  const unknown = 'an id names a platform that there is not; there are discord, slack, web, terminal, lines';
  assert.deepEqual(problemsOf({ BLOCKED_USERS: 'discrod:4711' }), [`BLOCKED_USERS: ${unknown}`]);
  assert.deepEqual(problemsOf({ BLOCKED_USERS: 'chat/1/4711' }), [`BLOCKED_USERS: ${unknown}`]);
  assert.deepEqual(problemsOf({ BLOCKED_USERS: 'discord/4711' }), [
    'BLOCKED_USERS: an id is incomplete; write platform:id or platform/workspace/id',
  ]);
});

test('workspaces are named with their platform, and the program’s own places are always served', () => {
  const wrong = 'ALLOWED_WORKSPACES: must be a list such as discord/ID, slack/ID';
  for (const ALLOWED_WORKSPACES of ['1234', 'discord/', 'discord/1/2', 'web/console', 'slack:T1']) {
    assert.deepEqual(problemsOf({ ALLOWED_WORKSPACES }), [wrong]);
  }
  assert.deepEqual(parseConfig({}).policy.allowedWorkspaces, []);
  const { allowedWorkspaces } = parseConfig({ ALLOWED_WORKSPACES: 'discord/1, slack/T1' }).policy;
  assert.deepEqual(allowedWorkspaces, ['discord/1', 'slack/T1', 'web/console', 'terminal/local', 'lines/local']);
});
