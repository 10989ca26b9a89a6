import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import { type Event, eventSchema, type Reply, toChannelId } from '../../src/event.ts';
import { entryKind, pendingRecord } from '../../src/inbox/entry.ts';
import { createInbox, type Inbox, type Job } from '../../src/inbox/inbox.ts';
import { createLog } from '../../src/log.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import { command, message, room } from './core.ts';

const log = createLog({ level: 'silent', format: 'json', secrets: [] });

const reply: Reply = {
  limits: { pieceChars: 2000, minEditMs: 0 },
  async progress() {},
  write: async (piece) => `post-${piece.index}`,
  async say() {},
  async end() {},
  async withdraw() {},
};

const surface = { reply: () => reply, fetch: async () => new Uint8Array(), link: () => undefined };

interface Options {
  store?: Store;
  handle?: (job: Job) => Promise<void>;
  isWanted?: (event: Event) => Promise<boolean>;
}

async function open({ store = createStore(createMemoryBackend()), handle, isWanted = async () => true }: Options = {}) {
  const handled: string[] = [];
  const inbox = createInbox({
    store,
    handle: async (job) => {
      handled.push(job.event.id);
      await handle?.(job);
    },
    isUrgent: (event) => event.kind === 'delete',
    isWanted,
    log,
    now: Date.now,
  });
  const intake = await inbox.open('t', surface);
  return { inbox, intake, handled, store };
}

async function idle(inbox: Inbox): Promise<void> {
  while (inbox.waiting() + inbox.running() > 0) await new Promise((resolve) => setImmediate(resolve));
}

test('what was accepted is handled after a start that follows a crash, once and in order', async () => {
  const store = createStore(createMemoryBackend());
  const gate = new Promise<void>(() => undefined);
  const first = await open({ store, handle: () => gate });
  for (const n of [1, 2, 3]) assert.equal(await first.intake.accept(message(n, `text ${n}`)), 'accepted');
  // The first process is gone in the middle of the first event; nothing of it is told.
  const second = await open({ store });
  await idle(second.inbox);
  assert.deepEqual(second.handled, ['e1', 'e2', 'e3']);
  const third = await open({ store });
  await idle(third.inbox);
  assert.deepEqual(third.handled, []);
});

test('a redelivery is known, at once, at the same moment, and after a start', async () => {
  const { intake, inbox, handled, store } = await open();
  const results = await Promise.all([1, 1, 1].map((n) => intake.accept(message(n, 'hello'))));
  assert.deepEqual(results.sort(), ['accepted', 'known', 'known']);
  await idle(inbox);
  const later = await open({ store });
  assert.equal(await later.intake.accept(message(1, 'hello')), 'known');
  await idle(later.inbox);
  assert.deepEqual([handled, later.handled], [['e1'], []]);
});

test('what cannot be kept is not accepted, and can come again', async () => {
  const backend = createMemoryBackend();
  let broken = true;
  const store = createStore({
    ...backend,
    async setMany(entries) {
      if (broken) throw new Error('disk full');
      return await backend.setMany(entries);
    },
  });
  const { intake, inbox, handled } = await open({ store });
  await assert.rejects(
    intake.accept(message(1, 'hello')),
    (error: unknown) => error instanceof BotError && error.kind === 'store',
  );
  broken = false;
  assert.equal(await intake.accept(message(1, 'hello')), 'accepted');
  await idle(inbox);
  assert.deepEqual(handled, ['e1']);
});

test('a deletion does not wait behind the answer in its channel', async () => {
  const gate = Promise.withResolvers<void>();
  const { intake, inbox, handled } = await open({
    handle: (job) => (job.event.kind === 'message' ? gate.promise : Promise.resolve()),
  });
  await intake.accept(message(1, 'hello'));
  await intake.accept({ kind: 'delete', id: 'd', channel: room, at: 5, messageIds: ['m1'], origin: {} });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(handled, ['e1', 'd']);
  gate.resolve();
  await idle(inbox);
});

test('while the platform cannot take the outcome the event waits, and those behind it in the channel', async () => {
  let failures = 1;
  const { intake, inbox, handled } = await open({
    async handle() {
      if (failures-- > 0) throw new BotError('platform', 'come again', { retryAt: Date.now() + 5 });
    },
  });
  await intake.accept(message(1, 'one'));
  await intake.accept(message(2, 'two'));
  await idle(inbox);
  assert.deepEqual(handled, ['e1', 'e1', 'e2']);
});

test('an event that nobody can handle ends, and the next is handled', async () => {
  const { intake, inbox, handled, store } = await open({
    async handle(job) {
      if (job.event.id === 'e1') throw new Error('a bug');
    },
  });
  await intake.accept(message(1, 'one'));
  await intake.accept(message(2, 'two'));
  await idle(inbox);
  assert.deepEqual(handled, ['e1', 'e2']);
  const later = await open({ store });
  await idle(later.inbox);
  assert.deepEqual(later.handled, []);
});

