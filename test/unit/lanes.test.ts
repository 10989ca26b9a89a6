import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toChannelId } from '../../src/event.ts';
import { createLanes } from '../../src/inbox/lanes.ts';

const channel = (name: string) => toChannelId({ platform: 'p', workspace: 'w', channel: name });

function gate(): { open(): void; wait: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, wait: promise };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('what was said first in a channel is answered first, even when it became durable later', async () => {
  const lanes = createLanes(4);
  const order: string[] = [];
  const first = lanes.reserve(channel('a'), false);
  const second = lanes.reserve(channel('a'), false);
  second.run(async () => {
    order.push('second');
  });
  await settled();
  assert.equal(order.length, 0);
  first.run(async () => {
    order.push('first');
  });
  await lanes.idle();
  await settled();
  assert.deepEqual(order, ['first', 'second']);
});

test('a place that is given up does not hold those behind it', async () => {
  const lanes = createLanes(4);
  const order: string[] = [];
  const first = lanes.reserve(channel('a'), false);
  lanes.reserve(channel('a'), false).run(async () => {
    order.push('second');
  });
  first.leave();
  await settled();
  assert.deepEqual(order, ['second']);
  assert.equal(lanes.waiting(), 0);
});

test('one slow channel does not delay another, up to the bound', async () => {
  const lanes = createLanes(2);
  const slow = gate();
  const done: string[] = [];
  for (const name of ['a', 'b']) lanes.reserve(channel(name), false).run(() => slow.wait);
  lanes.reserve(channel('c'), false).run(async () => void done.push('c'));
  await settled();
  assert.equal(done.length, 0);
  assert.equal(lanes.running(), 2);
  slow.open();
  await settled();
  assert.deepEqual(done, ['c']);
});

test('a deletion does not wait behind the answer in its channel, nor behind the bound', async () => {
  const lanes = createLanes(1);
  const slow = gate();
  const done: string[] = [];
  lanes.reserve(channel('a'), false).run(() => slow.wait);
  lanes.reserve(channel('a'), true).run(async () => void done.push('delete'));
  await settled();
  assert.deepEqual(done, ['delete']);
  slow.open();
  await lanes.idle();
});

test('nothing starts after the pause, and what runs is waited for', async () => {
  const lanes = createLanes(4);
  const slow = gate();
  const done: string[] = [];
  lanes.reserve(channel('a'), false).run(async () => {
    await slow.wait;
    done.push('first');
  });
  lanes.reserve(channel('a'), false).run(async () => void done.push('second'));
  await settled();
  lanes.pause();
  const idle = lanes.idle();
  slow.open();
  await idle;
  await settled();
  assert.deepEqual(done, ['first']);
});

test('a question after a deletion waits for it, in the channel and in its threads, and nowhere else', async () => {
  const lanes = createLanes(4);
  const slow = gate();
  const done: string[] = [];
  const note = (name: string) => async () => {
    done.push(name);
  };
  const thread = toChannelId({ platform: 'p', workspace: 'w', channel: 'a', thread: 't' });
  lanes.reserve(channel('a'), true).run(async () => {
    await slow.wait;
    done.push('delete');
  });
  lanes.reserve(channel('a'), false).run(note('question'));
  lanes.reserve(thread, false).run(note('in a thread'));
  lanes.reserve(channel('b'), false).run(note('elsewhere'));
  await settled();
  assert.deepEqual(done, ['elsewhere']);
  slow.open();
  await settled();
  assert.deepEqual(done, ['elsewhere', 'delete', 'question', 'in a thread']);
  assert.equal(lanes.waiting(), 0);
});

test('a deletion that could not be kept holds nobody back', async () => {
  const lanes = createLanes(4);
  const done: string[] = [];
  const deletion = lanes.reserve(channel('a'), true);
  lanes.reserve(channel('a'), false).run(async () => {
    done.push('question');
  });
  await settled();
  assert.equal(done.length, 0);
  deletion.leave();
  await settled();
  assert.deepEqual(done, ['question']);
});
