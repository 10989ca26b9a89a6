import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readAbout, toActions, toLines } from '../../adapters/slack/buttons.ts';
import { createClaims } from '../../adapters/slack/claims.ts';
import { takesPerson, withIds } from '../../adapters/slack/command.ts';
import { createHosts } from '../../adapters/slack/hosts.ts';
import { toChannel, toPlace } from '../../adapters/slack/ids.ts';
import { createInOrder } from '../../adapters/slack/in-order.ts';
import { listenedEvents } from '../../adapters/slack/listening.ts';
import { botScopes, toManifest } from '../../adapters/slack/manifest.ts';
import { growing, markdownBlock, maxPieceChars, neutralised, toMrkdwn } from '../../adapters/slack/markdown.ts';
import { methodScopes } from '../../adapters/slack/methods.ts';
import { createPeople } from '../../adapters/slack/people.ts';
import { isSlacks } from '../../adapters/slack/signature.ts';
import { toStatus } from '../../adapters/slack/status.ts';
import { asCommand, inSlackWords } from '../../adapters/slack/words.ts';
import { commands } from '../../src/commands/list.ts';
import { scopes as realScopes } from '../sim/slack-methods.ts';

const folder = path.resolve(import.meta.dirname, '../../adapters/slack');
const source = readdirSync(folder)
  .map((name) => readFileSync(path.join(folder, name), 'utf8'))
  .join('\n');

test('the manifest asks for exactly the scopes that the calls made and the events heard need', () => {
  const called = new Set([...source.matchAll(/(?:call|pages)\(\s*'([\w.]+)'/g)].map(([, name = '']) => name));
  assert.deepEqual([...called].sort(), Object.keys(methodScopes).sort(), 'the table lists what is called');
  for (const [method, scopes] of Object.entries(methodScopes)) assert.deepEqual(scopes, realScopes[method], method);
  const forEvents: Record<string, string> = {
    app_mention: 'app_mentions:read',
    assistant_thread_started: 'assistant:write',
    'message.channels': 'channels:history',
    'message.groups': 'groups:history',
    'message.im': 'im:history',
    'message.mpim': 'mpim:history',
  };
  const wanted = [
    ...[...called].flatMap((method) => realScopes[method] ?? []),
    ...listenedEvents.flatMap((event) => forEvents[event] ?? []),
    'commands',
    'files:read',
  ];
  assert.deepEqual(botScopes(), [...new Set(wanted)].sort());
});

test('the manifest subscribes to exactly the events that are listened to', () => {
  const heard = [...source.matchAll(/app\.event\('(\w+)'/g)].map(([, name = '']) => name);
  const subscribed = toManifest(commands, undefined).settings.event_subscriptions.bot_events;
  assert.deepEqual(
    [...new Set(subscribed.map((name) => name.replace(/^message\..*/, 'message')))].sort(),
    heard.sort(),
  );
});

test('the manifest is for a socket, or for requests to the address given', () => {
  const socket = toManifest(commands, undefined);
  assert.equal(socket.settings.socket_mode_enabled, true);
  assert.doesNotMatch(JSON.stringify(socket), /http/);
  const requests = toManifest(commands, 'https://bot.example.org/');
  const url = 'https://bot.example.org/slack/events';
  assert.equal(requests.settings.socket_mode_enabled, false);
  assert.equal(requests.settings.event_subscriptions.request_url, url);
  assert.equal(requests.settings.interactivity.request_url, url);
  assert.equal(requests.features.slash_commands[0]?.url, url);
});

test('the manifest names every command of the one list, within Slack’s limits', () => {
  const { features, display_information: about } = toManifest(commands, undefined);
  const [slash] = features.slash_commands;
  for (const { path: words } of commands) assert.ok(slash?.usage_hint.includes(words.join(' ')), words.join(' '));
  assert.ok((slash?.usage_hint.length ?? 0) <= 1000 && (slash?.description.length ?? 0) <= 2000);
  assert.ok(about.name.length <= 35 && about.description.length <= 140);
  assert.ok(features.assistant_view.suggested_prompts.length <= 4);
});

test('a text of nothing but calls fits into a block when none of them calls any more', () => {
  for (const call of ['<!here>', '<\\!here>', '<!channel>', '<@U12', '<@W12>', '<!group>', '<!subteam^S1>']) {
    const text = call.repeat(maxPieceChars).slice(0, maxPieceChars);
    const block = markdownBlock(text).text;
    assert.ok(block.length <= 12_000, `${call}: ${block.length}`);
    assert.ok(!block.includes(call));
    assert.equal(block.replaceAll('\u2060', ''), text);
  }
});

test('whatever is streamed bit by bit only ever grows into what is streamed at once, and never calls', () => {
  const part = fc.constantFrom(
    '<',
    '!',
    '@',
    'U',
    'W1',
    '2',
    'here',
    'chan',
    'nel',
    'sub',
    'team^S1',
    '>',
    ' ',
    'x',
    '|',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      let before = '';
      let text = '';
      for (const one of parts) {
        text += one;
        const now = growing(text);
        assert.ok(now.startsWith(before), JSON.stringify([before, now]));
        assert.doesNotMatch(now, /<\\*(!(channel|here|everyone|group|subteam)\b|@[UW][A-Z0-9]{2})/i);
        before = now;
      }
      assert.ok(neutralised(text).startsWith(before), JSON.stringify([text, before]));
    }),
    { numRuns: 5000 },
  );
});

