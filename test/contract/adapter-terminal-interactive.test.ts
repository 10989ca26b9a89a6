import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { startTerminal } from '../../adapters/terminal/terminal.ts';
import type { Event, Intake } from '../../src/event.ts';
import { createEmulator } from '../unit/terminal-emulator.ts';
import { createCore, echo, noLog, notice, stream, until, wordsOf } from './adapter-terminal.ts';

type Core = ReturnType<typeof createCore>;

const keys = { ctrlC: '\u0003', ctrlD: '\u0004', up: '\u001b[A', tab: '\t', enter: '\r' };
const intro = 'q or Ctrl-D ends, Ctrl-C stops an answer, Tab completes a /command.';
const roleLine = 'System role (Enter keeps: You are kind.):';

function createTerminal() {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (mode: boolean) => raw.push(mode) });
  return { raw, input, emulator: createEmulator(100) };
}

async function start(t: TestContext, core: Pick<Core, 'openIntake'>, { color = false } = {}) {
  const { raw, input, emulator } = createTerminal();
  let closings = 0;
  const commands = ['role show', 'role set ', 'reset', 'settings set temperature '];
  const adapter = await startTerminal({
    openIntake: core.openIntake,
    input,
    output: emulator.output,
    isTerminal: true,
    color,
    channel: 'main',
    defaultRole: 'You are kind.',
    user: { id: 'u', name: 'Ann' },
    filesDir: '.',
    log: noLog,
    now: () => 1_000,
    complete: (line) => commands.filter((command) => command.startsWith(line)),
    onClosed: () => closings++,
  });
  t.after(() => adapter.close());
  const sees = (lines: string[]) => {
    const wanted = lines.join('\n');
    return until(
      () => emulator.seen() === wanted,
      () => `${emulator.seen()}\nwhere this was due:\n${wanted}`,
    );
  };
  return {
    adapter,
    input,
    emulator,
    raw,
    sees,
    closings: () => closings,
    type: (text: string) => input.write(text),
    /** Past the question for the role. */
    ready: async () => {
      await sees([intro, roleLine]);
      input.write(keys.enter);
      await sees([intro, roleLine, 'user:']);
    },
  };
}

test('it asks for the system role first; what is typed becomes the role', async (t) => {
  const core = createCore(echo);
  const { type, sees } = await start(t, core);
  await sees([intro, roleLine]);
  type('You are a pirate.\r');
  await sees([intro, `${roleLine} You are a pirate.`, 'done: /role set You are a pirate.', 'user:']);
  type('Hello\r');
  await sees([
    intro,
    `${roleLine} You are a pirate.`,
    'done: /role set You are a pirate.',
    'user: Hello',
    'assistant: You said: Hello',
    'user:',
  ]);
  assert.deepEqual(core.words(), ['/role set You are a pirate.', 'Hello']);
});

test('Enter keeps the role and asks nothing of the bot', async (t) => {
  const core = createCore(echo);
  const { ready } = await start(t, core);
  await ready();
  assert.deepEqual(core.words(), []);
});

test('an answer grows on the screen while it is written, after a line that says it thinks', async (t) => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const core = createCore(async (_event, reply) => {
    await reply.progress('waiting 20 s for the model');
    await steps[0]?.promise;
    await reply.write({ index: 0, text: 'Mira', done: false, last: false, actions: [] });
    await steps[1]?.promise;
    await reply.write({ index: 0, text: 'Mirabelle', done: false, last: false, actions: [] });
    await steps[2]?.promise;
    await reply.write({ index: 0, text: 'Mirabelle.', done: true, last: true, actions: [] });
  });
  const { ready, type, sees, emulator } = await start(t, core);
  await ready();
  type('What is my cat called?\r');
  await until(() => /\n\S thinking… waiting 20 s for the model$/.test(emulator.seen()), emulator.seen);
  const above = [intro, roleLine, 'user: What is my cat called?'];
  steps[0]?.resolve();
  await sees([...above, 'assistant: Mira']);
  steps[1]?.resolve();
  await sees([...above, 'assistant: Mirabelle']);
  steps[2]?.resolve();
  await sees([...above, 'assistant: Mirabelle.', 'user:']);
});

test('what is typed during an answer waits for the prompt, and is then answered in order', async (t) => {
  const gate = Promise.withResolvers<void>();
  const core = createCore(async (event, reply) => {
    if (wordsOf(event) === 'one') await gate.promise;
    await echo(event, reply);
  });
  const { ready, type, sees, emulator } = await start(t, core);
  await ready();
  type('one\rtwo\rth');
  type('ree\runfin');
  await until(() => core.accepted.length === 1, emulator.seen);
  gate.resolve();
  await sees([
    intro,
    roleLine,
    'user: one',
    'assistant: You said: one',
    'user: two',
    'assistant: You said: two',
    'user: three',
    'assistant: You said: three',
    'user: unfin',
  ]);
});

