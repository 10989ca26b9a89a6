import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applied,
  type Entry,
  fromTurns,
  put,
  renewed,
  withEarlier,
  withFailures,
} from '../../adapters/web/page/entries.ts';
import type { TurnView } from '../../adapters/web/views.ts';
import type { LiveEvent } from '../../adapters/web/wire.ts';
import { toChannelId } from '../../src/event.ts';

const channel = toChannelId({ platform: 'web', workspace: 'console', channel: 'general' });

function turn(seq: number, more: Partial<TurnView> = {}): TurnView {
  return {
    seq,
    id: `p1.m${seq}`,
    posts: [],
    at: seq * 1000,
    role: 'user',
    name: 'Ann',
    author: 'p1',
    text: `text ${seq}`,
    tokens: 3,
    erased: false,
    edited: false,
    unanswered: undefined,
    partial: undefined,
    attachments: [],
    tools: [],
    versions: 1,
    model: undefined,
    answers: undefined,
    ...more,
  };
}

function answerTurn(seq: number, question: string, more: Partial<TurnView> = {}): TurnView {
  return turn(seq, { role: 'assistant', posts: [`answer:${question}:0`], name: undefined, author: undefined, ...more });
}

const said = (id: string, at: number): LiveEvent => ({
  type: 'message',
  channel,
  message: { id, at, person: { id: 'p1', name: 'Ann' }, text: `said ${id}`, attachments: [] },
});

const piece = (question: string, text: string, more: object = {}): LiveEvent => ({
  type: 'piece',
  channel,
  piece: {
    question,
    id: `answer:${question}:0`,
    index: 0,
    at: 2000,
    text,
    done: false,
    last: false,
    actions: [],
    target: question,
    ...more,
  },
});

function shown(entries: readonly Entry[]): string[] {
  return entries.map((entry) =>
    entry.kind === 'answer' ? `> ${entry.pieces.map(({ text }) => text).join('|')}` : entry.text,
  );
}

const play = (events: readonly LiveEvent[], from: readonly Entry[] = []) => events.reduce(applied, from);

test('an answer appears as it is written, and each thing once however often it is told', () => {
  const events: LiveEvent[] = [
    said('p1.a', 1000),
    { type: 'progress', channel, question: 'p1.a', note: '' },
    piece('p1.a', 'Hel'),
    { type: 'append', channel, id: 'answer:p1.a:0', from: 3, text: 'lo.' },
  ];
  const once = play(events);
  assert.deepEqual(shown(once), ['said p1.a', '> Hello.']);
  const last = piece('p1.a', 'Hello.', { done: true, last: true });
  assert.deepEqual(play([...events, ...events, last, last]), play([...events, last]));
});

test('what is taken back is gone, and "I am on it" ends with what is said instead', () => {
  const before = play([said('p1.a', 1000), { type: 'progress', channel, question: 'p1.a', note: 'Folding' }]);
  assert.equal(before.length, 2);
  assert.deepEqual(shown(play([{ type: 'withdrawn', channel, question: 'p1.a' }], before)), ['said p1.a']);
  assert.deepEqual(shown(play([{ type: 'deleted', channel, ids: ['p1.a'] }], before)), ['> ']);
  const answered = play([said('p1.a', 1000), piece('p1.a', 'Hello')]);
  assert.deepEqual(shown(play([{ type: 'deleted', channel, ids: ['answer:p1.a:0'] }], answered)), ['said p1.a']);
  const refusal = {
    id: 's',
    question: 'p1.a',
    at: 3000,
    text: '⚠️ No.',
    private: true,
    actions: [],
    files: [],
    target: 'p1.a',
  };
  assert.deepEqual(shown(play([{ type: 'said', channel, said: refusal }], before)), ['said p1.a', '⚠️ No.']);
});

test('a piece that is gone with the last one is no longer shown', () => {
  const second = piece('q', 'two', { id: 'answer:q:1', index: 1 });
  const before = play([piece('q', 'one'), second]);
  assert.deepEqual(shown(before), ['> one|two']);
  assert.deepEqual(shown(play([piece('q', 'all', { done: true, last: true })], before)), ['> all']);
});

test('the memory takes the place of what was told live, and what it does not know yet stays', () => {
  const live = play([said('p1.m1', 1000), piece('p1.m1', 'Hello', { done: true, last: true }), said('p1.new', 9000)]);
  const turns = [turn(1), answerTurn(2, 'p1.m1', { text: 'Hello' })];
  const soft = renewed(live, turns, 'soft');
  assert.deepEqual(shown(soft), ['text 1', '> Hello', 'said p1.new']);
  assert.deepEqual(shown(renewed(live, turns, 'hard')), ['text 1', '> Hello']);
});