test('where no Markdown is read, what the core says is written in Slack’s own way, and calls nobody', () => {
  assert.equal(
    toMrkdwn('**What I remember** (of 5 < 6)\n> a & **b**\n`role`\n```\n2 ** 3\n```\n<!here> <@U1>'),
    '*What I remember* (of 5 &lt; 6)\n&gt; a &amp; *b*\n`role`\n```\n2 ** 3\n```\n&lt;!here&gt; &lt;@U1&gt;',
  );
});

test('HTML, comparisons and code keep their bytes', () => {
  for (const text of ['<!DOCTYPE html>', 'a<b && c>d', '<!-- here -->', 'List<@NonNull T>', '@here @channel']) {
    assert.equal(neutralised(text), text);
  }
});

test('a button says what it stands for and where, also when it is read years later', () => {
  const stop = [{ label: 'Stop', command: 'stop' }];
  for (const about of [
    { thread: undefined, question: undefined },
    { thread: '1700000000.000100', question: '1700000001.000200' },
    { thread: undefined, question: '1700000001.000200' },
  ]) {
    const [block] = toActions(stop, about);
    assert.deepEqual(readAbout(block?.block_id ?? ''), about);
  }
  assert.equal(readAbout('somebody-elses'), undefined);
  const long = [{ label: 'Long', command: 'x'.repeat(2001) }];
  assert.deepEqual(toActions(long, { thread: undefined, question: undefined }), []);
  assert.match(toLines(long), /Long: mention me with/);
});

test('a command about a person takes the id of whom it names', () => {
  assert.equal(takesPerson('Forget  user <@U1|ann>', commands), true);
  assert.equal(takesPerson('role set ask <@U1|ann>', commands), false);
  assert.equal(withIds('forget user <@U1|ann> <@W2>'), 'forget user U1 W2');
});

test('files and answers go to Slack’s hosts only', () => {
  const real = createHosts(undefined);
  assert.equal(real.isFile('https://files.slack.com/files-pri/T1-F1/download/a.txt'), true);
  assert.equal(real.isResponse('https://hooks.slack.com/commands/T1/2/3'), true);
  for (const url of [
    'http://files.slack.com/x',
    'https://files.slack.com.evil.org/x',
    'https://files.slack.com@evil.org/x',
    'https://files.slack.com:8443/x',
    'https://evil.org/files.slack.com',
    'https://hooks.slack.com/x',
    'http://127.0.0.1/x',
    '',
  ]) {
    assert.equal(real.isFile(url), false, url);
  }
  assert.equal(real.isResponse('https://files.slack.com/x'), false);
  const local = createHosts('http://127.0.0.1:5000/api/');
  assert.equal(local.isFile('http://127.0.0.1:5000/files/1'), true);
  assert.equal(local.isFile('http://127.0.0.1:5001/files/1'), false);
});

test('channels and threads are found again from their ids', () => {
  for (const place of [
    { channel: 'C1', thread: undefined },
    { channel: 'C1', thread: '1700000000.000100' },
  ]) {
    assert.deepEqual(toPlace(toChannel('T1', place)), place);
  }
});

test('a signature holds for its body, its secret and its time', () => {
  const now = 1_700_000_000_000;
  const timestamp = String(now / 1000);
  const signature = 'v0=0';
  assert.equal(isSlacks({ timestamp, signature, body: '' }, 's', now), false);
  assert.equal(isSlacks({ timestamp: undefined, signature, body: '' }, 's', now), false);
});

test('what happens in one place is taken in order, and a failure holds nothing up', async () => {
  const inOrder = createInOrder();
  const seen: number[] = [];
  let release = (): void => {};
  const first = inOrder.add('a', async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    seen.push(1);
    throw new Error('no');
  });
  const second = inOrder.add('a', async () => void seen.push(2));
  await inOrder.add('b', async () => void seen.push(3));
  release();
  await assert.rejects(first);
  await second;
  assert.deepEqual(seen, [3, 1, 2]);
});

