import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import fc from 'fast-check';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import gpt2 from 'js-tiktoken/ranks/gpt2';
import o200k from 'js-tiktoken/ranks/o200k_base';
import p50kEdit from 'js-tiktoken/ranks/p50k_edit';
import { createTokenSplit } from '../../src/conversation/bpe.ts';
import {
  encodingForModel,
  imageTokens,
  loadCounter,
  type TokenCounter,
  upperBound,
} from '../../src/conversation/tokens.ts';
import { readVocabulary } from '../../src/conversation/vocabulary.ts';
import { runs } from './property-runs.ts';

const texts = [
  '',
  ' ',
  'a',
  'Hello, world!',
  "I've told you: they'll say WE'RE done, DON'T they?",
  '  two leading blanks, then a tab\tand a line\r\n\r\n\r\nand the end   ',
  'CamelCaseWords and SCREAMING_SNAKE_CASE and kebab-case-words, v1.2.3, 1234567890, 3.14159',
  'https://example.com/a/b?c=d&e=%20f#g',
  'Größe, naïve, café, Łódź, Ωμέγα, Привет, как дела?',
  '今天天气很好，我们去公园散步吧。明日は晴れるでしょう。오늘은 날씨가 좋습니다.',
  'สวัสดีครับ नमस्ते مرحبا بالعالم שלום עולם',
  '👍🏽👩‍👩‍👧‍👦🇩🇪🇫🇷1️⃣ 😀😀😀',
  'a\u0301\u0302\u0303 combining \u200b zero width \u00a0 hard blank \u2028 separator',
  '<|endoftext|><|endofprompt|><|fim_prefix|> are words like others: <|im_start|>system',
  'lone \ud800 and \udfff and swapped \udc00\ud800 halves\ud83d',
  '```ts\nexport const x = (a: number[]) => a.map((b) => b ** 2).filter(Boolean); // …\n```\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] do\n- [x] done\n\n> quoted **bold** _it_ ~~no~~',
  '="".,;:!?()[]{}<>/\\|@#$%^&*-_+=~`\'"',
  '====================================================================',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  `${' '.repeat(90)}x${'\n'.repeat(40)}y${'\t'.repeat(30)}`,
  '\u0000\u0001\u007f\ufeff\ufffd\uffff',
];

const encodings = { o200k_base: o200k, cl100k_base: cl100k, p50k_edit: p50kEdit, gpt2 } as const;
type TestedEncoding = keyof typeof encodings;

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc
    .array(fc.constantFrom(...texts, ' ', '\n', "'s", "'LL", '\r\n', '  \n', 'é', '中', '🙂', '\ud83d'), {
      maxLength: 4,
    })
    .map((all) => all.join('')),
  fc
    .array(fc.constantFrom('a', 'A', 'b', ' ', '\n', '1', '-', '中', 'の', '\u0301', '😀', '/', '\r'), {
      maxLength: 60,
    })
    .map((all) => all.join('')),
);

for (const [name, file] of Object.entries(encodings)) {
  suite(`in ${name}`, () => {
    let counter: TokenCounter;
    let reference: Tiktoken;

    before(async () => {
      counter = await loadCounter(name as TestedEncoding);
      reference = new Tiktoken(file);
    });

    test('a text has the very tokens that js-tiktoken gives it', () => {
      for (const text of texts)
        assert.deepEqual(counter.encode(text), reference.encode(text, [], []), JSON.stringify(text));
    });

    test('so has any text', () => {
      fc.assert(
        fc.property(anyText, (text) => {
          assert.deepEqual(counter.encode(text), reference.encode(text, [], []));
        }),
        runs(400),
      );
    });

    test('the count is that of the tokens, whether it pauses or not', async () => {
      for (const text of [...texts, texts.join('\n').repeat(20)]) {
        const expected = counter.encode(text).length;
        assert.equal(counter.countNow(text), expected);
        assert.equal(await counter.count(text), expected);
        assert.ok(expected <= upperBound(text));
      }
    });
  });
}