test('what was said beside the conversation stays, and what is still being sent', () => {
  const line = { question: 'c', private: false, actions: [], files: [], target: undefined };
  const before = play([
    said('p1.a', 1000),
    { type: 'said', channel, said: { ...line, id: 'new', at: 3000, text: 'A fresh memory' } },
  ]);
  const sending = put(before, {
    kind: 'message',
    id: 'p1.b',
    at: 4000,
    person: { id: 'p1', name: 'Ann' },
    text: 'next',
    attachments: [],
    edited: false,
    state: 'sending',
  });
  assert.deepEqual(shown(renewed(sending, [], 'hard')), ['A fresh memory', 'next']);
});

test('older turns stand before those that were shown, and stay when the newest are read again', () => {
  const page = renewed([], [turn(3), turn(4)], 'soft');
  const all = withEarlier(page, [turn(1), turn(2, { erased: true }), turn(3)]);
  assert.deepEqual(shown(all), ['text 1', 'text 3', 'text 4']);
  assert.deepEqual(shown(renewed(all, [turn(4), turn(5)], 'soft')), ['text 1', 'text 3', 'text 4', 'text 5']);
});

test('an answer is known by its question, whichever of the two is told first', () => {
  const [, answer] = fromTurns([turn(1), turn(2, { role: 'assistant', answers: 1, id: 'x' })]);
  assert.equal(answer?.kind === 'answer' && answer.question, 'p1.m1');
});

test('what was told live takes its place among the older turns, once, and keeps what is offered under it', () => {
  const offered = [{ label: 'Retry', command: 'retry' }];
  const told = [1, 3, 5].flatMap((seq) => [
    said(`p1.m${seq}`, seq * 1000),
    piece(`p1.m${seq}`, `answer ${seq}`, { done: true, last: true, at: seq * 1000 + 500, actions: offered }),
  ]);
  const rounds = (seq: number) => [
    turn(seq),
    answerTurn(seq + 1, `p1.m${seq}`, { text: `answer ${seq}`, at: seq * 1000 + 500 }),
  ];
  const newest = renewed(play(told), rounds(5), 'soft');
  const earlier = withEarlier(newest, rounds(3));
  const all = ['said p1.m1', '> answer 1', 'text 3', '> answer 3', 'text 5', '> answer 5'];
  assert.deepEqual(shown(earlier), all);
  assert.deepEqual(
    earlier.map((entry) => (entry.kind === 'said' ? undefined : entry.seq)),
    [undefined, undefined, 3, 4, 5, 6],
  );
  const third = earlier.find((entry) => entry.kind === 'answer' && entry.seq === 4);
  assert.deepEqual(third?.kind === 'answer' && third.actions, offered);
});

test('a failure is shown once, with its question, until an answer came', () => {
  const failed = (id: string, at: number, more: object = {}): LiveEvent => ({
    type: 'said',
    channel,
    said: {
      id: `said:${id}:outcome`,
      question: id,
      at,
      text: '⚠️ The chat API failed (500).',
      private: false,
      actions: [{ label: 'Retry', command: 'retry' }],
      target: 'p1.m1',
      files: [],
      ...more,
    },
  });
  const seen = (entries: readonly Entry[]) => {
    const { shown: left, failures } = withFailures(entries);
    return [shown(left), [...failures].map(([entry, said]) => [entry.kind === 'message' && entry.id, said.id])];
  };
  const told = play([said('p1.m1', 1000), failed('p1.m1', 2000)]);
  assert.deepEqual(seen(told), [['said p1.m1', '⚠️ The chat API failed (500).'], []], 'before the memory knows');
  const known = renewed(told, [turn(1, { unanswered: 'the chat API failed (500)' })], 'soft');
  assert.deepEqual(seen(known), [['text 1'], [['p1.m1', 'said:p1.m1:outcome']]]);
  const again = applied(known, failed('c1', 3000, { target: undefined }));
  assert.deepEqual(seen(again), [['text 1'], [['p1.m1', 'said:c1:outcome']]], 'the last failure counts');
  const budget = { actions: [], target: undefined, text: '⚠️ There is no setting “x”.' };
  assert.deepEqual(seen(applied(known, failed('c2', 3000, budget)))[0], ['text 1', '⚠️ There is no setting “x”.']);
  const answered = renewed(again, [turn(1), answerTurn(2, 'c3', { answers: 1, at: 4000 })], 'soft');
  assert.deepEqual(seen(answered), [['text 1', '> text 2'], []]);
  const worse = applied(answered, failed('c4', 5000));
  assert.deepEqual(seen(worse)[0], ['text 1', '> text 2', '⚠️ The chat API failed (500).'], 'of another try');
});
