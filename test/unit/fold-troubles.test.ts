import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFoldTroubles } from '../../src/conversation/fold-troubles.ts';
import { toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';

const channel = toChannelId({ platform: 't', workspace: 'w', channel: 'room' });
const other = toChannelId({ platform: 't', workspace: 'w', channel: 'other' });

function start() {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ level: 'warn', format: 'json', secrets: [], destination });
  const clock = { ms: 1_000_000 };
  return { lines, clock, troubles: createFoldTroubles(log, () => clock.ms) };
}

test('after a failure a channel waits, twice as long each time, in seconds and in turns; others do not', () => {
  const { troubles, clock } = start();
  assert.equal(troubles.mustWait(channel, 0), false);
  for (const [pauseMs, pauseTurns] of [
    [2000, 2],
    [4000, 4],
    [8000, 8],
    [16_000, 16],
  ] as const) {
    troubles.failed(channel, 100, 'down');
    assert.equal(troubles.mustWait(channel, 100 + pauseTurns), true, 'too early');
    clock.ms += pauseMs;
    assert.equal(troubles.mustWait(channel, 100 + pauseTurns - 1), true, 'too few turns');
    assert.equal(troubles.mustWait(channel, 100 + pauseTurns), false);
    assert.equal(troubles.mustWait(other, 0), false);
  }
});

test('no pause is longer than ten minutes and 64 turns', () => {
  const { troubles, clock } = start();
  for (let n = 0; n < 30; n++) troubles.failed(channel, 0, 'down');
  clock.ms += 600_000;
  assert.equal(troubles.mustWait(channel, 64), false);
});

test('people are told at the third failure, once, and again only after it had worked in between', () => {
  const { troubles } = start();
  const told = Array.from({ length: 6 }, () => troubles.failed(channel, 0, 'down'));
  assert.deepEqual(told, [false, false, true, false, false, false]);
  troubles.over(channel);
  assert.equal(troubles.mustWait(channel, 0), false);
  assert.deepEqual(
    Array.from({ length: 3 }, () => troubles.failed(channel, 0, 'down')),
    [false, false, true],
  );
});

test('after five failures the log hears of it once an hour', () => {
  const { troubles, clock, lines } = start();
  for (let n = 0; n < 40; n++) troubles.failed(channel, 0, 'down');
  assert.equal(lines.length, 5);
  clock.ms += 3_600_000;
  for (let n = 0; n < 40; n++) troubles.failed(channel, 0, 'down');
  assert.equal(lines.length, 6);
});
