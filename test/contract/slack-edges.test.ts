import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type SlackDeps, startSlack } from '../../adapters/slack/slack.ts';
import { commands } from '../../src/commands/list.ts';
import type { Event, Intake, Piece, Reply, Surface } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { splitAnswer } from '../../src/turn/split.ts';
import { type Slack, slackTokens, startSlackServer } from '../sim/slack.ts';
import type { Delivery } from '../sim/slack-delivery.ts';
import { textOf } from '../sim/slack-world.ts';

/** What only Slack has: its three seconds, its streams and their age, messages without a name. */

interface Set {
  slack: Slack;
  surface: Surface;
  events: Event[];
  /** What was warned of. */
  warnings: string[];
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
  const warnings: string[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn: (fields, text) => void warnings.push(`${JSON.stringify(fields)} ${text}`),
    error: (fields, text) => void warnings.push(`${JSON.stringify(fields)} ${text}`),
    child: () => log,
  };
  let surface: Surface | undefined;
  const port = await freePort();
  const http = { signingSecret: slackTokens.signing, host: '127.0.0.1', port };
  const deps: SlackDeps = {
    log,
    now: options.now ?? Date.now,
    botToken: slackTokens.bot,
    line: options.http ? http : { appToken: slackTokens.app },
    apiUrl: slack.url,
    catchUpMs: 0,
    commands,
    split: splitAnswer,
    onStray() {},
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
  return { slack, surface, events, warnings };
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

test('no status outlives its question, whatever came of it', async (t) => {
  const set = await setUp(t);
  const { statuses } = set.slack.state;
  const ends: ((reply: Reply) => Promise<unknown>)[] = [
    (reply) => reply.end(),
    (reply) => reply.withdraw(),
    (reply) => reply.say('outcome', { text: 'no', private: true, actions: [], files: [] }),
    (reply) => reply.say('outcome', { text: 'no', private: false, actions: [], files: [] }),
    (reply) => reply.write(piece('whole', { done: true, last: true })),
  ];
  for (const [n, end] of ends.entries()) {
    const { reply, thread } = await ask(set);
    await reply.progress('folding');
    await end(reply);
    await reply.end();
    const shown = statuses.filter((one) => one.thread === thread).map((one) => one.status);
    assert.equal(shown[0], 'is folding…');
    // What is posted for all to see takes it away by itself.
    const isPosted = [...set.slack.world.places.values()].some((place) => set.slack.posts(place, thread).length > 0);
    assert.ok(n >= 3 ? isPosted : shown.at(-1) === '', `${n}: ${shown.join()}`);
  }
});

/** One of each kind, as Slack sends them, by the people and in the channel given. */
function oneOfEach(slack: Slack): Pick<Delivery, 'kind' | 'payload'>[] {
  const [ann, channel] = [slack.world.addPerson('Ann'), slack.world.addChannel('edges')];
  const before = slack.delivery.deliveries.length;
  const talk = slack.say(ann, channel, `${slack.mention} hi`);
  const reply = slack.say(ann, channel, 'and there', { thread: talk.ts });
  slack.edit(channel, reply, 'and here');
  slack.remove(channel, reply.ts);
  slack.remove(channel, talk.ts);
  slack.command(ann, channel, 'role show');
  const button = { type: 'button', text: { type: 'plain_text', text: 'Stop' }, action_id: 'do:0', value: 'stop' };
  const blocks = [{ type: 'actions', block_id: `do:-:${talk.ts}`, elements: [button] }];
  slack.press(ann, channel, { ts: slack.world.newTs(), thread_ts: talk.ts, blocks }, 'Stop');
  slack.openHome(ann);
  slack.openPane(ann);
  return slack.delivery.deliveries
    .slice(before)
    .map(({ kind, payload }) => ({ kind, payload: structuredClone(payload) }));
}

/** All that is text in it, by how to get there. */
function textsIn(value: unknown, path: readonly string[] = []): { path: readonly string[]; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => textsIn(inner, [...path, name]));
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...Object(value) };
  Reflect.set(copy, name, replaced(Reflect.get(copy, name), rest, by));
  return copy;
}

