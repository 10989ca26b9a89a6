import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { startTerminal } from '../../adapters/terminal/terminal.ts';
import { BotError } from '../../src/errors.ts';
import { type Event, toChannelId } from '../../src/event.ts';
import { createCore, echo, noLog, notice, stream, until, wordsOf } from './adapter-terminal.ts';

type Core = ReturnType<typeof createCore>;

async function startPipe(core: Pick<Core, 'openIntake'>, text: string, filesDir = tmpdir()) {
  const input = new PassThrough();
  const output = new PassThrough({ encoding: 'utf8' });
  const closed = Promise.withResolvers<void>();
  let closings = 0;
  input.end(text);
  const adapter = await startTerminal({
    openIntake: core.openIntake,
    input,
    output,
    isTerminal: false,
    color: false,
    defaultRole: 'a role',
    complete: () => [],
    user: { id: 'u', name: 'Ann' },
    channel: 'main',
    filesDir,
    log: noLog,
    now: () => 1_000,
    onClosed() {
      closings++;
      closed.resolve();
    },
  });
  return {
    adapter,
    output,
    closings: () => closings,
    printed: async () => {
      await closed.promise;
      output.end();
      return (await output.toArray()).join('');
    },
  };
}

function earlierMessage(text: string): Event {
  const channel = toChannelId({ platform: 'terminal', workspace: 'local', channel: 'main' });
  const author = { id: 'u', name: 'Ann', admin: true, roles: [] };
  const base = { id: 'old', channel, at: 1, origin: {} };
  return { ...base, kind: 'message', messageId: 'old', author, text, to: 'direct', attachments: [] };
}

test('in a pipe each line is answered in order, with nothing around the answers, and then it ends', async () => {
  const core = createCore(echo);
  const { printed, closings, adapter } = await startPipe(core, 'My cat is Mirabelle.\n\n/role show\r\nq\nnever\n');
  assert.deepEqual(adapter.health(), { ready: true, detail: 'listening' });
  assert.equal(await printed(), 'You said: My cat is Mirabelle.\ndone: /role show\n');
  assert.equal(closings(), 1);
  assert.deepEqual(adapter.health(), { ready: false, detail: 'closed' });
});

test('the end of the input waits for the last answer', async () => {
  const core = createCore(echo);
  const { printed } = await startPipe(core, 'one\ntwo');
  assert.equal(await printed(), 'You said: one\nYou said: two\n');
});

test('in a pipe a command does not overtake the question above it', async () => {
  const open = new Set<string>();
  const core = createCore(
    async (event, reply) => {
      await echo(event, reply);
      open.delete(event.id);
    },
    {
      async accept(event) {
        assert.equal(open.size, 0, `${wordsOf(event)} came while another was open`);
        open.add(event.id);
      },
    },
  );
  const { printed } = await startPipe(core, 'hello\n/reset\n/undo\n');
  assert.equal(await printed(), 'You said: hello\ndone: /reset\ndone: /undo\n');
});

test('what is typed becomes a direct message, or a command after a slash, by an operator', async () => {
  const core = createCore(echo);
  const { printed } = await startPipe(core, `hi\n/settings show\n${'more\n'.repeat(20)}`);
  await printed();
  const [message, command] = core.accepted;
  assert.ok(message?.kind === 'message' && command?.kind === 'command');
  assert.deepEqual(
    [message.text, message.to, message.channel, message.at],
    ['hi', 'direct', 'terminal/local/main', 1_000],
  );
  assert.deepEqual(message.author, { id: 'u', name: 'Ann', admin: true, roles: [] });
  assert.deepEqual([command.command, command.direct], [{ line: 'settings show' }, true]);
  const ids = core.accepted.map(({ id }) => id);
  assert.deepEqual(ids, [...ids].sort(), 'in order also where the inbox sorts by id');
});

test('two runs never use the same event id', async () => {
  const [one, other] = [createCore(echo), createCore(echo)];
  await (await startPipe(one, 'hi\n')).printed();
  await (await startPipe(other, 'hi\n')).printed();
  assert.notEqual(one.accepted[0]?.id, other.accepted[0]?.id);
});

