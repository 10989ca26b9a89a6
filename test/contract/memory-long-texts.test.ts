import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestTurn } from '../unit/durations.ts';
import { message, room, scriptedModel, startCore } from './core.ts';

/** One message, however long and whatever stands in it, keeps nobody waiting. */

const characters = 200_000;
const longestMs = 50;
const rounds = 5;
const units = [
  'word ',
  ' ',
  '\n',
  'a',
  '漢',
  'e\u0301',
  '\u0301',
  '<a ',
  '</now>',
  '<@U1> ',
  '| a ',
  '*a_',
  '😀',
  '. ',
  '[m1]',
];

test('a message of 200,000 characters holds the event loop for fifty milliseconds at most', async (t) => {
  const core = await startCore({ model: scriptedModel((_, n) => `Reply ${n}.`), env: { STORE_URL: 'memory:' } });
  t.after(() => core.stop());
  let n = 0;
  async function heldMs(text: string): Promise<number> {
    n++;
    // No channel has to be summarised meanwhile.
    const work = core.intake.accept(message(n, text, { channel: `${room}${n}` as typeof room })).then(async () => {
      for (let turn = 0; core.inbox.waiting() + core.inbox.running() > 0; turn++) {
        assert.ok(turn < 1_000_000, 'it never ends');
        await new Promise((resolve) => setImmediate(resolve));
      }
      await core.memory.idle();
    });
    return await longestTurn(work);
  }
  await heldMs('hello');
  for (const unit of units) {
    const text = `x${unit.repeat(characters / unit.length)}x`;
    // Other work of the same turn, and what runs for the first time, may fall into one round, but not into all.
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds && least > longestMs; round++) least = Math.min(least, await heldMs(text));
    assert.ok(least <= longestMs, `${JSON.stringify(unit)}: ${least} ms`);
  }
});