test('a name is looked up once, again when it is old or when it failed; an admin of another workspace is none here', async () => {
  let clock = 0;
  let asked = 0;
  let failing = true;
  const api = {
    user: async (id: string) => {
      asked++;
      if (failing) throw new Error('no');
      return { id, team_id: 'T2', is_admin: true, profile: { display_name: 'Ann' } };
    },
  };
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const people = createPeople({ api: api as never, self: 'U0', team: 'T1', log, now: () => clock });
  assert.deepEqual(await people.author('U1', 'shown'), { id: 'U1', name: 'shown', admin: false, roles: [] });
  assert.equal((await people.author('U9')).name, 'somebody');
  failing = false;
  assert.deepEqual(await people.author('U1'), { id: 'U1', name: 'Ann', admin: false, roles: [] });
  await people.author('U1');
  assert.equal(asked, 3);
  clock = 16 * 60_000;
  await people.author('U1');
  assert.equal(asked, 4);
});

test('admins and owners of this workspace are admins', async () => {
  const users: Record<string, object> = {
    U1: { team_id: 'T1', is_admin: true },
    U2: { team_id: 'T1', is_owner: true },
    U3: { team_id: 'T1' },
    U4: { team_id: 'T2', is_owner: true },
  };
  const api = { user: async (id: string) => ({ id, ...users[id] }) };
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const people = createPeople({ api: api as never, self: 'U0', team: 'T1', log, now: () => 0 });
  const admins = await Promise.all(Object.keys(users).map(async (id) => (await people.author(id)).admin));
  assert.deepEqual(admins, [true, true, false, false]);
});

test('of names no more than so many are kept, the oldest go first', async () => {
  const asked: string[] = [];
  const api = {
    user: async (id: string) => {
      asked.push(id);
      return { id, profile: { display_name: `Name ${id}` } };
    },
  };
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const people = createPeople({ api: api as never, self: 'U0', team: 'T1', log, now: () => 0 });
  for (let n = 0; n <= 5000; n++) await people.author(`U${n}`);
  await people.author('U5000');
  await people.author('U1');
  assert.equal(asked.length, 5001);
  await people.author('U0');
  assert.deepEqual([asked.length, asked.at(-1)], [5002, 'U0']);
});

test('a claim keeps a message from the others, and the oldest claims are given up', () => {
  const claims = createClaims();
  claims.add('1.0', 'a');
  assert.deepEqual(
    [claims.isOthers('1.0', 'a'), claims.isOthers('1.0', 'b'), claims.isOthers('2.0', 'b')],
    [false, true, false],
  );
  for (let n = 0; n < 5000; n++) claims.add(`3.${n}`, 'c');
  assert.equal(claims.isOthers('1.0', 'b'), false);
  assert.equal(claims.isOthers('3.0', 'b'), true);
  claims.release('3.0');
  assert.equal(claims.isOthers('3.0', 'b'), false);
});

test('what the core says of commands is said as they are typed here, and what it quotes is not touched', () => {
  const cases: [string, string][] = [
    ['`/role show` Shows it', '`/channelore role show` Shows it'],
    [
      '⚠️ /role needs a word more: `/role show`, `/role set <text>`',
      '⚠️ /channelore role needs a word more: `/channelore role show`, `/channelore role set <text>`',
    ],
    ['Only admins may use /memory export.', 'Only admins may use /channelore memory export.'],
    ['or ask for /help.', 'or ask for /channelore help.'],
    [
      '`undo` brings it back; `memory show` tells',
      '`/channelore undo` brings it back; `/channelore memory show` tells',
    ],
    [
      'invite me with /invite, see /help/x and https://a.org/help',
      'invite me with /invite, see /help/x and https://a.org/help',
    ],
    ['`memory_tokens` and `role  ███`', '`memory_tokens` and `role  ███`'],
    ['> Answer /help with `undo`', '> Answer /help with `undo`'],
    ['```\n/help `undo`\n```\n/help', '```\n/help `undo`\n```\n/channelore help'],
  ];
  for (const [given, shown] of cases) assert.equal(inSlackWords(given, commands), shown);
});

test('whoever says the command’s whole name after a mention is understood, too', () => {
  const cases: [string, string][] = [
    ['/channelore role show', '/role show'],
    ['/Channelore   /role set a\nb', '/role set a\nb'],
    ['/channelore', '/help'],
    ['/channelore-old role', '/channelore-old role'],
    ['what is /channelore role show?', 'what is /channelore role show?'],
    ['/role show', '/role show'],
  ];
  for (const [given, meant] of cases) assert.equal(asCommand(given), meant);
});

test('a status reads as a sentence behind the name, and no longer than Slack shows', () => {
  assert.equal(toStatus(''), 'is thinking…');
  assert.equal(toStatus('folding older messages into the summary'), 'is folding older messages into the summary…');
  assert.equal(toStatus('🔧 get_current_weather: Oslo…'), '🔧 get_current_weather: Oslo…');
  assert.ok(toStatus(`🔧 ${'long '.repeat(40)}`).length <= 50);
});
