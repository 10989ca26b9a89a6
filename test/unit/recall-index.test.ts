import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Asked,
  createRecallIndex,
  type Ranking,
  type RecallIndex,
  type Said,
} from '../../src/conversation/recall-index.ts';
import { createTermReader } from '../../src/conversation/recall-terms.ts';
import { runs } from './property-runs.ts';

/** What ranks, and that it ranks the same however the index came to be. */

const start = Date.UTC(2026, 0, 1);

function toEnd<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function said(seq: number, text: string | undefined, more: Partial<Said> = {}): Said {
  const author = seq % 2 === 0 ? 'Ann' : 'Bob';
  return {
    seq,
    rev: 0,
    at: start + seq * 60_000,
    author: `id-${author}`,
    name: author,
    text,
    answers: undefined,
    ...more,
  };
}

function put(index: RecallIndex, one: Said): void {
  toEnd(index.put(one, createTermReader()));
}

function indexOf(all: readonly Said[]): RecallIndex {
  const index = createRecallIndex();
  for (const one of all) put(index, one);
  return index;
}

function ask(index: RecallIndex, text: string, more: Partial<Asked> = {}): Ranking {
  return toEnd(index.rank({ text, people: new Set(), by: 'talk', isWanted: () => true, most: 10, ...more }));
}

const seqs = ({ hits }: Ranking): number[] => hits.map((hit) => hit.seq);

const filler = [
  'weather was fine',
  'lunch at noon',
  'train is late',
  'nice photos',
  'see you tomorrow',
  'music tonight',
];
const chat = (count: number): string[] => Array.from({ length: count }, (_, n) => `${filler[n % filler.length]} ${n}`);

test('the turn that says it is first', () => {
  const index = indexOf(chat(100).map((text, n) => said(n, n === 40 ? 'I adopted a kitten from the shelter' : text)));
  assert.equal(seqs(ask(index, 'When did she adopt her kitten?'))[0], 40);
});

test('an answer that repeats none of the words is found by the question before it', () => {
  const lines = chat(60);
  lines[30] = 'What colour is your new bicycle?';
  lines[31] = 'Bright orange!';
  const index = indexOf(lines.map((text, n) => said(n, text)));
  assert.ok(seqs(ask(index, 'Which colour does the bicycle have?')).slice(0, 3).includes(31));
});

test('of two who said the same, the one whose name is in the question comes first', () => {
  const lines = chat(40);
  lines[10] = 'my pottery class was fun';
  lines[25] = 'my pottery class was fun';
  const index = indexOf(lines.map((text, n) => said(n, text)));
  assert.equal(seqs(ask(index, 'How did Ann like the pottery class?'))[0], 10);
  assert.equal(seqs(ask(index, 'How did Bob like the pottery class?'))[0], 25);
  const people = new Set(['id-Ann']);
  assert.equal(seqs(ask(index, 'How was the pottery class?', { people }))[0], 10);
});

test('a whole name does not mean everybody who shares a part of it', () => {
  const names = ['Robbie Williams', 'Kirsty Williams'];
  const both = names.map((name, n) => said(n * 30, 'teacher training', { name, author: name }));
  const between = chat(29).map((text, n) => said(n + 1, text));
  const index = indexOf([...both.slice(0, 1), ...between, ...both.slice(1)]);
  assert.equal(seqs(ask(index, 'What did Kirsty Williams say about teacher training?'))[0], 30);
  assert.equal(seqs(ask(index, 'What did Robbie Williams say about teacher training?'))[0], 0);
});

test('a month in the question favours what was said then', () => {
  const at = (month: number): number => Date.UTC(2026, month, 5);
  const index = indexOf(
    Array.from({ length: 12 }, (_, n) => said(n, 'a concert with friends', { at: at(n), name: 'Ann', author: 'a' })),
  );
  assert.equal(seqs(ask(index, 'Which concert was in May?'))[0], 4);
});

test('what takes no part is not found, and stands in no talk', () => {
  const lines = chat(20).map((text, n) => said(n, text));
  const index = indexOf(lines);
  put(index, said(10, 'the secret recipe'));
  assert.equal(seqs(ask(index, 'secret recipe'))[0], 10);
  put(index, said(10, undefined, { rev: 1 }));
  assert.deepEqual(seqs(ask(index, 'secret recipe')), []);
  assert.deepEqual(index.standing(10), { rev: 1, isSpoken: false });
});

test('a search wants all of its words where any turn has them all, and says how many have', () => {
  const index = indexOf(['red apple', 'red car', 'green apple', 'apple, red'].map((text, n) => said(n, text)));
  const both = ask(index, 'red apple', { by: 'words', most: 1 });
  assert.equal(both.total, 2);
  assert.equal(both.hits.length, 1);
  assert.equal(ask(index, 'blue apple', { by: 'words' }).total, 3);
});

test('an index that is too large leaves its oldest turns out for good', () => {
  const index = indexOf(chat(10).map((text, n) => said(n, `${text} common`)));
  for (let n = 0; n < 4; n++) index.leaveOldest();
  assert.deepEqual(
    seqs(ask(index, 'common', { by: 'words' })).toSorted((a, b) => a - b),
    [4, 5, 6, 7, 8, 9],
  );
  put(index, said(2, 'common again', { rev: 1 }));
  assert.equal(index.size(), 6);
  assert.deepEqual(index.standing(2), { rev: 1, isSpoken: true });
});