test('Ctrl-C stops the answer being written, and pressed again ends', async (t) => {
  const started = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const never = new Promise<void>(() => {});
  const core = createCore(async (event, reply) => {
    if (wordsOf(event) === '/stop') {
      stopped.resolve();
      await reply.say('stopped', notice('Stopping.'));
      return;
    }
    await reply.write({ index: 0, text: 'For ever', done: false, last: false, actions: [] });
    started.resolve();
    await (wordsOf(event) === 'stubborn' ? never : stopped.promise);
    await reply.write({ index: 0, text: 'For ever (stopped)', done: true, last: true, actions: [] });
  });
  const { ready, type, closings, emulator } = await start(t, core);
  await ready();
  type('talk\r');
  await started.promise;
  type('typed ahead\r');
  type(keys.ctrlC);
  await until(() => emulator.seen().endsWith('\nuser:'), emulator.seen);
  type(keys.ctrlC);
  await until(() => emulator.seen().endsWith('q and Ctrl-D)\nuser:'), emulator.seen);
  assert.match(emulator.seen(), /\(stopped\)/);
  assert.deepEqual(core.words(), ['talk', '/stop']);

  type('stubborn\r');
  await until(() => core.accepted.length === 3, emulator.seen);
  type(keys.ctrlC);
  await until(() => core.accepted.length === 4, emulator.seen);
  assert.equal(closings(), 0);
  type(keys.ctrlC);
  await until(() => closings() === 1, emulator.seen);
});

test('Ctrl-C clears what is typed; where nothing is typed it asks once, then ends', async (t) => {
  const core = createCore(echo);
  const { ready, type, sees, closings, emulator } = await start(t, core);
  await ready();
  type('nonsense');
  await sees([intro, roleLine, 'user: nonsense']);
  type(keys.ctrlC);
  await sees([intro, roleLine, 'user:']);
  type(keys.ctrlC);
  const asked = [intro, roleLine, '(Ctrl-C again ends; so do q and Ctrl-D)', 'user:'];
  await sees(asked);
  type(keys.enter);
  await sees([...asked, 'user:']);
  type(keys.ctrlC);
  await sees([...asked, '(Ctrl-C again ends; so do q and Ctrl-D)', 'user:']);
  type('hi\r');
  await until(() => emulator.seen().endsWith('You said: hi\nuser:'), emulator.seen);
  assert.equal(closings(), 0);
  type(keys.ctrlC);
  await until(() => emulator.seen().endsWith('q and Ctrl-D)\nuser:'), emulator.seen);
  type(keys.ctrlC);
  await until(() => closings() === 1, emulator.seen);
});

for (const [name, typed] of [
  ['q', 'q\r'],
  ['Ctrl-D', keys.ctrlD],
] as const) {
  test(`${name} ends, and the terminal is as it was`, async (t) => {
    const { ready, type, closings, raw, emulator, adapter } = await start(t, createCore(echo));
    await ready();
    type(typed);
    await until(() => closings() === 1, emulator.seen);
    await adapter.close();
    assert.equal(closings(), 1);
    assert.deepEqual(raw, [true, false]);
    assert.ok(emulator.raw().lastIndexOf('\u001b[?2004l') > emulator.raw().lastIndexOf('\u001b[?2004h'));
  });
}

test('a terminal that goes away ends it', async (t) => {
  const { ready, input, closings, emulator } = await start(t, createCore(echo));
  await ready();
  input.end();
  await until(() => closings() === 1, emulator.seen);
});

test('a paste of several lines is one message', async (t) => {
  const core = createCore(echo);
  const { ready, type, emulator } = await start(t, core);
  await ready();
  type('\u001b[200~first\rsecond\r\u001b[201~');
  type('third\r');
  await until(() => emulator.seen().endsWith('user:'), emulator.seen);
  assert.deepEqual(core.words(), ['first\nsecond\nthird']);
});

test('what a completion goes on after has its blank', async (t) => {
  const core = createCore(echo);
  const { ready, type, sees } = await start(t, core);
  await ready();
  type('/settings set temp');
  type(keys.tab);
  type('0.5\r');
  await sees([intro, roleLine, 'user: /settings set temperature 0.5', 'done: /settings set temperature 0.5', 'user:']);
});

test('Tab completes a command, and the arrow brings the last line back', async (t) => {
  const core = createCore(echo);
  const { ready, type, sees } = await start(t, core);
  await ready();
  type('/res');
  type(keys.tab);
  await sees([intro, roleLine, 'user: /reset']);
  type(keys.enter);
  await sees([intro, roleLine, 'user: /reset', 'done: /reset', 'user:']);
  type(keys.up);
  await sees([intro, roleLine, 'user: /reset', 'done: /reset', 'user: /reset']);
  type(keys.enter);
  await until(
    () => core.accepted.length === 2,
    () => core.words().join(),
  );
  assert.deepEqual(core.words(), ['/reset', '/reset']);
});

