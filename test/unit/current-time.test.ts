import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toChannelId } from '../../src/event.ts';
import { createCurrentTime } from '../../src/tools/current-time.ts';

const tool = createCurrentTime('Europe/Berlin');
const channel = toChannelId({ platform: 'test', workspace: 'w', channel: 'c' });
const at = (args: unknown) =>
  tool.run(args, { channel, signal: new AbortController().signal, now: Date.UTC(2026, 10, 21, 23, 30, 5) });

test('the time is told with its weekday, in the zone used here', async () => {
  assert.equal(await at({}), 'Sunday, 22 November 2026 at 00:30:05 GMT+01:00 in Europe/Berlin; 2026-11-21T23:30:05Z');
});

test('the time of another zone is told when it is asked for', async () => {
  assert.match(await at({ time_zone: 'America/New_York' }), /^Saturday, 21 November 2026 at 18:30:05 GMT-05:00/);
});

test('a zone that does not exist is answered with what a zone looks like', async () => {
  await assert.rejects(at({ time_zone: 'Mars/Olympus' }), { kind: 'input', message: /such as Europe\/Berlin/ });
  await assert.rejects(at({ time_zone: 5 }), { name: 'ZodError' });
});