test('an answer of several messages is printed as one', async () => {
  const core = createCore(async (_event, reply) => {
    await reply.write({ index: 0, text: 'One, \u001b[2J', done: true, last: false, actions: [] });
    await reply.write({ index: 1, text: 'tw', done: false, last: false, actions: [] });
    await reply.write({ index: 2, text: 'of an earlier attempt', done: true, last: false, actions: [] });
    const actions = [{ label: 'Retry', command: 'retry' }];
    await reply.write({ index: 1, text: 'two', done: true, last: true, actions });
  });
  const { printed } = await startPipe(core, 'count\n');
  assert.equal(await printed(), 'One, ␛[2Jtwo\n');
});

test('in a pipe a line of which nothing comes keeps the others from nothing', async () => {
  const core = createCore(async (event, reply) => {
    if (wordsOf(event) === 'one') await reply.progress('');
    else await echo(event, reply);
    await reply.end();
  });
  const { printed } = await startPipe(core, 'one\ntwo\n');
  assert.equal(await printed(), 'You said: two\n');
});

test('what cannot be accepted is said in one line, and the next line is taken', async () => {
  const core = createCore(echo, {
    async accept(event) {
      if (wordsOf(event) === 'one') throw new BotError('store', 'the disk is full');
    },
  });
  const { printed } = await startPipe(core, 'one\ntwo\n');
  assert.match(await printed(), /^⚠️ I cannot reach my memory .*\nYou said: two\n$/);
});

test('a question of an earlier run is answered first, and named', async () => {
  let answered = false;
  const core = createCore(
    async (event, reply) => {
      await echo(event, reply);
      answered = true;
    },
    {
      pending: [earlierMessage('What is\nmy cat called?')],
      accept: async (event) => assert.ok(answered, `${wordsOf(event)} did not wait`),
    },
  );
  const { printed } = await startPipe(core, 'hi\n');
  assert.equal(
    await printed(),
    '(earlier you asked: What is my cat called?)\nYou said: What is\nmy cat called?\nYou said: hi\n',
  );
});

test('the same thing said twice is shown once', async () => {
  const core = createCore(async (_event, reply) => {
    await reply.say('warning', notice('nearly full'));
    await reply.say('warning', notice('nearly full'));
  });
  const { printed } = await startPipe(core, 'hi\nho\n');
  assert.equal(await printed(), 'nearly full\nnearly full\n');
});

test('what is written after a notice is waited for', async () => {
  const core = createCore(async (_event, reply) => {
    await reply.say('warning', notice('your message was cut'));
    await stream(reply, 'a long answer');
  });
  const { printed } = await startPipe(core, 'hi\n');
  assert.equal(await printed(), 'your message was cut\na long answer\n');
});

test('a withdrawn answer ends its question', async () => {
  const core = createCore((_event, reply) => reply.withdraw());
  const { printed } = await startPipe(core, 'hi\n');
  assert.equal(await printed(), '');
});

test('files a command gives are saved and named', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'channelore-'));
  t.after(() => rm(dir, { recursive: true }));
  const files = [{ name: 'memory.md', mime: 'text/markdown', content: '# it' }];
  const core = createCore((_event, reply) => reply.say('export', { ...notice('All of it.'), files }));
  const { printed } = await startPipe(core, '/memory export\n', dir);
  assert.equal(await printed(), `All of it.\nSaved as ${join(dir, 'memory.md')}\n`);
  assert.deepEqual(await readdir(dir), ['memory.md']);
});

test('when nobody reads the answers any more, it ends', async () => {
  const core = createCore(async () => {});
  const { output, closings } = await startPipe(core, 'hi\n');
  output.destroy(new Error('EPIPE'));
  await until(
    () => closings() === 1,
    () => `${closings()} closings`,
  );
});

test('once paused it takes nothing more, but what is answered is still printed', async () => {
  const gate = Promise.withResolvers<void>();
  const core = createCore(async (event, reply) => {
    await gate.promise;
    await echo(event, reply);
  });
  const { adapter, output, closings } = await startPipe(core, 'one\ntwo\n');
  await until(
    () => core.accepted.length === 1,
    () => core.words().join(),
  );
  await adapter.pause();
  assert.deepEqual(adapter.health(), { ready: false, detail: 'paused' });
  gate.resolve();
  await until(
    () => output.readableLength > 0,
    () => 'nothing printed',
  );
  await adapter.close();
  assert.equal(output.read(), 'You said: one\n');
  assert.deepEqual([core.words(), closings()], [['one'], 0]);
});
