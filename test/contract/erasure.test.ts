import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { sweep } from '../../src/housekeeping.ts';
import { createLog } from '../../src/log.ts';
import { createEmbedder } from '../../src/model/embed.ts';
import type { ModelRequest } from '../../src/model/model.ts';
import { openStore } from '../../src/storage/open.ts';
import { defineTool } from '../../src/tools/tool.ts';
import { createToolbox } from '../../src/tools/toolbox.ts';
import { scriptedModel } from './core.ts';
import { assertNowhere, bytesOf, formsOf, kindOf, newDataFolder, recordsOf, storeUrl } from './data-files.ts';
import { type EmbeddingsServer, startEmbeddingsServer } from './embeddings-server.ts';
import { barrier, chatter, contentOf, goodSummary, textOf } from './memory-talk.ts';
import { startWebStage } from './web.ts';
import { type Answer, openClient, until, type WebClient } from './web-client.ts';

/**
 * A word of its own is put wherever the program keeps something of what a person said. Then it is taken back, in each of
 * the ways there are, and none of the words is left: not in the data files, in no later request to a model, in nothing
 * that the console says from then on.
 */

/** Where each word is found before anything is taken back; each kind of record is here, or it holds nobody's words. */
const planted: Record<string, readonly Word[]> = {
  head: ['zqname', 'zqrole'],
  page: [
    'zqname',
    'zqroot',
    'zqbelow',
    'zqfilename',
    'zqfilecontent',
    'zqask',
    'zqargs',
    'zqresult',
    'zqfirst',
    'zqsecond',
  ],
  fold: ['zqfold'],
  inbox: ['zqpending', 'zqwaiting'],
  late: ['zqearly'],
  shelf: ['zqunsentname', 'zqunsentcontent'],
  workspace: ['zqname'],
};
/** By a test of its own: a vector is no word. */
const checkedApart = ['vector'];
/** Ids and numbers. */
const wordless = ['ref', 'usage', 'calibration', 'audit', 'probe'];

type Word =
  | 'zqname'
  | 'zqrole'
  | 'zqroot'
  | 'zqbelow'
  | 'zqfilename'
  | 'zqfilecontent'
  | 'zqask'
  | 'zqargs'
  | 'zqresult'
  | 'zqfirst'
  | 'zqsecond'
  | 'zqfold'
  | 'zqpending'
  | 'zqwaiting'
  | 'zqearly'
  | 'zqunsentname'
  | 'zqunsentcontent';

const words = [...new Set(Object.values(planted).flat())];
/** Nobody took it back: a file that was attached and is not sent goes by itself, after an hour. */
const unsent: readonly Word[] = ['zqunsentname', 'zqunsentcontent'];
/** What the model said, and files: an edit changes the words of a message alone. */
const besideTheText: readonly Word[] = ['zqfilename', 'zqfilecontent', 'zqargs', 'zqresult', 'zqfirst', 'zqsecond'];

const general = 'web/console/general';
const dayMs = 86_400_000;
const timeoutMs = 240_000;

interface Scene {
  ann: WebClient;
  ben: WebClient;
  /** Ann's messages, with their channel, oldest first. */
  messages: { id: string; channel: string }[];
  /** Files that were offered before anything was taken back. */
  files: string[];
  thread: string;
  requests: ModelRequest[];
  server: EmbeddingsServer;
  post(client: WebClient, what: string, body: object, channel?: string): Promise<string>;
  quiet(): Promise<void>;
  /** Time passes, and what is done now and then is done. */
  later(days: number): Promise<void>;
  records(): Map<string, string>;
  bytes(): string;
  logged(): string;
  get(client: WebClient, path: string): Promise<Answer>;
  paths: string[];
}

