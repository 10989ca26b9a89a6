import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type SlackDeps, startSlack } from '../../adapters/slack/slack.ts';
import { commands } from '../../src/commands/list.ts';
import type { Event, Intake, Piece, Reply, Surface } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import { splitAnswer } from '../../src/turn/split.ts';
import { type Slack, slackTokens, startSlackServer } from '../sim/slack.ts';
import { textOf } from '../sim/slack-world.ts';

/** What only Slack has: its three seconds, its streams and their age, messages without a name. */

interface Set {
  slack: Slack;
  surface: Surface;
  events: Event[];
}

interface Options {
  accept?: (event: Event) => ReturnType<Intake['accept']>;
  now?: () => number;
  http?: boolean;
  retryMs?: number;
}

async function setUp(t: TestContext, options: Options = {}): Promise<Set> {
  const slack = await startSlackServer({ retryMs: options.retryMs ?? 60_000 });
  const events: Event[] = [];
  let surface: Surface | undefined;
  const port = await freePort();
  const http = { signingSecret: slackTokens.signing, host: '127.0.0.1', port };
  const deps: SlackDeps = {
    log: createLog({ level: 'silent', format: 'json', secrets: [] }),
    now: options.now ?? Date.now,
    botToken: slackTokens.bot,
    line: options.http ? http : { appToken: slackTokens.app },
    apiUrl: slack.url,
    catchUpMs: 0,
    commands,
    split: splitAnswer,
    onFatal: (error) => {
      throw error;
    },
    async openIntake(_, given) {
      surface = given;
      const accept = async (event: Event) => {
        const outcome = (await options.accept?.(event)) ?? 'accepted';
        events.push(event);
        return outcome;
      };
      return { accept, lastSeen: () => new Map() };
    },
  };
  const adapter = startSlack(deps);
  t.after(async () => {
    await adapter.pause();
    await adapter.close();
    await slack.close();
  });
  await slack.until(() => adapter.health().ready, 'it is connected');
  if (options.http) slack.delivery.useUrl(`http://127.0.0.1:${port}/slack/events`);
  assert.ok(surface);
  return { slack, surface, events };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function piece(text: string, more: Partial<Piece> = {}): Piece {
  return { index: 0, text, done: false, last: false, actions: [], ...more };
}

test('a group’s direct messages are private, whichever of Slack’s events tells of them first, or if none says so', async (t) => {
  const { slack, events } = await setUp(t);
  const [ann, ben] = [slack.world.addPerson('Ann'), slack.world.addPerson('Ben')];
  const said = async (more: object): Promise<boolean | undefined> => {
    const group = slack.world.addGroup(ann, ben);
    const count = events.length;
    const ts = slack.world.newTs();
    const message = { ts, user: ann.id, text: `${slack.mention} hi`, channel: group.id, event_ts: ts, ...more };
    slack.emit(message);
    const event = await slack.until(() => events[count], 'it is taken');
    return event.kind === 'message' ? event.private : undefined;
  };
  assert.equal(await said({ type: 'app_mention' }), true);
  assert.equal(await said({ type: 'message', channel_type: 'mpim' }), true);
  slack.faults.push({ match: ({ method }) => method === 'conversations.info', kind: 'failing', times: 2 });
  assert.equal(await said({ type: 'app_mention' }), true);
  const channel = slack.world.addChannel('open');
  assert.equal(await said({ type: 'app_mention', channel: channel.id }), true, 'nobody could say');
  assert.equal(await said({ type: 'app_mention', channel: channel.id }), undefined);
});

/** The reply to what Ann says, as the core has it. */
async function ask({ slack, surface, events }: Set): Promise<{ reply: Reply; thread: string; again(): Reply }> {
  const channel = slack.world.addChannel('edges');
  const count = events.length;
  const { ts } = slack.say(slack.world.addPerson('Ann'), channel, `${slack.mention} go`);
  const event = await slack.until(() => events[count], 'it is taken');
  return { reply: surface.reply(event, []), thread: ts, again: () => surface.reply(event, []) };
}

async function answersInTime(t: TestContext, http: boolean): Promise<void> {
  let release = (): void => {};
  const kept = new Promise<'accepted'>((resolve) => {
    release = () => resolve('accepted');
  });
  const { slack, events } = await setUp(t, { http, accept: () => kept });
  const channel = slack.world.addChannel('slow');
  const other = slack.world.addChannel('other');
  const [ann, ben] = [slack.world.addPerson('Ann'), slack.world.addPerson('Ben')];
  slack.faults.push({ match: ({ method }) => method.endsWith('.info'), kind: 'slow', ms: 4000, times: 20 });
  slack.say(ann, channel, `${slack.mention} ask <@${ben.id}> in <#${other.id}>`);
  const message = slack.delivery.deliveries.at(0);
  const command = slack.command(ann, channel, 'role show');
  const button = { type: 'button', text: { type: 'plain_text', text: 'Stop' }, action_id: 'do:0', value: 'stop' };
  const shown = { ts: '1.1', blocks: [{ type: 'actions', block_id: 'do:-:1.0', elements: [button] }] };
  const click = slack.press(ann, channel, shown, 'Stop');
  for (const one of [command, click]) {
    await slack.until(() => one.ack, 'it is acknowledged');
    assert.ok((one.ack?.at ?? 0) - one.sentAt < 3000);
  }
  assert.match(JSON.stringify(command.ack?.body), /ephemeral.*my memory is out of reach/);
  await slack.until(() => /out of reach/.test(JSON.stringify(slack.responses.get(click.responseId)?.said)), 'told');
  assert.equal(message?.ack, undefined, 'what is not kept is not acknowledged');
  if (http) assert.ok(message && slack.delivery.answers.get(message)?.includes(503), 'and Slack knows at once');
  release();
  await slack.until(() => events.some((one) => one.kind === 'message'), 'it is kept after all');
  assert.ok(message);
  slack.delivery.repeat(message);
  await slack.until(() => message.ack, 'and known when it comes again');
}

test('while nothing can be kept and no name be found, Slack has its answer in three seconds', {
  concurrency: true,
}, async (t) => {
  const modes = [t.test('over a socket', (one) => answersInTime(one, false))];
  modes.push(t.test('over requests', (one) => answersInTime(one, true)));
  await Promise.all(modes);
});

test('a stream that would pass five minutes is finished by edits', async (t) => {
  let clock = Date.now();
  const set = await setUp(t, { now: () => clock });
  const { reply, thread } = await ask(set);
  const sent = (method: string) => set.slack.requests.filter((one) => one.method === method).length;
  await reply.write(piece('one'));
  clock += 4 * 60_000;
  await reply.write(piece('one two'));
  assert.deepEqual([sent('chat.startStream'), sent('chat.appendStream'), sent('chat.update')], [1, 1, 0]);
  clock += 50_000;
  await reply.write(piece('one two three'));
  assert.deepEqual([sent('chat.appendStream'), sent('chat.stopStream'), sent('chat.update')], [1, 1, 1]);
  await reply.write(piece('one two three four', { done: true, last: true }));
  const channel = set.slack.world.places.values().find((one) => one.name === 'edges');
  assert.ok(channel);
  const posts = set.slack.posts(channel, thread);
  assert.deepEqual(posts.map(textOf), ['one two three four']);
});

test('a text that does not grow on from what is streamed is written anew by an edit', async (t) => {
  const set = await setUp(t);
  const { reply, thread } = await ask(set);
  await reply.write(piece('a first try'));
  await reply.write(piece('something else'));
  await reply.write(piece('something else.', { done: true, last: true }));
  const [place] = [...set.slack.world.places.values()].filter((one) => one.name === 'edges');
  assert.ok(place);
  assert.deepEqual(set.slack.posts(place, thread).map(textOf), ['something else.']);
});

test('an attempt that ended in the middle leaves its stream to the next one, and to no other answer', async (t) => {
  const set = await setUp(t);
  const first = await ask(set);
  const place = set.slack.world.places.values().find((one) => one.name === 'edges');
  assert.ok(place);
  // Somebody else asks in the same thread, and is looked for as after a crash.
  set.slack.say(set.slack.world.addPerson('Ben'), place, `${set.slack.mention} and I?`, { thread: first.thread });
  const isBens = (one: Event): boolean => one.kind === 'message' && one.author.name === 'Ben';
  const event = await set.slack.until(() => set.events.find(isBens), 'it is taken');
  await first.reply.write(piece('begun'));
  set.surface.reply(event, []);
  await set.surface.reply(event, []).write(piece('for Ben', { done: true, last: true }));
  await first.again().write(piece('begun and ended', { done: true, last: true }));
  assert.deepEqual(set.slack.posts(place, first.thread).map(textOf), ['begun and ended', 'for Ben']);
});

test('nothing is taken for an answer’s beginning where none is streamed', async (t) => {
  const set = await setUp(t);
  const ann = set.slack.world.addPerson('Ann');
  const place = set.slack.world.im(ann.id);
  const given = set.slack.command(ann, place, 'retry');
  const event = await set.slack.until(() => set.events[0], 'it is taken');
  await set.slack.until(() => given.ack, 'it is acknowledged');
  const own = { id: set.slack.bot.id, team: set.slack.world.team };
  const file = set.slack.sayUnheard({ ...own, name: 'bot', admin: false }, place, 'a file of an earlier command');
  set.surface.reply(event, []);
  await set.surface.reply(event, []).write(piece('an answer', { done: true, last: true }));
  assert.deepEqual(set.slack.posts(place).map(textOf), [file.text, 'an answer']);
});

test('an answer whose question was deleted is taken back, and nobody is told that a channel is gone', async (t) => {
  const set = await setUp(t);
  const { thread, again } = await ask(set);
  const place = set.slack.world.places.values().find((one) => one.name === 'edges');
  assert.ok(place);
  set.slack.remove(place, thread);
  await again().withdraw();
  const asked = set.slack.requests.filter((one) => one.method === 'conversations.replies');
  assert.deepEqual(
    asked.map((one) => one.answer),
    ['thread_not_found'],
  );
  assert.equal(
    set.slack.requests.some((one) => one.method === 'conversations.open'),
    false,
  );
});

test('an answer to a command that is longer than its address takes is told to the same person another way', async (t) => {
  const { slack, surface, events } = await setUp(t);
  const [ann, ben] = [slack.world.addPerson('Ann'), slack.world.addPerson('Ben')];
  slack.command(ann, slack.world.addChannel('long'), 'memory show');
  const event = await slack.until(() => events[0], 'it is taken');
  const text = Array.from({ length: 9000 }, (_, n) => `word${n}`).join(' ');
  await surface.reply(event, []).say('outcome', { text, private: true, actions: [], files: [] });
  assert.equal(slack.toldPrivately(ann).join(' ').replace(/\s+/g, ' '), text);
  assert.deepEqual(slack.toldPrivately(ben), []);
});
