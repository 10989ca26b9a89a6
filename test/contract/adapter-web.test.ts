import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { MemoryViews } from '../../adapters/web/host.ts';
import type { TurnView } from '../../adapters/web/views.ts';
import type { LiveEvent, LiveSaid } from '../../adapters/web/wire.ts';
import { commands } from '../../src/commands/list.ts';
import { commandLine } from '../../src/commands/parse.ts';
import { type Action, type ChannelId, toChannelId } from '../../src/event.ts';
import { type AdapterHarness, describeAdapter, type Given, type Shown } from './adapter.ts';
import { describeTalk } from './adapter-talk.ts';
import { startWebStage } from './web.ts';
import { openClient, until, type WebClient } from './web-client.ts';

/** The console as the chat platform that it is, over its real server. */

const general = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });
const passwords = { app: 'the password', admin: 'another password' };

const webHarness: AdapterHarness = {
  name: 'web',
  pieceChars: 16_000,
  lacks: ['overhearing', 'robots'],

  async start(openIntake) {
    const standing: Standing[] = [];
    const notes: string[] = [];
    const stage = await startWebStage({ passwords, isLoopback: false, host: { openIntake, views: viewsOf(standing) } });
    const ann = await visit(stage.url, 'Ann', (event) => {
      if (event.type === 'progress') notes.push(event.note);
      stand(standing, event);
    });
    const ben = await visit(stage.url, 'Ben', () => {});
    const people = new Map([
      ['Ann', ann],
      ['Ben', ben],
    ]);
    const by = (name: string): Visitor => {
      const found = people.get(name);
      assert.ok(found);
      return found;
    };
    const sent = new Map<string, () => Promise<unknown>>();
    const post = (who: Visitor, channel: string, what: string, body: object): Promise<unknown> =>
      who.client.post(`/api/channels/${encodeURIComponent(channel)}/${what}`, body);
    const newPost = () => ({ id: randomUUID(), at: Date.now() });

    function say(name: string, text: string, channel: string, files: readonly Given[]): string {
      const who = by(name);
      const uploads: string[] = [];
      const body = { ...newPost(), text: text.trim(), uploads };
      const id = `${who.client.person().id}.${body.id}`;
      const send = () => post(who, channel, 'messages', body);
      sent.set(id, send);
      who.inOrder(async () => {
        for (const file of files) uploads.push(await upload(who.client, file));
        await send();
      });
      return id;
    }

    function change(id: string, what: 'edits' | 'deletions', more: object): void {
      const asker = [ann, ben].find(({ client }) => id.includes(client.person().id));
      asker?.inOrder(() => post(asker, general, what, { ...newPost(), messageId: id, ...more }));
    }

    return {
      mention: '',
      say: (name, text, { thread = general, files = [] } = {}) => say(name, text, thread, files),
      sayTo: (_, name, text) => say(name, text, general, []),
      sayAsRobot: () => assert.fail('only people come to the console'),
      sayDirectly: (name, text) => say(name, text, by(name).alone, []),
      edit: (id, text) => change(id, 'edits', { text: text.trim() }),
      remove: (id) => change(id, 'deletions', {}),
      redeliver: (id) => ann.inOrder(async () => await sent.get(id)?.()),
      order(name, path, options) {
        const spec = commands.find((one) => one.path.join(' ') === path.join(' '));
        assert.ok(spec);
        const who = by(name);
        who.inOrder(() => post(who, general, 'commands', { ...newPost(), line: commandLine(spec, options, false) }));
      },
      press(name, under, label) {
        const { actions = [], target } = standing.find((one) => one.id === under) ?? {};
        const line = actions.find((one) => one.label === label)?.command;
        const who = by(name);
        who.inOrder(() => post(who, general, 'commands', { ...newPost(), line, target }));
      },
      openThread(on) {
        ann.inOrder(() => post(ann, general, 'threads', { branchedFrom: on }));
        ben.inOrder(() => ann.idle());
        return toChannelId({ platform: 'web', workspace: 'console', channel: 'general', thread: on });
      },
      posts: (thread = general) =>
        standing.filter((one) => one.channel === thread && one.kind !== 'message').map(toShown),
      notes: () => notes,
      toldPrivately: (name) => by(name).told.map((one) => one.text),
      filesOf: (name) => by(name).files,
      // Nothing rings where a name stands in a page.
      pinged: () => false,
      until: async (check, what) => await until(check, what),
      async close() {
        await Promise.all([ann.close(), ben.close()]);
        await stage.close();
      },
    };
  },
};

function toShown({ id, text, actions }: Standing): Shown {
  return { id, text, buttons: actions.map((one) => one.label) };
}

/** What stands in the channel and its threads, as a browser builds it from the stream. */
interface Standing {
  id: string;
  channel: string;
  question: string;
  text: string;
  actions: readonly Action[];
  target: string | undefined;
  kind: 'message' | 'piece' | 'said';
  index: number;
}