test('what is overheard where nobody wants it leaves nothing behind', async () => {
  const { intake, store, handled } = await open({ isWanted: async (event) => event.id !== 'e1' });
  assert.equal(await intake.accept(message(1, 'overheard')), 'ignored');
  const later = await open({ store });
  await idle(later.inbox);
  assert.deepEqual([handled, later.handled, [...later.intake.lastSeen()]], [[], [], []]);
});

test('after a start it is known when something last came from each channel', async () => {
  const { intake, inbox, store } = await open();
  await intake.accept(message(1, 'one'));
  await intake.accept(message(2, 'two'));
  await idle(inbox);
  const later = await open({ store });
  const [, event] = [1, message(2, 'two')];
  assert.deepEqual([...later.intake.lastSeen()], [[room, event.at]]);
});

test('closing takes nothing more, waits for what runs, and parks what does not end', async () => {
  const { intake, inbox, store } = await open({
    handle: (job) =>
      new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason), { once: true })),
  });
  await intake.accept(message(1, 'one'));
  await inbox.close(20);
  await assert.rejects(intake.accept(message(2, 'two')), /shutting down/);
  const later = await open({ store });
  await idle(later.inbox);
  assert.deepEqual(later.handled, ['e1']);
});

test('what was handled long ago is forgotten, what waits is not', async () => {
  const { intake, inbox, store } = await open({
    handle: (job) => (job.event.id === 'e2' ? new Promise(() => undefined) : Promise.resolve()),
  });
  await intake.accept(message(1, 'one'));
  await intake.accept(message(2, 'two'));
  while (inbox.waiting() > 0) await new Promise((resolve) => setImmediate(resolve));
  await inbox.sweep(Date.now() + 1000);
  const later = await open({ store });
  await idle(later.inbox);
  assert.deepEqual(later.handled, ['e2']);
  assert.equal(await later.intake.accept(message(1, 'one')), 'accepted');
});

test('starts after an end in good order are no failed attempts; those after a crash are counted', async () => {
  const store = createStore(createMemoryBackend());
  const attempts: number[] = [];
  const untilStopped = (job: Job): Promise<void> => {
    attempts.push(job.pending.attempts);
    return new Promise((_, reject) =>
      job.signal.addEventListener('abort', () => reject(job.signal.reason), { once: true }),
    );
  };
  const first = await open({ store, handle: untilStopped });
  await first.intake.accept(message(1, 'one'));
  await first.inbox.close(5);
  for (let n = 0; n < 3; n++) await (await open({ store, handle: untilStopped })).inbox.close(5);
  for (let n = 0; n < 3; n++) await open({ store, handle: untilStopped });
  assert.deepEqual(attempts, [0, 1, 1, 1, 1, 2, 3]);
});

test('what only waited behind an event that ends the program each time was not attempted', async () => {
  const store = createStore(createMemoryBackend());
  const other = toChannelId({ platform: 't', workspace: 'w', channel: 'other' });
  const seen = new Map<string, number[]>();
  const life = async (isDeadly: (job: Job) => boolean) =>
    await open({
      store,
      async handle(job) {
        seen.set(job.event.id, [...(seen.get(job.event.id) ?? []), job.pending.attempts]);
        // The process is gone at this moment; nothing of it is told.
        if (isDeadly(job)) await new Promise(() => undefined);
      },
    });
  const first = await life(() => true);
  for (const n of [1, 2, 3]) await first.intake.accept(message(n, `text ${n}`));
  await first.intake.accept(message(4, 'elsewhere', { channel: other }));
  for (let n = 0; n < 5; n++) await life(() => true);
  assert.deepEqual(
    [seen.get('e1'), seen.get('e4'), seen.get('e2')],
    [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], undefined],
  );
  await life((job) => job.event.id === 'e3');
  await until(() => seen.has('e3'));
  assert.deepEqual([seen.get('e1')?.at(-1), seen.get('e2'), seen.get('e3')], [6, [0], [0]]);
  const last = await life(() => false);
  await idle(last.inbox);
  assert.deepEqual([seen.get('e2'), seen.get('e3')], [[0], [0, 0]]);
});

test('what waited and then began is attempted from the first thing on that is committed of it', async () => {
  const store = createStore(createMemoryBackend());
  const attempts: number[] = [];
  const life = async () =>
    await open({
      store,
      async handle(job) {
        if (job.event.id === 'e1') return;
        attempts.push(job.pending.attempts);
        await store.commit([job.update({ posted: ['p'] })]);
        await new Promise(() => undefined);
      },
    });
  const first = await life();
  await Promise.all([1, 2].map((n) => first.intake.accept(message(n, `text ${n}`))));
  await until(() => attempts.length === 1);
  await life();
  assert.deepEqual(attempts, [0, 1]);
});

