import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, say, shownOf, startProgram } from './program.ts';

/** Many at once. */

test('1,000 channels at once: each is answered, in order, whoever else is slow, in bounded memory', async (t) => {
  const slow = Promise.withResolvers<void>();
  const server = await startModelServer({
    answer: ({ last }) =>
      last.includes('slow') ? { pieces: ['begun ', slow.promise, 'and ended'] } : `You said: ${last}`,
  });
  t.after(() => server.close());
  const program = startProgram({
    env: { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' },
    nodeArgs: ['--max-old-space-size=160'],
  });
  // What a program at rest needs, the token counter included.
  await program.ending(say(program, 'Hello?', { channel: 'first' }));
  const rest = residentMegabytes(program.child.pid);

  const slowId = say(program, 'slow', { channel: 'slow' });
  await program.line((line) => line.id === slowId && line.type === 'write');
  const behindSlow = say(program, 'behind it', { channel: 'slow' });
  const channels = Array.from({ length: 1000 }, (_, n) => `room ${n}/a:b`);
  const ids = channels.map((channel) => say(program, `${channel} says hello`, { channel }));
  const row = Array.from({ length: 16 }, (_, n) => say(program, `row ${n}`, { channel: 'row' }));
  await Promise.all([...ids, ...row].map((id) => program.ending(id)));
  const peak = residentMegabytes(program.child.pid);

  for (const [n, channel] of channels.entries()) {
    const { text, said, endings } = shownOf(program.lines, { channel, id: ids[n] ?? '' });
    assert.equal(text, `You said: Ann: ${channel} says hello`);
    assert.deepEqual([said.size, endings.length], [0, 1]);
  }
  const ends = row.map((id) => program.lines.findIndex((line) => line.id === id && line.last === true));
  assert.deepEqual(
    ends,
    ends.toSorted((a, b) => a - b),
  );
  const lastOfRow = server.requests.findLast((one) => one.last.includes('row 15'))?.messages ?? [];
  const users = lastOfRow.filter((one) => one.role === 'user' && one.text.startsWith('Ann: '));
  assert.deepEqual(
    users.map((one) => one.text),
    row.map((_, n) => `Ann: row ${n}`),
  );
  assert.equal(server.requests.length, 1 + 1 + 1000 + 16, 'one request a message');
  assert.ok(server.open().most > 16, 'they are answered side by side');
  if (rest > 0) assert.ok(peak < rest * 1.7, `${peak} MB, at rest ${rest} MB`);

  assert.ok(!program.lines.some((line) => line.id === behindSlow && line.type === 'write'));
  slow.resolve();
  await program.ending(behindSlow);
  assert.equal(shownOf(program.lines, { channel: 'slow', id: slowId }).text, 'begun and ended');
  const { files = [] } = await program.ending(order(program, 'memory export', { channel: 'row' }));
  assert.equal(JSON.parse(files[0]?.content ?? '{}').turns.length, 32);
  assert.equal(await program.end(), 0);
});

/** The most so far; nothing where the system does not tell. */
function residentMegabytes(pid: number | undefined): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}
