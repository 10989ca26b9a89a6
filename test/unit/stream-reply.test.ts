import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BotError } from '../../src/errors.ts';
import type { Piece, Reply } from '../../src/event.ts';
import { createStreamReply } from '../../src/turn/stream-reply.ts';

interface Options {
  pieceChars?: number;
  minEditMs?: number;
  onWrite?: (piece: Piece) => Promise<void> | void;
}

function platform({ pieceChars = 2000, minEditMs = 0, onWrite = () => undefined }: Options = {}) {
  const writes: Piece[] = [];
  const reply: Reply = {
    limits: { pieceChars, minEditMs },
    async progress() {},
    async write(piece) {
      writes.push(piece);
      await onWrite(piece);
      return `post-${piece.index}`;
    },
    async say() {},
    async end() {},
    async withdraw() {},
  };
  const posted: string[][] = [];
  const troubles: unknown[] = [];
  const stream = createStreamReply(reply, {
    now: () => performance.now(),
    actions: [{ label: 'Stop', command: 'stop' }],
    async onPosted(posts) {
      posted.push(posts);
    },
    onTrouble: (error) => troubles.push(error),
  });
  return { writes, posted, troubles, stream };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the first text is shown at once, with a way to stop it', async () => {
  const { writes, stream, posted } = platform({ minEditMs: 60_000 });
  stream.push('Hel');
  await settled();
  assert.deepEqual(
    writes.map((piece) => [piece.text, piece.last, piece.actions[0]?.label]),
    [['Hel', false, 'Stop']],
  );
  assert.deepEqual(posted, [['post-0']]);
  await stream.abandon();
});

test('the last edit always comes, whatever the pace, and offers what may follow', async () => {
  const { writes, stream } = platform({ minEditMs: 60_000 });
  for (const word of ['One ', 'two ', 'three.']) {
    stream.push(word);
    await settled();
  }
  const posts = await stream.finish([{ label: 'Retry', command: 'retry' }]);
  const last = writes.at(-1);
  assert.deepEqual(
    [last?.text, last?.last, last?.done, last?.actions[0]?.label],
    ['One two three.', true, true, 'Retry'],
  );
  assert.equal(writes.filter((piece) => piece.last).length, 1);
  assert.deepEqual(posts, ['post-0']);
  assert.equal(writes.length, 2, 'the edits between were not worth their price');
});

test('an answer that comes all at once is written once', async () => {
  const { writes, stream, posted } = platform();
  stream.push('All of it.');
  await stream.finish([]);
  assert.ok(writes.length <= 2);
  assert.equal(writes.at(-1)?.text, 'All of it.');
  assert.ok(posted.length <= 1);
});

test('a long answer goes on in further messages, and joined they are the answer', async () => {
  const { writes, stream } = platform({ pieceChars: 300 });
  const text = Array.from({ length: 40 }, (_, n) => `Sentence number ${n} says a little.`).join(' ');
  for (let at = 0; at < text.length; at += 7) {
    stream.push(text.slice(at, at + 7));
    await settled();
  }
  await stream.finish([]);
  const final = new Map(writes.map((piece) => [piece.index, piece.text]));
  assert.equal([...final.values()].join(''), text);
  assert.ok([...final.values()].every((piece) => piece.length <= 300));
  const doneBefore = writes.findIndex((piece) => piece.index === 1);
  assert.ok(
    writes.slice(0, doneBefore).some((piece) => piece.index === 0 && piece.done),
    'a message is complete before the next begins',
  );
});

test('one edit is under way at a time, and the next carries everything that came meanwhile', async () => {
  let underWay = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const { writes, stream } = platform({
    async onWrite() {
      most = Math.max(most, ++underWay);
      await gate.promise;
      underWay--;
    },
  });
  for (const word of ['a', 'b', 'c', 'd']) stream.push(word);
  await settled();
  assert.equal(writes.length, 1);
  gate.resolve();
  await stream.finish([]);
  assert.equal(most, 1);
  assert.equal(writes.at(-1)?.text, 'abcd');
});

test('an edit that fails is made good by the next one', async () => {
  let failures = 1;
  const { writes, stream, troubles } = platform({
    onWrite() {
      if (failures-- > 0) throw new Error('the platform hiccups');
    },
  });
  stream.push('One ');
  await settled();
  stream.push('two.');
  await stream.finish([]);
  assert.equal(troubles.length, 1);
  assert.equal(writes.at(-1)?.text, 'One two.');
});

test('what the platform refuses at the end is thrown to whoever asked for the end', async () => {
  const { stream } = platform({
    onWrite(piece) {
      if (piece.last) throw new Error('the channel is gone');
    },
  });
  stream.push('One');
  await assert.rejects(stream.finish([]), /the channel is gone/);
});

test('what the platform refuses for good is not asked again and again while the answer grows', async () => {
  const { writes, stream } = platform({
    onWrite() {
      throw new BotError('platform', 'I may not write there');
    },
  });
  for (const word of ['One ', 'two ', 'three.']) {
    stream.push(word);
    await settled();
  }
  assert.equal(writes.length, 1);
  await assert.rejects(stream.finish([]), /may not write/);
  assert.equal(writes.length, 2);
});
