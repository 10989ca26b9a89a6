import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toChannelId } from '../../src/event.ts';
import { readAudit } from '../../src/inspect/audit-trail.ts';
import { createLog, type Log } from '../../src/log.ts';
import { type AuditEntry, auditKind, createAudit } from '../../src/operations/audit.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';

const start = Date.UTC(2026, 10, 21, 12);
const dayMs = 86_400_000;
const channel = toChannelId({ platform: 'chat', workspace: 'w', channel: 'general' });
const exported: AuditEntry = { what: 'export', who: 'chat:ann', from: 'chat', channel, detail: 'memory export' };

function createBench({ backend = createMemoryBackend(), lines = [] as string[] } = {}) {
  const clock = { now: start };
  const log: Log = createLog({
    level: 'info',
    format: 'json',
    secrets: [],
    destination: { write: (l) => lines.push(l) },
  });
  const store = createStore(backend);
  return { audit: createAudit({ store, log, now: () => clock.now }), store, clock, lines, backend };
}

test('what somebody did stands in the log as one line, and in the store', async () => {
  const { audit, store, lines } = createBench();
  audit.note(exported);
  await audit.idle();
  const entry = { at: start, ...exported };
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)).map(({ msg, audit: told }) => ({ msg, told })),
    [{ msg: 'audit', told: entry }],
  );
  const { entries, more } = await readAudit(store, { limit: 10 });
  assert.deepEqual(entries, [{ ...entry, times: 1, lastAt: start, id: entries[0]?.id }]);
  assert.equal(more, false);
});

test('the trail is read page by page, newest first, without a gap', async () => {
  const { audit, store, clock } = createBench();
  for (let n = 0; n < 25; n++) {
    if (n % 3 === 0) clock.now += 1;
    audit.note({ ...exported, who: `chat:p${n}` });
  }
  await audit.idle();
  const seen: string[] = [];
  let before: string | undefined;
  for (let page = 0; page < 4; page++) {
    const { entries, more } = await readAudit(store, { limit: 7, ...(before !== undefined && { before }) });
    seen.push(...entries.map(({ who }) => who));
    before = entries.at(-1)?.id;
    assert.equal(more, page < 3);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, n) => `chat:p${24 - n}`),
  );
});

test('a refusal that is repeated is one record with a count, and a line in the log each time', async () => {
  const { audit, store, clock, lines } = createBench();
  for (let n = 0; n < 50; n++) {
    clock.now += 1000;
    audit.note({ what: 'login-refused', who: '10.0.0.9', from: '10.0.0.9' });
    if (n % 10 === 0) await audit.idle();
  }
  audit.note({ what: 'login-refused', who: '10.0.0.8', from: '10.0.0.8' });
  clock.now += 11 * 60_000;
  audit.note({ what: 'login-refused', who: '10.0.0.9', from: '10.0.0.9' });
  await audit.idle();
  const { entries } = await readAudit(store, { limit: 10 });
  assert.deepEqual(
    entries.map(({ who, times, at, lastAt }) => [who, times, lastAt - at]),
    [
      ['10.0.0.9', 1, 0],
      ['10.0.0.8', 1, 0],
      ['10.0.0.9', 50, 49_000],
    ],
  );
  assert.equal(lines.length, 52);
});

test('what changed something is a record of its own each time', async () => {
  const { audit, store } = createBench();
  audit.note(exported);
  audit.note(exported);
  await audit.idle();
  assert.equal((await readAudit(store, { limit: 10 })).entries.length, 2);
});

test('a store that cannot be written stops nobody, is told to the log, and has it all once it works', async () => {
  const backend = createMemoryBackend();
  let isDown = true;
  const flaky = {
    ...backend,
    setMany: async (entries: Parameters<typeof backend.setMany>[0]) => {
      if (isDown) throw new Error('unreachable');
      return await backend.setMany(entries);
    },
  };
  const { audit, store, lines } = createBench({ backend: flaky });
  audit.note({ what: 'refused', who: 'chat:ann', from: 'chat' });
  await audit.idle();
  assert.match(lines.at(-1) ?? '', /the audit trail could not be written/);
  audit.note({ what: 'refused', who: 'chat:ann', from: 'chat' });
  await audit.idle();
  isDown = false;
  audit.note(exported);
  await audit.idle();
  assert.deepEqual(
    (await readAudit(store, { limit: 10 })).entries.map(({ what, times }) => [what, times]),
    [
      ['export', 1],
      ['refused', 2],
    ],
  );
});

test('entries older than their retention are erased, the others stay', async () => {
  const { audit, store, clock } = createBench();
  for (let day = 0; day < 5; day++) {
    audit.note({ ...exported, detail: `day ${day}` });
    clock.now += dayMs;
  }
  await audit.sweep(start + 2 * dayMs);
  assert.deepEqual(
    (await readAudit(store, { limit: 10 })).entries.map(({ detail }) => detail),
    ['day 4', 'day 3', 'day 2'],
  );
});

test('a field is never longer than its bound, whatever it is given', async () => {
  const { audit, store } = createBench();
  audit.note({ what: 'refused', who: `chat:${'x'.repeat(5000)}`, from: '😀'.repeat(500), detail: 'y'.repeat(5000) });
  await audit.idle();
  const [entry] = (await readAudit(store, { limit: 1 })).entries;
  assert.ok(entry !== undefined);
  for (const text of [entry.who, entry.from, entry.detail ?? '']) assert.ok(text.length <= 300 && text.isWellFormed());
});

test('a damaged entry hides none of the others', async () => {
  const { audit, store } = createBench();
  audit.note(exported);
  await audit.idle();
  await store.commit([{ key: `${auditKind.name}:2027-01-01`, value: { v: 1, d: 'rubbish' } }]);
  assert.equal((await readAudit(store, { limit: 10 })).entries.length, 1);
});
