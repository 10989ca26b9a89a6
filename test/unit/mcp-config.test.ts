import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toChannelId } from '../../src/event.ts';
import { isNamed, isOfferedIn, mcpSecrets, parseMcpConfig, readMcpConfig } from '../../src/tools/mcp-config.ts';
import { toolNames } from '../../src/tools/mcp-names.ts';

/** As it stands in a configuration. */
const variable = (name: string): string => `\${${name}}`;
const parse = (servers: unknown, environment = {}) => parseMcpConfig(JSON.stringify({ servers }), environment);

test('servers are read from the file form of other MCP clients, too', () => {
  const servers = {
    brave_search: { command: 'npx', args: ['-y', 'x'], type: 'stdio' },
    web: { url: 'https://example.org/mcp' },
  };
  const specs = parseMcpConfig(JSON.stringify({ mcpServers: servers }), {});
  assert.deepEqual(specs, [
    {
      kind: 'child',
      name: 'brave-search',
      command: 'npx',
      args: ['-y', 'x'],
      env: {},
      cwd: undefined,
      channels: undefined,
      tools: undefined,
    },
    { kind: 'remote', name: 'web', url: 'https://example.org/mcp', headers: {}, channels: undefined, tools: undefined },
  ]);
});

test('a secret may stand in the environment instead of the file', () => {
  const specs = parse(
    {
      a: { command: 'x', env: { KEY: variable('A_KEY') } },
      b: { url: 'http://b', headers: { Authorization: `Bearer ${variable('B_KEY')}` } },
    },
    { A_KEY: 'key-of-a-1', B_KEY: 'key-of-b-1' },
  );
  assert.deepEqual(mcpSecrets(specs), ['key-of-a-1', 'key-of-a-1', 'Bearer key-of-b-1', 'key-of-b-1']);
});

test('what is wrong in the file is said with the name of the variable and of the server', () => {
  const cases: [string, RegExp][] = [
    ['nonsense', /^MCP_CONFIG: the file is no valid JSON/],
    ['[]', /^MCP_CONFIG: the file must be of the form/],
    ['{"servers": {"a": {}}}', /^MCP_CONFIG: the server a needs either a command or a url/],
    ['{"servers": {"a": {"command": "x", "url": "http://y"}}}', /the server a needs either/],
    ['{"servers": {"a": {"command": 5}}}', /the server a: command/],
    ['{"servers": {"a": {"command": "x", "channels": []}}}', /the server a: channels/],
    ['{"servers": {"a": {"url": "ftp://y"}}}', /the server a: url/],
    ['{"servers": {"!": {"command": "x"}}}', /needs letters or digits/],
    ['{"servers": {"a.b": {"command": "x"}, "a_b": {"command": "x"}}}', /two servers are called a-b/],
    [
      `{"servers": {"a": {"command": "x", "env": {"K": "${variable('NOPE')}"}}}}`,
      /the server a wants \$\{NOPE\}, which is not set/,
    ],
  ];
  for (const [content, words] of cases) {
    assert.throws(() => parseMcpConfig(content, {}), { kind: 'config', message: words }, content);
  }
  assert.throws(() => readMcpConfig('/nonexistent.json', {}), {
    kind: 'config',
    message: /^MCP_CONFIG: .*cannot be read/,
  });
});

test('channel patterns name channels by id, or by platform, workspace, channel and thread', () => {
  const channel = toChannelId({ platform: 'chat', workspace: 'w1', channel: 'c1' });
  const thread = toChannelId({ platform: 'chat', workspace: 'w1', channel: 'c1', thread: 't1' });
  const offered = (pattern: string) => [channel, thread].map((id) => isOfferedIn([pattern], id));
  assert.deepEqual(offered('c1'), [true, true]);
  assert.deepEqual(offered('*'), [true, true]);
  assert.deepEqual(offered('c*'), [true, true]);
  assert.deepEqual(offered('c'), [false, false]);
  assert.deepEqual(offered('chat/w1'), [true, true]);
  assert.deepEqual(offered('chat/*/c1'), [true, true]);
  assert.deepEqual(offered('chat/w1/c1/t1'), [false, true]);
  assert.deepEqual(offered('chat/w2/*'), [false, false]);
  assert.deepEqual(offered('c.'), [false, false]);
  assert.ok(isOfferedIn(undefined, channel) && isNamed(undefined, 'x') && isNamed(['read_*'], 'read_file'));
  assert.ok(!isNamed(['read_*'], 'write_file'));
});

test('names of tools fit the chat API, and no two are the same', () => {
  const long = 'x'.repeat(80);
  const names = toolNames('s', ['a', 'b.c', 'b/c', `${long}1`, `${long}2`]);
  assert.equal(names.get('a'), 's_a');
  const all = [...names.values()];
  assert.equal(new Set(all).size, 5);
  for (const name of all) assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
});

test('a star stands for any characters, or none, and every other sign for itself', () => {
  const sign = fc.constantFrom('a', 'b', '*', '.', '+', '_');
  const word = fc.array(sign, { maxLength: 8 }).map((signs) => signs.join(''));
  fc.assert(
    fc.property(word, word, (pattern, name) => {
      const source = pattern.replace(/[.+]/g, '\\$&').replaceAll('*', '.*');
      assert.equal(isNamed([pattern], name), new RegExp(`^${source}$`).test(name), `${pattern} ${name}`);
    }),
  );
});