interface Visitor {
  client: WebClient;
  /** The conversation with the bot that nobody else sees. */
  alone: string;
  told: LiveSaid[];
  files: Given[];
  /** One after the other, as one person does things. */
  inOrder(work: () => Promise<unknown>): void;
  idle(): Promise<unknown>;
  close(): Promise<void>;
}

async function visit(url: string, name: string, onPublic: (event: LiveEvent) => void): Promise<Visitor> {
  const client = await openClient(url, name, passwords.app);
  const [{ id: alone }] = JSON.parse((await client.call('/api/channels')).text).own;
  const follower = await client.follow(general);
  const told: LiveSaid[] = [];
  const files: Given[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  const closing = new AbortController();

  async function take(event: LiveEvent): Promise<void> {
    if (event.type !== 'said' || !event.said.private) return onPublic(event);
    for (const one of event.said.files) {
      files.push({ name: one.name, text: (await client.call(`/api/files/${one.id}`)).text });
    }
    told.push(event.said);
  }

  async function read(): Promise<void> {
    for (let n = 0; !closing.signal.aborted; ) {
      const event = follower.events[n];
      if (event === undefined) await setTimeout(2);
      else {
        n += 1;
        await take(event.data);
      }
    }
  }

  const reading = read();
  return {
    client,
    alone,
    told,
    files,
    inOrder(work) {
      queue = queue.then(work);
    },
    idle: () => queue,
    async close() {
      await queue;
      closing.abort();
      await reading;
      follower.close();
    },
  };
}

function stand(standing: Standing[], event: LiveEvent): void {
  const put = (one: Standing): void => {
    const at = standing.findIndex((each) => each.id === one.id);
    if (at === -1) standing.push(one);
    else standing[at] = one;
  };
  const drop = (isGone: (one: Standing) => boolean): void => {
    standing.splice(0, standing.length, ...standing.filter((one) => !isGone(one)));
  };
  const { channel } = 'channel' in event ? event : { channel: '' };
  switch (event.type) {
    case 'message': {
      const { id, text } = event.message;
      put({ id, channel, question: id, text, actions: [], target: id, kind: 'message', index: 0 });
      break;
    }
    case 'piece': {
      const { id, question, text, actions, target, index, last } = event.piece;
      put({ id, channel, question, text, actions, target, kind: 'piece', index });
      if (last) drop((one) => one.kind === 'piece' && one.question === question && one.index > index);
      break;
    }
    case 'append': {
      const before = standing.find((one) => one.id === event.id);
      assert.equal(before?.text.length, event.from, 'nothing is missing before what is appended');
      before.text += event.text;
      break;
    }
    case 'withdrawn':
      drop((one) => one.kind === 'piece' && one.question === event.question);
      break;
    case 'deleted':
      drop((one) => event.ids.includes(one.id));
      break;
    case 'said': {
      const { id, question, text, actions, target } = event.said;
      put({ id, channel, question, text, actions, target, kind: 'said', index: 0 });
      break;
    }
    case 'edited':
    case 'progress':
    case 'memory':
    case 'channels':
    case 'reload':
      break;
  }
}

/** Stands in for the memory of a core that the suite brings along: a thread hangs from what was said. */
function viewsOf(standing: readonly Standing[]): MemoryViews {
  const turns = async (channel: ChannelId) => {
    const found = standing.filter((one) => one.channel === channel && one.kind !== 'said');
    return { turns: found.map(toTurn), more: false };
  };
  const messages = async (channel: ChannelId, ids: readonly string[]) =>
    new Map((await turns(channel)).turns.filter(({ id }) => ids.includes(id)).map((turn) => [turn.id, turn]));
  const none = (): never => assert.fail('nobody looks into the memory here');
  return {
    turns,
    messages,
    channels: async () => [],
    inspect: none,
    prompt: none,
    order: none,
    watch: () => () => {},
    audit: none,
  };
}

function toTurn({ id, text, kind }: Standing, seq: number): TurnView {
  return {
    seq,
    id,
    posts: kind === 'piece' ? [id] : [],
    at: 0,
    role: kind === 'piece' ? 'assistant' : 'user',
    name: undefined,
    author: undefined,
    text,
    tokens: 1,
    erased: false,
    edited: false,
    unanswered: undefined,
    partial: undefined,
    attachments: [],
    tools: [],
    versions: 1,
    model: undefined,
    answers: undefined,
  };
}

async function upload(client: WebClient, { name, text }: Given): Promise<string> {
  const path = `/api/uploads?name=${encodeURIComponent(name)}`;
  const answer = await client.call(path, { method: 'POST', raw: text, headers: { 'content-type': 'text/plain' } });
  const made = answer.json();
  assert.ok(typeof made === 'object' && made !== null && 'id' in made);
  return String(made.id);
}

describeAdapter(webHarness);
await describeTalk(webHarness);