async function openScene(t: TestContext): Promise<Scene> {
  const folder = newDataFolder(t);
  const server = await startEmbeddingsServer();
  t.after(() => server.close());
  const store = await openStore(storeUrl(folder));
  let time = Date.UTC(2026, 10, 3, 12);
  const now = (): number => time;
  const lookup = defineTool({
    name: 'lookup',
    description: 'Looks something up',
    schema: z.object({ about: z.string() }),
    run: async () => 'found: zqresult',
  });
  const toolbox = createToolbox([{ tools: () => [lookup], names: () => ['lookup'] }], ['all'], () => undefined);
  const hold = barrier();
  let asked = 0;
  const scripted = scriptedModel((request) => {
    if (request.purpose === 'fold') return /zq/.test(textOf(request)) ? `${goodSummary} zqfold` : goodSummary;
    const last = request.messages.at(-1);
    if (last?.role === 'tool') {
      asked += 1;
      return asked === 1 ? 'It is zqfirst.' : 'It is zqsecond.';
    }
    return /zqask/.test(contentOf(last))
      ? { text: '', calls: [{ name: 'lookup', arguments: '{"about":"zqargs"}' }] }
      : 'Fine.';
  });
  const model: typeof scripted = {
    ...scripted,
    async *stream(request, signal) {
      if (/zqpending/.test(contentOf(request.messages.at(-1)))) {
        scripted.requests.push(request);
        const aborted = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => aborted.resolve(), { once: true });
        if (!signal.aborted) await Promise.race([hold.wait(), aborted.promise]);
        signal.throwIfAborted();
      }
      yield* scripted.stream(request, signal);
    },
  };
  const lines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    secrets: [],
    destination: { write: (line) => lines.push(line) },
  });
  const countTokens = async (text: string): Promise<number> => text.length;
  const embedder = createEmbedder(
    { apiKey: undefined, baseUrl: server.url, model: 'small', timeoutMs: 5000 },
    { now, countTokens },
  );
  const stage = await startWebStage({ store, model, now, toolbox, embedder, log, env: { MEMORY_TOKENS: '1500' } });
  t.after(async () => {
    await stage.close();
    await store.close();
  });
  const [ann, ben] = await Promise.all([openClient(stage.url, 'Ann zqname'), openClient(stage.url, 'Ben')]);
  assert.ok(ann !== undefined && ben !== undefined);
  let posts = 0;
  const { inbox, memory, audit } = stage.core;

  async function quiet(): Promise<void> {
    await until(() => inbox.running() + inbox.waiting() === 0, 'nothing is under way');
    await memory.idle();
    await audit.idle();
  }

  async function post(client: WebClient, what: string, body: object, channel = general): Promise<string> {
    posts += 1;
    time += 1000;
    const given = { id: `message-${posts}`, at: time, ...(what === 'messages' ? { uploads: [] } : {}), ...body };
    const answer = await client.post(`/api/channels/${encodeURIComponent(channel)}/${what}`, given);
    assert.ok([200, 202].includes(answer.status), `${what}: ${answer.text}`);
    return JSON.parse(answer.text).id;
  }

  const messages: Scene['messages'] = [];
  async function say(text: string, more: object = {}, channel = general): Promise<string> {
    const id = await post(ann, 'messages', { text, ...more }, channel);
    messages.push({ id, channel });
    return id;
  }

  async function attach(name: string, text: string): Promise<string> {
    const headers = { 'content-type': 'text/plain' };
    const answer = await ann.call(`/api/uploads?name=${name}.txt`, { method: 'POST', raw: text, headers });
    return JSON.parse(answer.text).id;
  }

  const root = await say('this is zqroot');
  await quiet();
  const thread = await post(ann, 'threads', { branchedFrom: root });
  await say('and zqbelow', {}, thread);
  await say('look at this', { uploads: [await attach('zqfilename', 'it says zqfilecontent')] });
  await quiet();
  await say('look up zqask');
  await quiet();
  await post(ann, 'commands', { line: 'retry' });
  await quiet();
  await post(ann, 'commands', { line: 'role set You know zqrole.' });
  await post(ann, 'commands', { line: 'settings set workspace.temperature 0.5' });
  await post(ann, 'commands', { line: 'reset' });
  await post(ann, 'commands', { line: 'undo' });
  await quiet();
  for (let n = 0; n < 16; n++) await post(ben, 'messages', { text: chatter(n) });
  await quiet();
  const seen = await ben.follow(general);
  const saidTo = (question: string) =>
    seen.events.find(({ name, data }) => name === 'said' && data.said.question === question)?.data.said;
  const search = await post(ben, 'commands', { line: 'memory search zqroot' });
  const exporting = await post(ben, 'commands', { line: 'memory export' });
  assert.match((await until(() => saidTo(search), 'the search is answered')).text, /zqroot/);
  const exported = await until(() => saidTo(exporting), 'the export is made');
  const files: string[] = exported.files.map(({ id }: { id: string }) => `/api/files/${id}`);
  seen.close();
  // Only where all is remembered an edit is kept for a message that has not come.
  await post(ben, 'commands', { line: 'settings set listen all' });
  await quiet();
  const early = `${ann.person().id}.early-message`;
  await post(ann, 'edits', { messageId: early, text: 'it was zqearly' });
  messages.push({ id: early, channel: general });
  await attach('zqunsentname', 'zqunsentcontent');
  await quiet();
  await say('wait for zqpending');
  await hold.reached;
  await say('then zqwaiting');

  const paths = stage.web.routes
    .filter(({ method, path: one }) => method === 'GET' && !one.includes('*') && !one.endsWith('/events'))
    .flatMap(({ path: one }) => {
      if (one.includes(':id')) return files;
      const keys = one.includes(':key') ? [general, thread] : [''];
      return keys.map((key) => one.replace(':key', encodeURIComponent(key)));
    });

  return {
    ann,
    ben,
    messages,
    files,
    thread,
    requests: scripted.requests,
    server,
    post,
    quiet,
    paths,
    async later(days) {
      time += days * dayMs;
      const { core } = stage;
      await sweep({
        store,
        memory: core.memory,
        inbox: core.inbox,
        audit: core.audit,
        retentionDays: 1,
        auditDays: 365,
        log,
        now,
      });
      await quiet();
    },
    records: () => recordsOf(folder),
    bytes: () => bytesOf(folder),
    logged: () => lines.join(''),
    get: (client, one) => client.call(one),
  };
}

