import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countContent, createTermReader, namedTimes, timeTerms, wordsOf } from '../../src/conversation/recall-terms.ts';
import { runs } from './property-runs.ts';

function terms(text: string): string[] {
  return [...createTermReader()(text)].flat();
}

test('a word is found in its other forms, in any case and with or without its accents', () => {
  for (const [one, other] of [
    ['painted', 'Painting'],
    ['CAFÉ', 'cafe'],
    ['agencies', 'agency'],
    ['ﬁsh', 'fish'],
    ['Ｗｉｄｅ', 'wide'],
    ['Ελλάδα', 'ελλαδα'],
    ['שָׁלוֹם', 'שלום'],
  ] as const)
    assert.deepEqual(terms(one), terms(other), `${one} and ${other}`);
});

test('only Latin words are cut to stems', () => {
  assert.deepEqual(terms('бегать Häuser über'), ['бегать', 'hauser', 'uber']);
});

test('words that are in every message are no terms, whoever else is named like them', () => {
  assert.deepEqual(terms("What did you do? I don't know, it's what they were doing"), ['know']);
});

test('scripts without spaces are found by pairs of characters', () => {
  assert.deepEqual(terms('我的猫叫小黑'), ['我的', '的猫', '猫叫', '叫小', '小黑']);
  assert.deepEqual(terms('パーティー'), ['パー', 'ーテ', 'ティ', 'ィー']);
  assert.deepEqual(terms('한국어'), ['한국', '국어']);
  assert.deepEqual(terms('猫'), ['猫']);
  assert.deepEqual(terms('GPT模型v2'), ['gpt', '模型', 'v2']);
  assert.deepEqual(terms('𠮷野家'), ['𠮷野', '野家']);
  for (const [said, asked] of [
    ['東京タワーに行った', 'タワー'],
    ['ฉันชอบแมว', 'แมว'],
    ['우리 강아지는 귀여워', '강아지'],
  ] as const)
    assert.ok(
      terms(asked).every((term) => terms(said).includes(term)),
      said,
    );
});

test('a month is a month where it is not another word', () => {
  assert.deepEqual(namedTimes(wordsOf('What happened in May 2023?')), ['m:4', 'y:2023']);
  assert.deepEqual(namedTimes(wordsOf('You may march on, it may rain')), []);
  assert.deepEqual(namedTimes(wordsOf('on 3 March, or on june 4th')), ['m:2', 'm:5']);
  assert.deepEqual(timeTerms(Date.UTC(2023, 4, 8)), ['m:4', 'y:2023']);
});

test('no text holds a term of time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => terms(text).every((term) => !/^[my]:/.test(term))),
    runs(100),
  );
});

test('names and months count as content, stop words and signs do not', () => {
  for (const [text, count] of [
    ['what was it', 0],
    ['', 0],
    ['🎉🎉 ???', 0],
    ['Caroline', 1],
    ['Caroline in May', 2],
    ['Caroline Caroline', 1],
    ['猫叫什么', 3],
    ['.*(a|b)+ OR "x" NEAR(y)', 4],
  ] as const)
    assert.equal(countContent(text), count, text);
});

test('whatever is said, reading it ends soon, in bounded parts, with terms of bounded length', () => {
  const hostile = [
    'a'.repeat(40_000),
    Array.from({ length: 10_000 }, (_, n) => `w${n.toString(36)}`).join(' '),
    '🎉'.repeat(20_000),
    '漢字'.repeat(20_000),
    'ا'.repeat(40_000),
    '\u202eevil '.repeat(6000),
    'e\u0301'.repeat(20_000),
    '\ufdfa'.repeat(40_000),
    '\ud800'.repeat(40_000),
    '(a+)+$ [[:alpha:]] NEAR("x" OR y*) -- '.repeat(1000),
    'x'.repeat(39_999).concat(' y'.repeat(500_000)),
  ];
  for (const text of hostile) {
    const from = performance.now();
    let longest = 0;
    let last = from;
    for (const part of createTermReader()(text)) {
      longest = Math.max(longest, performance.now() - last);
      for (const term of part) assert.ok(term.length <= 40, `${term.length} in ${text.slice(0, 20)}`);
      last = performance.now();
    }
    assert.ok(longest < 200, `${longest} ms for a part of ${text.slice(0, 20)}`);
    assert.ok(performance.now() - from < 2000);
  }
});
