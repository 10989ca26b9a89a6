import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, type Program, say, shownOf, startProgram } from './program.ts';

/** What becomes of an answer when the program is asked to end. */

async function turnsOf(program: Program, channel: string): Promise<{ role: string; text: string }[]> {
  const { files = [] } = await program.ending(order(program, 'memory export', { channel }));
  return JSON.parse(files[0]?.content ?? '{}').turns;
}

const textsOf = async (program: Program, channel: string) =>
  (await turnsOf(program, channel)).map((turn) => turn.text.replace(/\d+/, 'N'));

/** All that was ever said to the people of a channel. */
function shown(runs: Program[], channel: string, id: string) {
  return shownOf(
    runs.flatMap((run) => run.lines),
    { channel, id },
  );
}

describe('asked to end by SIGTERM', { concurrency: true }, () => {
  test('what can be finished is finished, what hangs or waits is answered after the next start, all of it once', async (t) => {
    const gate = Promise.withResolvers<void>();
    let hanging = true;
    const server = await startModelServer({
      answer({ last, n }) {
        if (last.includes('slow')) return { pieces: ['begun ', gate.promise, 'and ended'] };
        if (hanging && last.includes('hanging')) return { pieces: ['begun '], hang: 'after-pieces' };
        if (hanging && last.includes('silent')) return { hang: 'before-headers' };
        return `answer ${n}`;
      },
    });
    t.after(() => server.close());
    const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' };
    const first = startProgram({ env });
    const slow = say(first, 'slow', { channel: 'slow' });
    const afterSlow = say(first, 'and then?', { channel: 'slow' });
    const hung = say(first, 'hanging', { channel: 'hanging' });
    const behind = [say(first, 'one more', { channel: 'hanging' }), say(first, 'the last', { channel: 'hanging' })];
    const silent = say(first, 'silent', { channel: 'silent' });
    await server.asked(3);
    for (const id of [slow, hung]) await first.line((line) => line.id === id && line.type === 'write');
    for (const id of [afterSlow, ...behind]) await first.line((line) => line.id === id && line.type === 'accepted');

    const asked = Date.now();
    const ended = first.signal('SIGTERM');
    setTimeout(() => gate.resolve(), 300);
    await first.ending(slow);
    first.child.kill('SIGTERM'); // once more changes nothing
    const late = say(first, 'too late', { channel: 'late' });
    assert.equal(await ended, 0);
    assert.ok(Date.now() - asked < 10_000, `it took ${Date.now() - asked} ms`);
    assert.ok(!first.lines.some((line) => line.id === late && line.type === 'accepted'));
    assert.deepEqual(shown([first], 'hanging', hung).endings, []);

    hanging = false;
    const second = startProgram({ env });
    const runs = [first, second];
    assert.deepEqual(await textsOf(second, 'slow'), ['slow', 'begun and ended', 'and then?', 'answer N']);
    assert.deepEqual(await textsOf(second, 'silent'), ['silent', 'answer N']);
    assert.deepEqual(await textsOf(second, 'hanging'), [
      'hanging',
      'answer N',
      'one more',
      'answer N',
      'the last',
      'answer N',
    ]);
    const usage = await second.ending(order(second, 'usage today by channel', { channel: 'hanging' }));
    assert.match(usage.text ?? '', /hanging +~/, 'the call that was cut off is charged too');
    assert.equal(await second.end(), 0);
    for (const [channel, id] of [
      ['slow', slow],
      ['slow', afterSlow],
      ['hanging', hung],
      ['hanging', behind[0] ?? ''],
      ['hanging', behind[1] ?? ''],
      ['silent', silent],
    ] as const) {
      const { text, messageIds, said, endings } = shown(runs, channel, id);
      assert.match(text, id === slow ? /^begun and ended$/ : /^answer \d+$/);
      assert.deepEqual([messageIds, said.size, endings.length], [[`${id}.0`], 0, 1]);
    }
    assert.equal(server.requests.filter((one) => one.last.includes('slow')).length, 1);
  });

  test('with nothing to do it ends at once, also when nobody closes its input', async (t) => {
    const program = startProgram({ env: { DATA_DIR: newFolder(t) } });
    await program.ending(say(program, 'Hello.'));
    const asked = Date.now();
    assert.equal(await program.signal('SIGTERM'), 0);
    assert.ok(Date.now() - asked < 5000);
  });
});
