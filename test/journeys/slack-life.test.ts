import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { botScopes, toManifest } from '../../adapters/slack/manifest.ts';
import { commands } from '../../src/commands/list.ts';
import { slackTokens } from '../sim/slack.ts';
import type { Place } from '../sim/slack-world.ts';
import { textOf } from '../sim/slack-world.ts';
import { type Mode, setStage, shownText } from './slack-setup.ts';

/** What only the operator can mend ends with what to do; what can be borne is borne, and said. */

async function endsWith(t: TestContext, prepare: (stage: Awaited<ReturnType<typeof setStage>>) => void, words: RegExp) {
  const stage = await setStage(t, { start: false });
  prepare(stage);
  const started = stage.start().catch(() => undefined);
  await started;
  const program = stage.program();
  assert.equal(await program.ended, 78, program.errors());
  assert.match(program.errors(), words);
  const said = program.errors() + program.output();
  assert.doesNotMatch(said, /at \S+ \(|unhandled/i);
  for (const secret of Object.values(slackTokens)) assert.ok(!said.includes(secret));
}

test('a bad bot token ends it at once, with where to get a good one', async (t) => {
  await endsWith(
    t,
    ({ slack }) => {
      slack.tokens.bot = 'invalid_auth';
    },
    /SLACK_BOT_TOKEN: .*api\.slack\.com\/apps.*Install App/s,
  );
});

test('a bad app token ends it at once, with where to get a good one', async (t) => {
  await endsWith(
    t,
    ({ slack }) => {
      slack.tokens.app = 'invalid_auth';
    },
    /SLACK_APP_TOKEN: .*connections:write/s,
  );
});

test('an app token revoked while it runs ends it in good order when it would connect again', async (t) => {
  const stage = await setStage(t);
  stage.slack.tokens.app = 'token_revoked';
  stage.slack.delivery.drop();
  assert.equal(await stage.program().ended, 78);
  assert.match(stage.program().errors(), /SLACK_APP_TOKEN/);
});

test('a bot token revoked while it runs ends it in good order', async (t) => {
  const stage = await setStage(t);
  stage.slack.tokens.bot = 'token_revoked';
  stage.slack.emit({ type: 'tokens_revoked', tokens: { bot: [stage.slack.bot.id], oauth: [] }, event_ts: '1.0' });
  assert.equal(await stage.program().ended, 78);
  assert.match(stage.program().errors(), /SLACK_BOT_TOKEN/);
});

test('a bot token that is refused in the middle of an answer ends it in good order', async (t) => {
  const stage = await setStage(t, { mode: 'http' });
  const { slack, model } = stage;
  model.answerWith(() => ({ pieces: ['Begun', 1000, ' and ended.'] }));
  slack.say(stage.ann, stage.channel, `${slack.mention} hi`);
  await slack.until(() => slack.posts(stage.channel)[0], 'it begins');
  slack.tokens.bot = 'token_revoked';
  assert.equal(await stage.program().ended, 78);
  assert.match(stage.program().errors(), /SLACK_BOT_TOKEN: .*token_revoked.*Install App/s);
  assert.doesNotMatch(stage.program().errors(), /unhandled|at \S+ \(/i);
});

test('a port that is taken is named, with where', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const stage = await setStage(t, { mode: 'http', start: false, env: { SLACK_PORT: String(port) } });
  stage.start().catch(() => undefined);
  assert.equal(await stage.program().ended, 78);
  assert.match(stage.program().errors(), new RegExp(`SLACK_PORT: .*127\\.0\\.0\\.1:${port}`));
});

test('tokens that miss their other half are named before anything starts', async (t) => {
  const stage = await setStage(t, { start: false, env: { SLACK_APP_TOKEN: '', SLACK_BOT_TOKEN: 'xoxb-x' } });
  stage.start().catch(() => undefined);
  assert.equal(await stage.program().ended, 78);
  assert.match(stage.program().errors(), /SLACK_BOT_TOKEN: needs SLACK_APP_TOKEN .* or SLACK_SIGNING_SECRET/);
});

test('the manifest is printed for a socket, or for the address given, which must be one that Slack takes', async () => {
  const main = path.resolve(import.meta.dirname, '../../src/main.js');
  const print = async (...address: string[]) => {
    const child = spawn(process.execPath, [main, 'slack-manifest', ...address], { env: { PATH: process.env.PATH } });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { output, errors, code };
  };
  const [socket, requests, wrong] = await Promise.all([
    print(),
    print('https://bot.example.org'),
    print('http://bot.example.org'),
  ]);
  assert.deepEqual(JSON.parse(socket.output), JSON.parse(JSON.stringify(toManifest(commands, undefined))));
  assert.equal(JSON.parse(requests.output).settings.interactivity.request_url, 'https://bot.example.org/slack/events');
  assert.deepEqual([socket.code, requests.code, wrong.code], [0, 0, 78]);
  assert.match(wrong.errors, /https:/);
});

test('a Slack that cannot be reached is waited for', async (t) => {
  const stage = await setStage(t, { start: false });
  stage.slack.faults.push(
    { match: ({ method }) => method === 'auth.test', kind: 'reset' },
    { match: ({ method }) => method === 'apps.connections.open', kind: 'failing' },
    { match: ({ method }) => method === 'apps.connections.open', kind: 'limited', ms: 1000 },
  );
  await stage.start();
  stage.model.answerWith(() => 'there');
  await stage.answerTo(stage.channel, stage.slack.say(stage.ann, stage.channel, `${stage.slack.mention} hi`));
});

test('each missing scope is named once, with what to do, and what can be done without it is done', async (t) => {
  const wanted = ['assistant:write', 'users:read', 'channels:read', 'im:write', 'files:write'];
  const scopes = botScopes().filter((one) => !wanted.includes(one));
  const stage = await setStage(t, { slack: { scopes }, start: false });
  const { slack, model } = stage;
  // Who is an admin of the workspace cannot be known then.
  await stage.start({ ADMIN_USERS: stage.root.id });
  model.answerWith(() => 'all the same');
  for (const text of ['one', 'two']) {
    const question = slack.say(stage.ann, stage.channel, `${slack.mention} ${text}`);
    assert.equal(shownText(await stage.answerTo(stage.channel, question)), 'all the same');
  }
  const output = stage.program().output();
  for (const scope of ['assistant:write', 'users:read']) {
    const lines = output.split('\n').filter((one) => one.includes('"level":50') && one.includes(`"${scope}"`));
    assert.equal(lines.length, 1, scope);
    assert.match(lines[0] ?? '', /OAuth & Permissions.*reinstall/);
  }
  const asked = slack.command(stage.root, stage.channel, 'memory export');
  const said = await slack.until(() => slack.responses.get(asked.responseId)?.said[0], 'it is answered without a file');
  assert.match(JSON.stringify(said), /Everything recorded here.*cannot send you memory\.json.*im:write/s);
});

test('readiness tells the truth about the line', async (t) => {
  const stage = await setStage(t);
  const health = await stage.program().line((line) => /health and metrics/.test(String(line.msg)));
  const port = /127\.0\.0\.1:(\d+)/.exec(String(health.msg))?.[1];
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
  for (let n = 0; n < 100 && !(await isReady()); n++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await isReady(), true);
  stage.slack.hello.said = false;
  stage.slack.delivery.drop();
  let unready = false;
  for (let n = 0; n < 100 && !unready; n++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    unready = !(await isReady());
  }
  assert.equal(unready, true);
});

test('a channel that is archived, gone or not joined: the log has it, and whoever asked is told', async (t) => {
  const stage = await setStage(t);
  const { slack, model } = stage;
  const cases: [name: string, words: RegExp, spoil: (place: Place) => void][] = [
    ['Archie', /archived/, (place) => void Object.assign(place, { archived: true })],
    ['Gwen', /channel is gone/, (place) => void slack.world.places.delete(place.id)],
    ['Nora', /\/invite/, (place) => void place.members.delete(slack.bot.id)],
  ];
  for (const [name, words, spoil] of cases) {
    const person = slack.world.addPerson(name);
    const channel = slack.world.addChannel(name.toLowerCase());
    model.answerWith(() => ({ pieces: ['A beginning ', 300, 'a middle ', 900, 'and an end.'] }));
    slack.say(person, channel, `${slack.mention} tell me`);
    await slack.until(() => slack.posts(channel)[0], 'it begins');
    spoil(channel);
    const direct = slack.world.im(person.id);
    const told = await slack.until(() => slack.posts(direct)[0], `${name} is told`);
    assert.match(textOf(told), words);
    assert.equal(slack.posts(direct).length, 1);
  }
  assert.match(stage.program().output(), /an answer cannot be shown/);
  model.answerWith(() => 'elsewhere');
  const other = slack.world.addChannel('other');
  await stage.answerTo(other, slack.say(stage.ann, other, `${slack.mention} hi`));
});

test('what was said while it was away, and is not sent again, is answered once when it is back', async (t) => {
  const stage = await setStage(t);
  const { slack, model, channel, ann, ben } = stage;
  model.answerWith(({ last }) => `to ${/\w+$/.exec(last)?.[0]}`);
  const first = slack.say(ann, channel, `${slack.mention} one`);
  await stage.answerTo(channel, first);
  await stage.program().signal('SIGTERM');
  const missed = [
    slack.sayUnheard(ben, channel, `${slack.mention} two`),
    slack.sayUnheard(ann, channel, 'three', { thread: first.ts }),
  ];
  slack.sayUnheard(ben, channel, 'among ourselves');
  await stage.start();
  for (const [n, words] of ['to two', 'to three'].entries()) {
    const question = missed[n];
    assert.ok(question);
    assert.equal(shownText(await stage.answerTo(channel, question)), words);
  }
  assert.equal(slack.posts(channel).length, 3);
  await stage.program().signal('SIGTERM');
  const lost = slack.sayUnheard(ben, channel, `${slack.mention} four`);
  await stage.start({ CATCH_UP_MINUTES: '0' });
  await stage.answerTo(channel, slack.say(ben, channel, `${slack.mention} five`));
  assert.equal(slack.posts(channel, lost.ts).length, 0);
  assert.equal(slack.posts(channel).length, 4, 'nothing is answered again');
});

test('with LISTEN=all what people say among themselves is remembered, and not answered', async (t) => {
  const stage = await setStage(t, { env: { LISTEN: 'all' } });
  const { slack, model, channel } = stage;
  slack.say(stage.ann, channel, 'the meeting is on Tuesday');
  model.answerWith(() => 'On Tuesday.');
  await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} when is it?`));
  assert.match(stage.lastPrompt(), /Ann: the meeting is on Tuesday/);
  assert.equal(slack.posts(channel).length, 1);
});

for (const mode of ['socket', 'http'] satisfies Mode[]) {
  test(`${mode}: nothing is acknowledged that is not durable: killed before that, it is answered when it comes again`, async (t) => {
    const stage = await setStage(t, { mode, slack: { retryMs: 1500 } });
    const { slack, model, channel } = stage;
    model.answerWith(() => 'answered after all');
    let killed: Promise<unknown> | undefined;
    // A name is looked up before the event is kept.
    slack.gateWith(async ({ method, body }) => {
      if (method !== 'users.info' || body.user !== stage.ann.id || killed !== undefined) return 'pass';
      killed = stage.program().signal('SIGKILL');
      await killed;
      return 'drop';
    });
    const question = slack.say(stage.ann, channel, `${slack.mention} hello`);
    await slack.until(() => killed, 'it is killed');
    await killed;
    assert.equal(slack.delivery.deliveries.filter((one) => one.ack !== undefined).length, 0);
    slack.gateWith(undefined);
    await stage.start();
    assert.equal(shownText(await stage.answerTo(channel, question)), 'answered after all');
    assert.equal(slack.posts(channel).length, 1);
  });
}
