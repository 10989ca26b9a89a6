import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLive, type Live, type LiveReader } from '../../adapters/web/live.ts';
import type { LiveEvent } from '../../adapters/web/wire.ts';
import { type ChannelId, toChannelId } from '../../src/event.ts';
import { runs } from './property-runs.ts';

/** The last events of a channel, read by many, each at their own pace. */

const room = toChannelId({ platform: 'web', workspace: 'console', channel: 'room' });
const other = toChannelId({ platform: 'web', workspace: 'console', channel: 'other' });

function note(text: string, channel: ChannelId = room): LiveEvent {
  return { type: 'edited', channel, id: 'm', text };
}

const anywhere = { address: '192.0.2.1', holds: () => true };

function open(live: Live, { person = 'ann', lastEventId }: { person?: string; lastEventId?: string } = {}): LiveReader {
  const reader = live.read({ ...anywhere, channel: room, person, lastEventId, openNow: () => [] });
  assert.ok(reader);
  return reader;
}

/** Of the texts that come until nothing more does. */
async function take(
  reader: LiveReader,
  until: (text: string) => boolean,
): Promise<{ texts: string[]; lastId: string }> {
  const texts: string[] = [];
  let lastId = '';
  for (;;) {
    const chunk = (await reader.next()) ?? '';
    for (const block of chunk.split('\n\n')) {
      lastId = /^id: (.*)$/m.exec(block)?.[1] ?? lastId;
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) texts.push(JSON.parse(data).text ?? JSON.parse(data).type);
    }
    if (texts.some(until)) return { texts, lastId };
  }
}

test('whoever comes back reads on where they were, however much was said, or is told that something is gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(3000), fc.nat(3000), fc.nat(1000), async (before, after, size) => {
      const live = createLive();
      open(live).end();
      for (let n = 0; n < before; n++) live.tell(room, note(`a${n}`));
      const reader = open(live);
      await reader.next();
      live.tell(room, note('here'));
      const { lastId } = await take(reader, (text) => text === 'here');
      reader.end();
      for (let n = 0; n < after; n++) live.tell(room, note(`b${n}${'x'.repeat(size)}`));
      live.tell(room, note('end'));
      const back = open(live, { lastEventId: lastId });
      live.tell(room, note('later'));
      const { texts } = await take(back, (text) => text === 'later' || text === 'reload');
      const all = [...Array.from({ length: after }, (_, n) => `b${n}${'x'.repeat(size)}`), 'end', 'later'];
      if (texts[0] === 'reload') assert.ok(after * (size + 100) > 400_000 || after > 900, 'only where it was much');
      else assert.deepEqual(texts, all);
      live.close();
    }),
    runs(30),
  );
});

test('one that does not read holds nothing up, and is told afterwards', async () => {
  const live = createLive();
  const [slow, quick] = [open(live), open(live)];
  await slow.next();
  await quick.next();
  for (let n = 0; n < 20_000; n++) {
    live.tell(room, note(`${n} ${'x'.repeat(2000)}`));
    if (n % 100 === 0) await quick.next();
  }
  live.tell(room, note('end'));
  const { texts } = await take(slow, (text) => text === 'reload');
  assert.deepEqual(texts, ['reload']);
  live.close();
});

test('what is for one person is read by nobody else, and by nobody who looks elsewhere', async () => {
  const live = createLive();
  const [ann, ben] = [open(live, { person: 'ann' }), open(live, { person: 'ben' })];
  const begun = /id: (.*)/.exec((await ben.next()) ?? '')?.[1];
  await ann.next();
  live.tell(room, note('secret'), 'ann');
  live.tell(other, note('elsewhere', other));
  live.tell(room, note('end'));
  assert.deepEqual((await take(ann, (text) => text === 'end')).texts, ['secret', 'end']);
  assert.deepEqual((await take(ben, (text) => text === 'end')).texts, ['end']);
  const back = open(live, { person: 'ben', ...(begun === undefined ? {} : { lastEventId: begun }) });
  assert.deepEqual((await take(back, (text) => text === 'end')).texts, ['end']);
  live.close();
});

test('talk that is dropped is not read again; who had read it all notices nothing', async () => {
  const live = createLive();
  const [done, behind] = [open(live), open(live)];
  const begun = /id: (.*)/.exec((await behind.next()) ?? '')?.[1] ?? '';
  await done.next();
  live.tell(room, note('to be forgotten'));
  await take(done, (text) => text === 'to be forgotten');
  live.tell(room, { type: 'deleted', channel: room, ids: ['m'] });
  live.dropTalk(room);
  live.tell(room, { type: 'channels' });
  assert.deepEqual((await take(done, (text) => text === 'channels')).texts, ['deleted', 'channels']);
  for (const reader of [behind, open(live, { lastEventId: begun })]) {
    assert.deepEqual((await take(reader, (text) => text === 'reload')).texts, ['reload']);
  }
  live.close();
});

test('there is an end to how many streams are open, for each person and for all', async () => {
  const live = createLive();
  const mine = Array.from({ length: 30 }, () => open(live, { person: 'ann' }));
  const read = (person: string, more: object = {}) =>
    live.read({ ...anywhere, ...more, channel: room, person, lastEventId: undefined, openNow: () => [] });
  assert.equal(read('ann'), undefined);
  mine[0]?.end();
  mine[0]?.end();
  assert.ok(read('ann'));
  assert.equal(read('ann'), undefined, 'one that ended twice gave back one place');
  for (let n = 0; n < 970; n++) assert.ok(read(`p${n}`, { address: `192.0.2.${n % 200}` }));
  assert.equal(read('one more', { address: '203.0.113.1' }), undefined);
  live.close();
  assert.equal(await mine[1]?.next().then(() => mine[1]?.next()), undefined);
  assert.equal(read('ben'), undefined);
});

test('one address with many sessions leaves room for the others', () => {
  const live = createLive();
  const of = (address: string, n: number) =>
    live.read({ ...anywhere, address, channel: room, person: `p${n}`, lastEventId: undefined, openNow: () => [] });
  const given = Array.from({ length: 400 }, (_, n) => of('198.51.100.1', n));
  const first = given.filter((one) => one !== undefined);
  assert.ok(first.length < 200, `${first.length} streams`);
  assert.ok(of('198.51.100.2', 1000));
  first[0]?.end();
  assert.ok(of('198.51.100.1', 1001));
  live.close();
});

test('a stream ends as soon as its session does, and tells nothing more', async () => {
  const live = createLive();
  let isIn = true;
  const options = { ...anywhere, holds: () => isIn, channel: room, person: 'ann', openNow: () => [] };
  const reader = live.read({ ...options, lastEventId: undefined });
  assert.ok(reader);
  await reader.next();
  const waiting = reader.next();
  isIn = false;
  live.recheck();
  assert.equal(await waiting, undefined);
  live.tell(room, note('a secret'));
  assert.equal(await reader.next(), undefined);
  live.close();
});