test('a notice that comes while something is typed stands above it and loses none of it', async (t) => {
  const core = createCore(echo);
  const { ready, type, sees } = await start(t, core);
  await ready();
  type('one\r');
  const above = [intro, roleLine, 'user: one', 'assistant: You said: one'];
  await sees([...above, 'user:']);
  type('half a sentence');
  await sees([...above, 'user: half a sentence']);
  const event = core.accepted[0];
  assert.ok(event);
  await core.surface().reply(event, []).say('folded', notice('Older turns were folded.'));
  await sees([...above, 'Older turns were folded.', 'user: half a sentence']);
  type(' more\r');
  await until(
    () => core.accepted.length === 2,
    () => core.words().join(),
  );
  assert.deepEqual(core.words(), ['one', 'half a sentence more']);
});

test('a question of an earlier run is answered under a line that quotes it, before the role is asked for', async (t) => {
  const gate = Promise.withResolvers<void>();
  const earlier = createCore(echo);
  const old = await start(t, earlier);
  await old.ready();
  old.type('What is my cat called?\r');
  await until(() => earlier.accepted.length === 1, old.emulator.seen);
  const pending: Event[] = earlier.accepted;
  const core = createCore(
    async (_event, reply) => {
      await gate.promise;
      await stream(reply, 'Mirabelle.');
    },
    { pending },
  );
  const { sees, emulator } = await start(t, core);
  await until(() => /\n\S thinking…$/.test(emulator.seen()), emulator.seen);
  gate.resolve();
  await sees([intro, 'earlier you asked: What is my cat called?', 'assistant: Mirabelle.', roleLine]);
});

test('the role is red, what a person types green, an answer blue', async (t) => {
  const core = createCore(async (_event, reply) => stream(reply, 'Hello'));
  const { type, emulator } = await start(t, core, { color: true });
  await until(() => emulator.seen().endsWith(roleLine), emulator.seen);
  type(keys.enter);
  await until(() => emulator.seen().endsWith('user:'), emulator.seen);
  type('hi\r');
  await until(() => emulator.seen().endsWith('Hello\nuser:'), emulator.seen);
  assert.match(emulator.raw(), /\[31mSystem role/);
  assert.match(emulator.raw(), /\[32muser: .*h.*i/s);
  assert.match(emulator.raw(), /\[34massistant: .\[0m.\[94mHello/s);
});

test('without colour no colour is sent', async (t) => {
  const { ready, type, emulator } = await start(t, createCore(echo));
  await ready();
  type('hi\r');
  await until(() => emulator.seen().endsWith('You said: hi\nuser:'), emulator.seen);
  assert.doesNotMatch(emulator.raw(), /\[[1-9]\d*m/);
});

test('who gives up while it is still starting is not kept', async (t) => {
  const { input, emulator, raw } = createTerminal();
  const slow = Promise.withResolvers<Intake>();
  let closings = 0;
  const starting = startTerminal({
    openIntake: () => slow.promise,
    input,
    output: emulator.output,
    isTerminal: true,
    color: false,
    defaultRole: 'You are kind.',
    complete: () => [],
    user: { id: 'u', name: 'Ann' },
    channel: 'main',
    filesDir: '.',
    log: noLog,
    now: () => 1_000,
    onClosed: () => closings++,
  });
  input.write(keys.ctrlC);
  input.write(keys.ctrlC);
  await until(
    () => input.isPaused(),
    () => 'it still listens',
  );
  assert.deepEqual(raw, [true, false]);
  slow.resolve({ accept: async () => 'accepted', lastSeen: () => new Map() });
  const adapter = await starting;
  t.after(() => adapter.close());
  assert.equal(closings, 1);
});

test('a program that cannot start leaves the terminal as it was', async () => {
  const { input, emulator, raw } = createTerminal();
  const starting = startTerminal({
    openIntake: () => Promise.reject(new Error('the store is away')),
    input,
    output: emulator.output,
    isTerminal: true,
    color: false,
    defaultRole: 'You are kind.',
    complete: () => [],
    user: { id: 'u', name: 'Ann' },
    channel: 'main',
    filesDir: '.',
    log: noLog,
    now: () => 1_000,
    onClosed() {},
  });
  await assert.rejects(starting, /the store is away/);
  assert.deepEqual(raw, [true, false]);
  assert.ok(emulator.raw().lastIndexOf('\u001b[?2004l') > emulator.raw().lastIndexOf('\u001b[?2004h'));
});
