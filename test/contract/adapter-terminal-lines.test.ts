import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { startJsonLines } from '../../adapters/terminal/json-lines.ts';
import { BotError } from '../../src/errors.ts';
import { createCore, echo, noLog, notice, stream, until, wordsOf } from './adapter-terminal.ts';

type Core = ReturnType<typeof createCore>;
type Line = Record<string, unknown>;

async function start(t: TestContext, core: Pick<Core, 'openIntake'>, output = new PassThrough()) {
  const input = new PassThrough();
  const lines: Line[] = [];
  let rest = '';
  let closings = 0;
  output.on('data', (chunk) => {
    const [...whole] = (rest + chunk).split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole.map((line) => JSON.parse(line)));
  });
  const adapter = await startJsonLines({
    openIntake: core.openIntake,
    input,
    output,
    log: noLog,
    now: () => 1_000,
    onClosed: () => closings++,
  });
  t.after(() => adapter.close());
  return {
    adapter,
    input,
    lines,
    closings: () => closings,
    send: (value: object) => input.write(`${JSON.stringify(value)}\n`),
    ended: () =>
      until(
        () => closings === 1,
        () => JSON.stringify(lines),
      ),
    of: (type: string) => lines.filter((line) => line.type === type),
  };
}

/** Whatever could happen without anything from outside has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 100; i++) await tick();
}

const author = { id: 'u1', name: 'Ann' };
const message = (text: string, extra: object = {}) => ({ type: 'message', channel: 'c', author, text, ...extra });

test('a line is kept, then answered; the lines that come out say what belongs to what', async (t) => {
  const core = createCore(async (event, reply) => {
    await reply.progress('thinking hard');
    await stream(reply, `Hello ${wordsOf(event)}`);
  });
  const { send, input, ended, lines } = await start(t, core);
  send(message('Ann', { id: 'e1', at: 7, thread: 't1' }));
  input.end();
  await ended();
  const about = { channel: 'c', thread: 't1', id: 'e1' };
  const written = { ...about, messageId: 'e1.0', index: 0, actions: [] };
  const sorted = [...lines].sort((a, b) => Number(b.type === 'accepted') - Number(a.type === 'accepted'));
  assert.deepEqual(sorted, [
    { type: 'accepted', line: 1, ...about },
    { type: 'progress', ...about, note: 'thinking hard' },
    { type: 'write', ...written, text: 'Hello ', done: false, last: false },
    { type: 'write', ...written, text: 'Hello Ann', done: false, last: false },
    { type: 'write', ...written, text: 'Hello Ann', done: true, last: true },
  ]);
});

test('a delivery that comes again is told as known, while the first one is still waited for', async (t) => {
  const gate = Promise.withResolvers<void>();
  const core = createCore(async (event, reply) => {
    await gate.promise;
    await echo(event, reply);
  });
  const { send, input, ended, of, lines, closings } = await start(t, core);
  for (let i = 0; i < 3; i++) send(message('hi', { id: 'e1', at: 7 }));
  input.end();
  await until(
    () => of('known').length === 2 && input.readableEnded,
    () => JSON.stringify(lines),
  );
  await settled();
  assert.equal(closings(), 0);
  gate.resolve();
  await ended();
  assert.deepEqual([of('accepted').length, core.accepted.length], [1, 1]);
  assert.equal(of('write').filter((line) => line.last).length, 1);
});

test('what was answered before is known, and there is nothing to wait for', async (t) => {
  const { send, input, ended, of, lines } = await start(t, createCore(echo));
  send(message('hi', { id: 'e1', at: 7 }));
  await until(
    () => of('write').at(-1)?.last === true,
    () => JSON.stringify(lines),
  );
  send(message('hi', { id: 'e1', at: 7 }));
  input.end();
  await ended();
  assert.deepEqual([of('known').length, of('write').filter((line) => line.last).length], [1, 1]);
});

test('at the end of the input what is being kept is waited for', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { send, input, ended, of, closings } = await start(
    t,
    createCore(async () => {}, { accept: () => gate.promise }),
  );
  send({ type: 'edit', channel: 'c', messageId: 'm1', text: 'new' });
  input.end();
  await until(
    () => input.readableEnded,
    () => 'the input goes on',
  );
  await settled();
  assert.equal(closings(), 0);
  gate.resolve();
  await ended();
  assert.equal(of('accepted').length, 1);
});

test('a notice comes whole, with its key, its actions and its files', async (t) => {
  const whole = {
    text: 'Sure?',
    private: true,
    actions: [{ label: 'Yes', command: 'forget me confirm' }],
    files: [{ name: 'a.md', mime: 'text/markdown', content: '# a' }],
  };
  const core = createCore((_event, reply) => reply.say('confirm', whole));
  const { send, input, ended, of } = await start(t, core);
  send({ type: 'command', channel: 'c', author, text: '/forget me', id: 'e1', at: 1 });
  input.end();
  await ended();
  assert.deepEqual(of('say'), [{ type: 'say', channel: 'c', id: 'e1', key: 'confirm', ...whole }]);
});

test('edits, deletions and what is only overheard are passed on and not waited for', async (t) => {
  const core = createCore(async () => {});
  const { send, input, ended, of } = await start(t, core);
  send({ type: 'edit', channel: 'c', messageId: 'm1', text: 'new' });
  send({ type: 'delete', channel: 'c', messageIds: ['m1', 'm2'] });
  send(message('overheard', { to: 'none' }));
  send(message('in a thread', { to: 'thread' }));
  input.end();
  await ended();
  assert.deepEqual(core.words(), ['new', 'm1 m2', 'overheard', 'in a thread']);
  assert.equal(of('accepted').length, 4);
});

test('an answer that has begun is waited for, also where none was due', async (t) => {
  const gate = Promise.withResolvers<void>();
  const core = createCore(async (event, reply) => {
    await reply.progress('');
    await gate.promise;
    await echo(event, reply);
  });
  const { send, input, ended, of, closings } = await start(t, core);
  send(message('in a thread', { to: 'thread' }));
  await until(
    () => of('progress').length === 1,
    () => 'no progress',
  );
  input.end();
  await until(
    () => input.readableEnded,
    () => 'the input goes on',
  );
  assert.equal(closings(), 0);
  gate.resolve();
  await ended();
  assert.equal(of('write').at(-1)?.last, true);
});

test('a withdrawn answer is told and ends its question', async (t) => {
  const { send, input, ended, of } = await start(
    t,
    createCore((_event, reply) => reply.withdraw()),
  );
  send(message('oops', { id: 'e1', at: 1 }));
  input.end();
  await ended();
  assert.deepEqual(of('withdraw'), [{ type: 'withdraw', channel: 'c', id: 'e1' }]);
});

test('a bad line, or one that cannot be kept, is an error about that line, and the next one is taken', async (t) => {
  const core = createCore(echo, {
    accept: async (event) => {
      if (wordsOf(event) === 'full') throw new BotError('store', 'the disk is full');
    },
  });
  const { send, input, ended, of } = await start(t, core);
  input.write('{"type":\n\n');
  send(message('full', { id: 'e2', at: 1 }));
  send(message('fine'));
  input.end();
  await ended();
  const [bad, full, ...more] = of('error');
  assert.deepEqual(bad, { type: 'error', line: 1, message: 'the line is not JSON' });
  assert.deepEqual([full?.line, full?.id, full?.channel], [3, 'e2', 'c']);
  assert.match(String(full?.message), /^⚠️ I cannot reach my memory/);
  assert.equal(more.length, 0);
  assert.equal(of('write').at(-1)?.text, 'You said: fine');
});

test('what was left open by an earlier run is answered under the same message ids, and waited for', async (t) => {
  const first = createCore(async () => {});
  const one = await start(t, first);
  one.send(message('hi', { id: 'e1', at: 7 }));
  await until(
    () => first.accepted.length === 1,
    () => 'nothing accepted',
  );
  const { input, ended, of } = await start(t, createCore(echo, { pending: first.accepted }));
  input.end();
  await ended();
  assert.deepEqual([of('write').at(-1)?.messageId, of('write').at(-1)?.last], ['e1.0', true]);
});

test('attachments arrive byte for byte', async (t) => {
  const core = createCore(echo);
  const { send, input, ended } = await start(t, core);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  send(message('look', { attachments: [{ name: 'a.bin', mime: 'x/y', base64: bytes.toString('base64') }] }));
  input.end();
  await ended();
  const event = core.accepted[0];
  assert.ok(event?.kind === 'message' && event.attachments[0]);
  assert.equal(event.attachments[0].bytes, 256);
  const fetched = await core.surface().fetch(event.attachments[0], AbortSignal.timeout(1_000));
  assert.deepEqual(Buffer.from(fetched), bytes);
});

test('a thousand events at once are kept in order in each channel and all answered', async (t) => {
  let accepting = 0;
  let most = 0;
  const core = createCore(echo, {
    accept: async (event) => {
      accepting++;
      most = Math.max(most, accepting);
      // Some channels are slow: a later event must not be kept before an earlier one of its own channel.
      for (let i = 0; i < (event.at * 7_919) % 11; i++) await tick();
      accepting--;
    },
  });
  const { send, input, ended, of } = await start(t, core);
  for (let i = 0; i < 1_000; i++) send(message(String(i), { channel: 'x'.repeat(i % 20), id: `e${i}`, at: i }));
  input.end();
  await ended();
  assert.equal(of('error').length, 50, 'a channel needs a name');
  assert.equal(of('accepted').length, 950);
  assert.equal(of('write').filter((line) => line.last).length, 950);
  const byChannel = Map.groupBy(core.accepted, (event) => event.channel);
  for (const events of byChannel.values()) {
    assert.deepEqual(
      events.map((event) => event.at),
      events.map((event) => event.at).sort((a, b) => a - b),
    );
  }
  assert.ok(most > 1 && most <= 64, `${most} at once`);
});

test('while nothing can be kept, no more than a few lines are taken in', async (t) => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const core = createCore(echo, {
    accept: async () => {
      asked++;
      await gate.promise;
    },
  });
  const { input, ended } = await start(t, core);
  let given = 0;
  Readable.from(
    (function* () {
      for (; given < 2_000; given++) yield `${JSON.stringify(message('x'.repeat(1_000), { channel: `c${given}` }))}\n`;
    })(),
  ).pipe(input);
  await until(
    () => asked === 64,
    () => `${asked} asked`,
  );
  await settled();
  assert.equal(asked, 64);
  assert.ok(given < 1_000, `${given} lines were taken in`);
  gate.resolve();
  await ended();
  assert.equal(core.accepted.length, 2_000);
});

test('a reader that is slow holds the answers back, and loses none', async (t) => {
  let release: (() => void) | undefined;
  let written = 0;
  const slow = new Writable({
    highWaterMark: 10,
    write(_chunk, _encoding, done) {
      written++;
      release = done;
    },
  });
  const finished: string[] = [];
  const core = createCore(async (event, reply) => {
    await reply.say('said', notice('x'.repeat(100)));
    finished.push(event.id);
  });
  const adapter = await startJsonLines({
    openIntake: core.openIntake,
    input: Object.assign(new PassThrough(), {}).end(`${JSON.stringify(message('hi'))}\n`),
    output: slow,
    log: noLog,
    now: () => 1_000,
    onClosed() {},
  });
  t.after(() => adapter.close());
  await until(
    () => release !== undefined,
    () => 'nothing written',
  );
  assert.deepEqual(finished, [], 'the answer waits for its reader');
  while (written < 2 || finished.length < 1) {
    release?.();
    await tick();
  }
});

test('when nobody reads the output any more, it ends', async (t) => {
  const output = new PassThrough();
  const { send, closings } = await start(t, createCore(echo), output);
  output.destroy(new Error('EPIPE'));
  send(message('hi'));
  await until(
    () => closings() === 1,
    () => 'still open',
  );
});

test('once paused it takes nothing more', async (t) => {
  const core = createCore(echo);
  const { adapter, send, input, closings } = await start(t, core);
  assert.deepEqual(adapter.health(), { ready: true, detail: 'listening' });
  await adapter.pause();
  send(message('hi'));
  await until(
    () => input.destroyed,
    () => 'still reading',
  );
  assert.deepEqual([core.accepted, closings()], [[], 0]);
  assert.equal(adapter.health().ready, false);
});