/** Of each kind of record that has the word, as it is or in base64. */
function kindsWith(records: ReadonlyMap<string, string>, word: string): string[] {
  const found = [...records].filter(([key, value]) =>
    formsOf(word).some((form) => key.includes(form) || value.includes(form)),
  );
  return [...new Set(found.map(([key]) => kindOf(key)))];
}

interface StoredTurn {
  page: string;
  seq: number;
  rev: number;
  erased?: string;
  author?: string;
}

function turnsIn(records: ReadonlyMap<string, string>): StoredTurn[] {
  const pages = [...records].filter(([key]) => kindOf(key) === 'page');
  return pages.flatMap(([key, value]) => {
    const turns: Omit<StoredTurn, 'page'>[] = JSON.parse(value).value.d;
    return turns.map((turn) => ({ ...turn, page: key.slice('page:'.length) }));
  });
}

/** Of each turn that has a vector: of which revision. */
function vectorsIn(records: ReadonlyMap<string, string>): Map<string, number> {
  const found = [...records].filter(([key]) => kindOf(key) === 'vector');
  return new Map(
    found.flatMap(([key, value]) => {
      const page = key.slice('vector:'.length).split(':').slice(0, 3).join(':');
      const { vectors }: { vectors: { seq: number; rev: number }[] } = JSON.parse(value).value.d;
      return vectors.map(({ seq, rev }): [string, number] => [`${page} ${seq}`, rev]);
    }),
  );
}

/** A vector stands for words: of what was erased there is none, of what was edited none of the words before. */
function assertNoStaleVector(records: ReadonlyMap<string, string>): void {
  const turns = new Map(turnsIn(records).map((turn) => [`${turn.page} ${turn.seq}`, turn]));
  for (const [place, rev] of vectorsIn(records)) {
    const turn = turns.get(place);
    assert.ok(
      turn !== undefined && turn.erased === undefined && turn.rev === rev,
      `${place} has a vector of old words`,
    );
  }
}

interface Way {
  name: string;
  takeBack(scene: Scene): Promise<unknown>;
  /** Words that stay, as README says. */
  stays: readonly Word[];
  /** Turns that are still there and have another text: they wait for another vector. */
  edits?: boolean;
}

const ways: Way[] = [
  {
    name: 'each message is deleted',
    stays: ['zqname', 'zqrole', ...unsent],
    async takeBack({ ann, messages, post }) {
      for (const { id, channel } of messages) await post(ann, 'deletions', { messageId: id }, channel);
    },
  },
  {
    name: 'each message is edited',
    stays: ['zqname', 'zqrole', ...unsent, ...besideTheText],
    edits: true,
    async takeBack({ ann, messages, post }) {
      for (const { id, channel } of messages) await post(ann, 'edits', { messageId: id, text: 'nothing' }, channel);
    },
  },
  {
    name: 'the person asks to be forgotten',
    stays: unsent,
    takeBack: ({ ann, post }) => post(ann, 'commands', { line: 'forget me confirm' }),
  },
  {
    name: 'an admin has the person forgotten',
    stays: unsent,
    takeBack: ({ ben, post }) => post(ben, 'commands', { line: 'forget user Ann zqname confirm' }),
  },
  {
    name: 'everything is forgotten',
    // What is set stays, and the list of who set what for the whole workspace.
    stays: ['zqrole', 'zqname', ...unsent],
    takeBack: ({ ben, post }) => post(ben, 'commands', { line: 'forget everything confirm' }),
  },
];

