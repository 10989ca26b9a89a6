import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UsageReport, UsageRowView } from '../../adapters/web/views.ts';
import { type Event, type Intake, type Reply, toChannelId } from '../../src/event.ts';
import { scriptedModel } from './core.ts';
import { startWebStage } from './web.ts';
import { type Answer, openClient, until, type WebClient } from './web-client.ts';

/** The memory of every channel, and what everybody used: seen and steered by whoever may. */

const passwords = { app: 'open sesame', admin: 'let me administer' };
const model = scriptedModel(({ purpose }, n) => (purpose === 'fold' ? 'A summary.' : `Answer ${n}.`));
const stage = await startWebStage({ model, passwords, isLoopback: false });
after(() => stage.close());
const visitor = await openClient(stage.url, 'Ann', passwords.app);
const admin = await openClient(stage.url, 'Admin', passwords.admin);

const general = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });
const garden = toChannelId({ platform: 'slack', workspace: 'T 1', channel: 'C/1' });
const alone = toChannelId({ platform: 'slack', workspace: 'T 1', channel: 'D1' });

const elsewhere = await stage.core.inbox.open('slack', { reply: silent, fetch: async () => new Uint8Array(), link });
await say(elsewhere, 1, 'the roses are red', { channel: garden, place: '=cmd|garden' });
await say(elsewhere, 2, 'a secret', { channel: alone, to: 'direct' });
await visitor.post(`/api/channels/${key(general)}/messages`, {
  id: 'message-1',
  at: Date.now(),
  text: 'the colour is teal',
  uploads: [],
});
await until(() => stage.core.inbox.running() + stage.core.inbox.waiting() === 0, 'all is answered');

const memoryOf = async (client: WebClient, channel: string, more = ''): Promise<Answer> =>
  await client.call(`/api/memory/${key(channel)}${more}`);
const order = async (client: WebClient, channel: string, line: string): Promise<Answer> =>
  await client.post(`/api/memory/${key(channel)}/orders`, { line });

test('anyone sees what the console’s own channels remember; the exact next prompt is for admins', async () => {
  const seen = await memoryOf(visitor, general);
  const { role, budget, turns, folds } = JSON.parse(seen.text);
  assert.deepEqual([seen.status, turns.total, folds], [200, 2, []]);
  assert.match(role, /helpful/);
  const sum = budget.parts.reduce((all: number, one: { tokens: number }) => all + one.tokens, 0);
  assert.ok(sum > 0 && sum + budget.room <= budget.total);
  const { messages, tokens } = JSON.parse((await memoryOf(admin, general, '/prompt')).text);
  assert.match(JSON.stringify(messages), /Ann: the colour is teal/);
  assert.ok(tokens > 0);
  const refused = await memoryOf(visitor, general, '/prompt');
  assert.deepEqual([refused.status, /teal/.test(refused.text)], [403, false]);
});

test('an admin sees the channels of all platforms, direct messages excepted; others do not', async () => {
  const listed = JSON.parse((await admin.call('/api/channels')).text).others;
  assert.deepEqual(
    listed.map((one: { id: string }) => one.id),
    [garden],
  );
  assert.deepEqual(JSON.parse((await visitor.call('/api/channels')).text).others, []);
  const turns = await admin.call(`/api/channels/${key(garden)}/turns`);
  assert.match(turns.text, /the roses are red/);
  assert.equal((await memoryOf(admin, garden)).status, 200);
  assert.match((await memoryOf(admin, garden, '/prompt')).text, /roses/);
  for (const what of ['', '/prompt']) {
    assert.equal((await memoryOf(visitor, garden, what)).status, 403);
    assert.equal((await memoryOf(visitor, alone, what)).status, 403);
    assert.equal((await memoryOf(admin, alone, what)).status, 404, 'nobody looks into what was said between two');
  }
  assert.equal((await order(admin, alone, 'memory show')).status, 404);
  for (const what of ['turns', 'events']) {
    assert.equal((await admin.call(`/api/channels/${key(alone)}/${what}`)).status, 404);
  }
});

test('an admin who looks into a channel of another platform is in the trail', async () => {
  await memoryOf(admin, garden);
  await stage.core.audit.idle();
  const { entries } = await stage.core.views.audit({ limit: 50 });
  const read = entries.find(({ what, channel }) => what === 'read' && channel === garden);
  assert.deepEqual([read?.who, read?.from], [`web:${admin.person().id}`, '127.0.0.1']);
  assert.ok(!JSON.stringify(entries).includes('roses'));
});

test('without a password for it, nobody of this machine sees other platforms’ channels, usage or trail', async (t) => {
  const hidden = await startWebStage({ model, store: stage.store, host: { showsOthers: false } });
  t.after(() => hidden.close());
  const anybody = await openClient(hidden.url, 'Ann');
  assert.deepEqual(JSON.parse((await anybody.call('/api/channels')).text).others, []);
  for (const what of ['turns', 'events']) {
    assert.equal((await anybody.call(`/api/channels/${key(garden)}/${what}`)).status, 404);
  }
  for (const what of ['', '/prompt']) assert.equal((await memoryOf(anybody, garden, what)).status, 404);
  assert.equal((await order(anybody, garden, 'memory export')).status, 404);
  const today = new Date().toISOString().slice(0, 10);
  for (const ending of ['', '.csv', '.json']) {
    const { status, text } = await anybody.call(`/api/usage${ending}?from=${today}&to=${today}`);
    assert.deepEqual([status, /slack|garden|Rosa/.test(text), /web/.test(text)], [200, false, true], ending);
  }
  const trail = await anybody.call('/api/audit');
  assert.deepEqual([trail.status, trail.text.includes('slack/')], [200, false]);
});