test('a piece merged in windows has the tokens that it has when merged at once', () => {
  const find = toEnd(readVocabulary(o200k));
  const atOnce = createTokenSplit(find, 2 ** 14);
  const bytes = fc.oneof(
    fc
      .array(fc.constantFrom('a', 'b', 'ab', ' ', 'th', 'e', 'in', 'g', '-', '='), { minLength: 1, maxLength: 300 })
      .map((all) => all.join('')),
    fc.string({ unit: fc.constantFrom('的', '一', '是', '不', '了', '人'), minLength: 1, maxLength: 150 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    fc
      .tuple(fc.string({ minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 150 }))
      .map(([unit, times]) => unit.repeat(times)),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(8, 16, 64, 256), (text, window) => {
      const encoded = Buffer.from(text);
      const split = createTokenSplit(find, window);
      assert.deepEqual(
        toEnd(split(encoded, encoded.length, encoded.length)),
        toEnd(atOnce(encoded, encoded.length, encoded.length)),
      );
    }),
    runs(500),
  );
});

test('a piece of several windows has the tokens that js-tiktoken gives it', async () => {
  const counter = await loadCounter('gpt2');
  const reference = new Tiktoken(gpt2);
  const text = 'Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüsselloch'.repeat(40);
  assert.ok(upperBound(text) > 2048);
  assert.deepEqual(counter.encode(text), reference.encode(text, [], []));
});

test('the characters that fit are those of the first tokens', async () => {
  const counter = await loadCounter('o200k_base');
  for (const text of ['one two three four', 'Wort'.repeat(2000), '中文'.repeat(900)]) {
    const tokens = counter.encode(text).length;
    assert.equal(await counter.fit(text, tokens), text.length);
    assert.equal(await counter.fit(text, 0), 0);
    for (const max of [1, 2, 3, Math.floor(tokens / 2), tokens - 1]) {
      const end = await counter.fit(text, max);
      assert.ok(counter.countNow(text.slice(0, end)) <= max);
      assert.ok(counter.countNow(text.slice(0, end + 12)) > max);
    }
  }
  assert.equal(await counter.fit('\u{1f9ff}\u{1f9ff}', 1), 0, 'no half of a character of several tokens');
});

test('an encoding is read once, however many ask for it', async () => {
  const [one, two] = await Promise.all([loadCounter('r50k_base'), loadCounter('r50k_base')]);
  assert.equal(one, two);
  assert.equal(await loadCounter('r50k_base'), one);
});

test('the encoding follows the model, dated, fine-tuned or from a vendor, and is the newest for names nobody knows', () => {
  const expected = {
    'gpt-4o': 'o200k_base',
    'gpt-4o-2031-01-01': 'o200k_base',
    'openai/gpt-4o-mini:free': 'o200k_base',
    'ft:gpt-3.5-turbo-0125:our-team::abc123': 'cl100k_base',
    'azure/gpt-35-turbo-16k': 'cl100k_base',
    'gpt-4-turbo-2024-04-09': 'cl100k_base',
    'gpt-4-0613': 'cl100k_base',
    'openai/gpt-4:free': 'cl100k_base',
    ' GPT-4 ': 'cl100k_base',
    'text-davinci-003': 'p50k_base',
    'code-davinci-edit-001': 'p50k_edit',
    davinci: 'r50k_base',
    gpt2: 'gpt2',
    'gpt-5.1': 'o200k_base',
    'gpt-oss:120b': 'o200k_base',
    'o3-mini-high': 'o200k_base',
    'meta-llama/Llama-4-70b': 'o200k_base',
    '': 'o200k_base',
    constructor: 'o200k_base',
  };
  for (const [model, encoding] of Object.entries(expected)) assert.equal(encodingForModel(model), encoding, model);
});

test('an image costs what its detail says', () => {
  assert.deepEqual([imageTokens('low'), imageTokens('auto')], [85, 765]);
});

function toEnd<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