for (const { name, takeBack, stays, edits = false } of ways) {
  test(`${name}: none of the words is left, anywhere`, { timeout: timeoutMs }, async (t) => {
    const scene = await openScene(t);
    const { ben, post, quiet } = scene;
    const before = scene.records();
    for (const [kind, all] of Object.entries(planted)) {
      for (const word of all) assert.ok(kindsWith(before, word).includes(kind), `${word} is in no ${kind}`);
    }
    const unknown = [...before.keys()].map(kindOf).filter((kind) => !isKnown(kind));
    assert.deepEqual(unknown, [], 'records of these kinds are there: put a word into them');
    const mine = turnsIn(before).filter(({ author }) => author === scene.ann.person().id);
    const embedded = mine.filter(({ page, seq }) => vectorsIn(before).has(`${page} ${seq}`));
    assert.ok(embedded.length > 0, 'her words have vectors');

    await takeBack(scene);
    await quiet();
    const [requests, embeddings] = [scene.requests.length, scene.server.requests.length];
    const gone = words.filter((word) => !stays.includes(word));
    const records = scene.records();
    for (const word of gone) {
      assert.deepEqual(kindsWith(records, word), [], word);
      assertNowhere(scene.bytes(), word);
    }
    assertNoStaleVector(records);
    const erased = turnsIn(records).filter((turn) => turn.erased !== undefined);
    if (!edits) assert.ok(erased.length >= mine.length);

    const told = await everythingTold(scene);
    for (const [where, text] of told) for (const word of gone) assertNowhere(text, word, where);
    const later = JSON.stringify([scene.requests.slice(requests), scene.server.requests.slice(embeddings)]);
    assert.ok(scene.requests.length > requests, 'the model was asked');
    for (const word of gone) assertNowhere(later, word, 'a later request');
    await post(ben, 'messages', { text: 'once more' });
    await quiet();
    for (const word of gone) assertNowhere(scene.bytes(), word);
    for (const word of words) assertNowhere(scene.logged(), word, 'the log');
  });
}

test('what is older than it may be: none of the words is left, anywhere', { timeout: timeoutMs }, async (t) => {
  const scene = await openScene(t);
  const { ann, ben, post, quiet } = scene;
  await post(ann, 'commands', { line: 'stop' });
  await quiet();
  await scene.later(3);
  const gone = words.filter((word) => word !== 'zqrole' && !unsent.includes(word));
  for (const word of gone) {
    assert.deepEqual(kindsWith(scene.records(), word), [], word);
    assertNowhere(scene.bytes(), word);
  }
  assertNoStaleVector(scene.records());
  const requests = scene.requests.length;
  await post(ben, 'messages', { text: 'what do you know of all that?' });
  await quiet();
  for (const [where, text] of await everythingTold(scene)) for (const word of gone) assertNowhere(text, word, where);
  for (const word of gone) assertNowhere(JSON.stringify(scene.requests.slice(requests)), word, 'a later request');
});

/** What Ben is told when he asks for all there is, and what is streamed to him. */
async function everythingTold(scene: Scene): Promise<[where: string, text: string][]> {
  const { ben, post, quiet, thread } = scene;
  const told: [string, string][] = [];
  for (const channel of [general, thread]) {
    const seen = await ben.follow(channel);
    await post(ben, 'messages', { text: 'what do you know about the root, the file and what was looked up?' }, channel);
    for (const line of [
      'memory show',
      'memory search what was looked up',
      'memory prompt',
      'memory export',
      'role show',
      'settings show',
      'alternatives show',
      'usage',
    ]) {
      const order = await ben.post(`/api/memory/${encodeURIComponent(channel)}/orders`, { line });
      told.push([`${line} in ${channel}`, order.text]);
      const { files = [] } = JSON.parse(order.text);
      for (const { id, name } of files) told.push([`${line}: ${name}`, (await ben.call(`/api/files/${id}`)).text]);
      await post(ben, 'commands', { line }, channel);
    }
    await quiet();
    told.push([`the stream of ${channel}`, JSON.stringify(seen.events)]);
    seen.close();
  }
  for (const one of scene.paths) told.push([one, (await scene.get(ben, one)).text]);
  for (const file of scene.files) assert.equal((await ben.call(file)).status, 404, file);
  return told;
}

function isKnown(kind: string): boolean {
  return Object.hasOwn(planted, kind) || checkedApart.includes(kind) || wordless.includes(kind);
}

test('every kind of record there is has a word of its own here, or holds nobody’s words', () => {
  const src = path.resolve(import.meta.dirname, '../../src');
  const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const kinds = sources.flatMap((name) => {
    const text = readFileSync(path.join(src, name), 'utf8');
    return [...text.matchAll(/: RecordKind<(?!T>)[^=]*=\s*\{\s*name: '([^']+)'/g)].map((match) => match[1] ?? '');
  });
  const made = sources.flatMap((name) => {
    const text = readFileSync(path.join(src, name), 'utf8');
    return [...text.matchAll(/: RecordKind<(?!T>)[^=]*=/g)].map(() => name);
  });
  assert.equal(kinds.length, made.length, 'each has its name where it is made');
  assert.deepEqual(
    kinds.filter((kind) => !isKnown(kind)),
    [],
  );
});