const word = fc.constantFrom('tea', 'cake', 'boat', 'boats', 'river', 'Ann', 'Bob', 'may', '2026', '猫叫小黑', 'ноты');
const text = fc.array(word, { minLength: 0, maxLength: 6 }).map((words) => words.join(' '));
const calling = fc.constantFrom('', 'Ann: ', '@Bob ', 'Cat, ');
const author = fc.constantFrom('Ann', 'Bob', 'Cat', 'Ann Smith');
const line = fc.record({ calling, text, author, gap: fc.constantFrom(1, 5, 45), answers: fc.option(fc.nat(5)) });
const change = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), line }),
  fc.record({ kind: fc.constant('edit' as const), at: fc.nat(), line }),
  fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('ask' as const), text }),
);

test('an index that followed every change ranks exactly like one built anew', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60, size: 'max' }),
      fc.array(text, { minLength: 1, maxLength: 4 }),
      (changes, asked) => {
        const kept: Said[] = [];
        const index = createRecallIndex();
        const toSaid = (seq: number, at: number, one: typeof line extends fc.Arbitrary<infer T> ? T : never): Said => ({
          seq,
          rev: (kept[seq]?.rev ?? -1) + 1,
          at,
          author: one.author,
          name: one.author,
          text: one.calling + one.text,
          answers: one.answers === null || seq - 1 - one.answers < 0 ? undefined : seq - 1 - one.answers,
        });
        for (const one of changes) {
          if (one.kind === 'ask') {
            ask(index, one.text);
            continue;
          }
          const seq = one.kind === 'add' ? kept.length : one.at % Math.max(1, kept.length);
          const before = kept[seq];
          if (one.kind !== 'add' && before === undefined) continue;
          const at = before?.at ?? (kept.at(-1)?.at ?? start) + (one.kind === 'remove' ? 0 : one.line.gap) * 60_000;
          const next =
            one.kind === 'remove'
              ? { ...said(seq, undefined), at, rev: (before?.rev ?? 0) + 1 }
              : toSaid(seq, at, one.line);
          kept[seq] = next;
          put(index, next);
        }
        const anew = indexOf(kept);
        const withoutGaps = indexOf(kept.filter((one) => one.text !== undefined));
        for (const words of asked) {
          for (const by of ['talk', 'words'] as const) {
            const expected = ask(anew, words, { by, most: 100 });
            assert.deepEqual(ask(index, words, { by, most: 100 }), expected);
            assert.deepEqual(ask(withoutGaps, words, { by, most: 100 }), expected);
          }
        }
        assert.equal(index.size(), anew.size());
      },
    ),
    runs(300),
  );
});

test('who was called before having said anything is known to be meant once they speak', () => {
  const by = (name: string): Partial<Said> => ({ name, author: name });
  const lines = [said(0, 'tea', by('Ann')), said(1, 'Cat, is the river high?', by('Bob')), said(2, 'cake', by('Ann'))];
  const index = indexOf(lines);
  ask(index, 'river');
  const answer = said(3, 'two metres', by('Cat'));
  put(index, answer);
  assert.deepEqual(ask(index, 'river high'), ask(indexOf([...lines, answer]), 'river high'));
  assert.ok(seqs(ask(index, 'river high')).includes(3));
});

test('when everything is removed nothing is left of it', () => {
  const index = indexOf(chat(200).map((text, n) => said(n, text)));
  for (let n = 0; n < 200; n++) put(index, said(n, undefined));
  assert.equal(index.size(), 0);
  assert.deepEqual(ask(index, 'weather lunch train').hits, []);
  assert.ok(index.bytes() < indexOf(chat(200).map((text, n) => said(n, text))).bytes() / 2);
});

test('a message of 10,000 different words takes no more room than the longest prose', () => {
  const index = createRecallIndex();
  put(index, said(0, Array.from({ length: 10_000 }, (_, n) => `x${n.toString(36)}`).join(' ')));
  assert.ok(index.bytes() < 1_000_000, `${index.bytes()}`);
});

test('no question holds anybody up, however it is put', () => {
  const index = indexOf(chat(3000).map((text, n) => said(n, text)));
  const questions = [
    'w'.repeat(40_000),
    Array.from({ length: 10_000 }, (_, n) => `word${n}`).join(' '),
    Array.from({ length: 6000 }, (_, n) => `${n}`).join(' '),
    'the of and '.repeat(3000),
    '🎉'.repeat(20_000),
    '(weather|lunch)+ NEAR/3 "train*" NOT -- ; DROP',
    'الطقس كان جيدا weather 天气很好 อากาศดี',
    '\u202e weather \u202c',
    '\ud83d\ude00\ud800',
  ];
  for (const question of questions) {
    const work = index.rank({ text: question, people: new Set(), by: 'talk', isWanted: () => true, most: 60 });
    let longest = 0;
    for (let last = performance.now(), step = work.next(); ; last = performance.now(), step = work.next()) {
      longest = Math.max(longest, performance.now() - last);
      if (step.done) break;
    }
    assert.ok(longest < 200, `${longest} ms at ${question.slice(0, 20)}`);
  }
  assert.equal(seqs(ask(index, 'الطقس weather 天气')).length, 10);
});