test('whatever stands where Slack has an id or a time stamp, nothing without a time and a place is taken in, nor asked for again', async (t) => {
  const { slack, events, warnings } = await setUp(t);
  const good = oneOfEach(slack);
  await slack.until(
    () => slack.delivery.deliveries.every(({ ack }) => ack !== undefined),
    'the good ones are acknowledged',
  );
  assert.deepEqual([...new Set(events.map(({ kind }) => kind))].sort(), ['command', 'delete', 'edit', 'message']);
  assert.deepEqual(warnings.splice(0), []);
  events.length = 0;
  let sent = 0;
  for (const { kind, payload } of good) {
    for (const { path, text } of textsIn(payload).filter((one) => /^(\d+\.\d+|[A-Z][A-Z0-9]{3,})$/.test(one.text))) {
      for (const bad of ['abc', '', 'NaN', '1e999', `${text} `, '../x', 7, null]) {
        slack.delivery.send(kind, Object(replaced(payload, path, bad)));
        sent++;
      }
    }
  }
  assert.ok(sent > 200);
  await slack.until(
    () => slack.delivery.deliveries.every(({ ack }) => ack !== undefined),
    'all are acknowledged',
    20_000,
  );
  for (const event of events) {
    assert.ok(Number.isFinite(event.at), JSON.stringify(event));
    assert.match(event.channel, /^slack\/T0TEAM\/[CD]\d{8}(\/\d+\.\d{6})?$/);
    if (event.kind === 'message') assert.match(event.messageId, /^\d+\.\d{6}$/);
  }
  assert.ok(warnings.length > 50);
  const isRefusal = / (cannot be read and was refused|app is installed in was refused)$/;
  assert.deepEqual(
    warnings.filter((line) => !isRefusal.test(line) || /\.\.\/x|and there/.test(line)),
    [],
  );
});

for (const http of [false, true]) {
  test(`what is meant for another workspace is refused, acknowledged and said in the log (${http ? 'HTTP' : 'sockets'})`, async (t) => {
    const { slack, events, warnings } = await setUp(t, { http });
    const good = oneOfEach(slack);
    await slack.until(
      () => slack.delivery.deliveries.every(({ ack }) => ack !== undefined),
      'the good ones are acknowledged',
    );
    events.length = 0;
    const foreign = good.map(({ kind, payload }) => ({ kind, payload: Object(toTeam(payload, 'T9')) }));
    for (const { kind, payload } of foreign) slack.delivery.send(kind, payload);
    const [message] = foreign;
    slack.delivery.send('events_api', { ...message?.payload, authorizations: [] });
    slack.delivery.send('events_api', { ...message?.payload, authorizations: undefined });
    slack.delivery.send('events_api', { ...message?.payload, authorizations: 'ours' });
    const count = foreign.length + 3;
    await slack.until(() => slack.delivery.deliveries.every(({ ack }) => ack !== undefined), 'all are acknowledged');
    assert.deepEqual(events, []);
    assert.equal(warnings.filter((line) => /for another workspace/.test(line)).length, count);
    // What another workspace says in a channel that both share is told to us.
    slack.say(slack.world.addPerson('Zoe', { team: 'T9' }), slack.world.addChannel('shared'), 'from afar');
    const [, last] = slack.delivery.deliveries.slice(-2);
    slack.delivery.send('events_api', {
      ...last?.payload,
      team_id: 'T9',
      event: { ...Object(last?.payload.event), ts: slack.world.newTs() },
    });
    await slack.until(() => events.length === 2, 'both are taken');
  });
}

/** As it would be for another workspace. */
function toTeam(value: unknown, team: string): unknown {
  if (Array.isArray(value)) return value.map((one) => toTeam(one, team));
  if (typeof value !== 'object' || value === null) return value === 'T0TEAM' ? team : value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toTeam(inner, team)]));
}

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