test('an entry of an older version, which does not say whether it had begun, counts as begun', async () => {
  const store = createStore(createMemoryBackend());
  const event = message(1, 'one');
  await store.commit([pendingRecord({ state: 'pending', event, attempts: 1, posted: [] })]);
  const attempts: number[] = [];
  const { inbox } = await open({ store, handle: async (job) => void attempts.push(job.pending.attempts) });
  await idle(inbox);
  assert.deepEqual(attempts, [2]);
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    assert.ok(turn < 10_000, 'it never came to this');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const whole: Event[] = [
  message(1, 'hello'),
  { kind: 'edit', id: 'x', channel: room, at: 1, messageId: 'm1', text: 'so', origin: {} },
  { kind: 'delete', id: 'y', channel: room, at: 1, messageIds: ['m1'], origin: {} },
  command(2, 'help'),
];

for (const event of whole) {
  test(`of a malformed ${event.kind} nothing is kept, and what comes after it is handled`, async () => {
    const { intake, inbox, handled, store } = await open();
    for (const field of Object.keys(event).filter((name) => name !== 'id')) {
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1, null, undefined]) {
        await assert.rejects(intake.accept(JSON.parse('{}', () => ({ ...event, [field]: wrong }))), BotError);
      }
    }
    assert.deepEqual(await store.list(entryKind, ''), []);
    assert.equal(inbox.waiting(), 0);
    assert.equal(await intake.accept(event), 'accepted');
    await idle(inbox);
    assert.deepEqual(handled, [event.id]);
  });
}

const author = { id: 'p', name: 'Ann', admin: false, roles: ['r'], payer: 'q', platform: 't' };
const file = { name: 'a.txt', mime: 'text/plain', bytes: 1, source: 's', shelved: ['k'] };
/** Every field that an event can have. */
const full: Event[] = [
  {
    kind: 'message',
    id: 'a',
    channel: room,
    at: 1,
    messageId: 'm',
    author,
    text: 'x',
    to: 'mention',
    private: true,
    attachments: [file],
    replyTo: 'r',
    place: 'here',
    branchedFrom: 'b',
    origin: { o: 'p' },
  },
  { kind: 'edit', id: 'x', channel: room, at: 1, messageId: 'm1', text: 'so', origin: { o: 'p' } },
  { kind: 'delete', id: 'y', channel: room, at: 1, messageIds: ['m1'], origin: { o: 'p' } },
  {
    kind: 'command',
    id: 'c',
    channel: room,
    at: 1,
    author,
    command: { line: 'help' },
    target: 't',
    direct: false,
    prints: true,
    origin: { o: 'p' },
  },
  {
    kind: 'command',
    id: 'd',
    channel: room,
    at: 1,
    author,
    command: { path: ['role', 'set'], options: { text: 'x' } },
    target: 't',
    direct: false,
    prints: true,
    origin: { o: 'p' },
  },
];

test('whatever an event carries has a length: names are cut, and all else that is too long is refused', async () => {
  for (const { shape } of eventSchema.options) {
    const sample = full.find(({ kind }) => shape.kind.value === kind) ?? {};
    const missing = Object.entries(shape).filter(
      ([name, field]) => !(name in sample) && !field.safeParse(true).success,
    );
    assert.deepEqual(missing, [], 'the sample has every field that may hold text');
  }
  const huge = 'x'.repeat(70_000_000);
  let fields = 0;
  for (const event of full) {
    for (const field of fieldsOf(event)) {
      if (['kind', 'to'].includes(field.join('.'))) continue;
      fields++;
      const { intake, store } = await open({ handle: () => new Promise(() => undefined) });
      const long = withField(event, field, field.join('.') === 'channel' ? `test/w/${huge}` : huge);
      try {
        await intake.accept(long);
        const [entry] = await store.list(entryKind, '');
        assert.ok(JSON.stringify(entry).length < 10_000, `${field.join('.')} is cut`);
      } catch (error) {
        assert.ok(error instanceof BotError, `${field.join('.')}: ${String(error)}`);
        assert.match(error.message, /^the \w+ is too long: |^a malformed event was refused$/);
      }
    }
  }
  assert.ok(fields > 40, `${fields} fields`);
});

/** The way to every text in it. */
function fieldsOf(value: unknown): string[][] {
  if (typeof value === 'string') return [[]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner).map((rest) => [key, ...rest]));
}

function withField(event: Event, field: readonly string[], text: string): Event {
  const changed = structuredClone(event);
  let at: Record<string, unknown> = changed;
  for (const key of field.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[field.at(-1) ?? ''] = text;
  return changed;
}