test('whoever looks at a channel of another platform is told when its memory changes', async (t) => {
  const seen = await admin.follow(garden);
  t.after(() => seen.close());
  await until(() => seen.lastId() !== '', 'it begins');
  await say(elsewhere, 3, 'and the violets blue', { channel: garden });
  const told = await until(() => seen.events.find((one) => one.name === 'memory'), 'it is told');
  assert.deepEqual(told.data, { type: 'memory', channel: garden, change: { channel: garden, what: 'turns' } });
  assert.ok(
    seen.events.every((one) => one.name === 'memory'),
    'and nothing is said there',
  );
});

test('orders are given with the rights of whoever gives them', async () => {
  for (const line of ['memory export', 'forget everything confirm', 'settings set temperature 1']) {
    const refused = await order(visitor, general, line);
    assert.match(refused.text, /Only admins may/, line);
    assert.ok(!refused.text.includes('teal'));
  }
  const shown = await order(visitor, general, '/memory show');
  assert.equal(shown.status, 200);
  const exported = JSON.parse((await order(admin, garden, 'memory export')).text);
  assert.ok(exported.files.length >= 1);
  const file = `/api/files/${exported.files[0].id}`;
  const had = await admin.call(file);
  assert.match(had.text, /the roses are red/);
  assert.equal((await visitor.call(file)).status, 404);
  assert.equal((await stage.core.views.turns(garden, { limit: 10 })).turns.length, 4, 'nothing was said there');
});

test('a reset is undone from the inspector, and what cannot be understood is said', async () => {
  const total = async () => JSON.parse((await memoryOf(visitor, general)).text).turns.total;
  assert.equal((await order(visitor, general, 'reset')).status, 200);
  assert.equal(await total(), 0);
  assert.equal(JSON.parse((await memoryOf(visitor, general)).text).undoable, true);
  assert.equal((await order(visitor, general, 'undo')).status, 200);
  assert.equal(await total(), 2);
  const wrong = await order(visitor, general, 'dance wildly');
  assert.deepEqual([wrong.status, /no command/.test(JSON.parse(wrong.text).problem)], [400, true]);
});

test('what was used is had as a page, as JSON and as a table in which nothing is a formula', async () => {
  const day = new Date().toISOString().slice(0, 10);
  const range = `from=${day}&to=${day}`;
  const report: UsageReport = JSON.parse((await admin.call(`/api/usage?${range}`)).text);
  assert.ok(report.rows.some((row) => row.personName === 'Ann'));
  assert.ok(report.charts.length > 0);
  const json = await admin.call(`/api/usage.json?${range}`);
  assert.equal(
    json.headers.get('content-disposition'),
    `attachment; filename="usage-${day}-${day}.json"; filename*=UTF-8''usage-${day}-${day}.json`,
  );
  assert.deepEqual(JSON.parse(json.text).rows, report.rows);
  const csv = await admin.call(`/api/usage.csv?${range}`);
  assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/);
  const [head, ...lines] = csv.text.trimEnd().split('\r\n');
  assert.match(head ?? '', /^day,workspace,channel,channel_id,person,/);
  assert.equal(lines.length, report.rows.length);
  assert.match(csv.text, /,'=cmd\|?garden,/);
  assert.equal(
    report.rows.reduce((sum: number, row: UsageRowView) => sum + row.prompt, 0),
    lines.reduce((sum, line) => sum + Number(line.split(',')[9]), 0),
  );
});

test('days that are none, or too many, are refused', async () => {
  const wrong = ['', 'from=2026-11-01', 'from=2026-11-02&to=2026-11-01', 'from=2026-02-30&to=2026-03-01'];
  for (const query of [...wrong, 'from=2020-01-01&to=2026-01-01', "from=2026-11-01'&to=2026-11-02"]) {
    for (const ending of ['', '.csv', '.json']) {
      assert.equal((await admin.call(`/api/usage${ending}?${query}`)).status, 400, query);
    }
  }
});

function key(channel: string): string {
  return encodeURIComponent(channel);
}

async function say(intake: Intake, n: number, text: string, more: Partial<Event>): Promise<void> {
  const event = {
    kind: 'message',
    id: `e${n}`,
    messageId: `e${n}`,
    at: Date.now(),
    author: { id: 'U1', name: 'Rosa', admin: false, roles: [] },
    text,
    to: 'mention',
    attachments: [],
    origin: {},
    channel: garden,
    ...more,
  } as Event;
  await intake.accept(event);
  await until(() => stage.core.inbox.running() + stage.core.inbox.waiting() === 0, 'it is answered');
}

function silent(event: Event): Reply {
  return {
    limits: { pieceChars: 1000, minEditMs: 0 },
    progress: async () => {},
    write: async (piece) => `${event.id}.${piece.index}`,
    say: async () => {},
    async end() {},
    withdraw: async () => {},
  };
}

function link(): undefined {
  return undefined;
}
