import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { createSplitter, splitAnswer } from '../../src/turn/split.ts';
import { slowdown } from './durations.ts';
import { runs } from './property-runs.ts';
import { isBalanced, joinPieces } from './split-join.ts';
import { answers, isPlain, isShortFenced } from './split-texts.ts';

const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index % 100}`).join(' ');
const sentence = (count: number): string => `${words(count)}.`;
const codeLines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  line(${index});\n`).join('');

test('an answer that fits is one message', () => {
  assert.deepEqual(splitAnswer('', 300), []);
  assert.deepEqual(splitAnswer('Hello', 300), ['Hello']);
  assert.deepEqual(splitAnswer('x'.repeat(300), 300), ['x'.repeat(300)]);
  const code = `\`\`\`js\n${'x'.repeat(290)}\n\`\`\``;
  assert.equal(code.length, 300);
  assert.deepEqual(splitAnswer(code, 300), [code]);
});

suite('a long answer is cut', () => {
  test('between paragraphs, though more would fit', () => {
    const [one, two] = [`${sentence(20)}\n${sentence(5)}`, `${sentence(15)}\n${sentence(10)}`];
    assert.deepEqual(splitAnswer(`${one}\n\n${two}`, 300), [`${one}\n\n`, two]);
  });

  test('between lines, where there is one paragraph', () => {
    const lines = [sentence(20), sentence(20), sentence(20)];
    assert.deepEqual(splitAnswer(lines.join('\n'), 300), [`${lines[0]}\n${lines[1]}\n`, lines[2]]);
  });

  test('between sentences, where there is one line', () => {
    const sentences = [sentence(20), `${words(20)}?`, `${words(20)}!`];
    assert.deepEqual(splitAnswer(sentences.join(' '), 300), [`${sentences[0]} ${sentences[1]} `, sentences[2]]);
    const chinese = `${'天'.repeat(200)}。${'地'.repeat(200)}`;
    assert.deepEqual(splitAnswer(chinese, 300), [`${'天'.repeat(200)}。`, '地'.repeat(200)]);
  });

  test('between words, where there is one sentence', () => {
    const pieces = splitAnswer(words(100), 300);
    assert.equal(pieces.join(''), words(100));
    for (const piece of pieces) assert.match(piece, /^word\d+( word\d+)* ?$/);
  });

  test('between characters as people see them, where there is one word', () => {
    for (const character of ['x', '👩🏽‍🚀', '🇩🇪', '👍🏽', 'e\u0301']) {
      const word = character.repeat(700);
      const pieces = splitAnswer(word, 300);
      assert.equal(pieces.join(''), word);
      for (const piece of pieces) assert.equal(piece.length % character.length, 0, `${character} is cut`);
    }
    const marks = `e${'\u0301'.repeat(1000)}`;
    assert.equal(splitAnswer(marks, 300).join(''), marks);
  });

  test('not near its beginning, where a less good place leaves a fuller message', () => {
    const pieces = splitAnswer(`Well.\n\n${sentence(60)}`, 300);
    assert.ok((pieces[0]?.length ?? 0) > 200);
  });
});

suite('a code block', () => {
  test('goes to the next message whole, when it fits there', () => {
    const text = `${sentence(20)}\n\`\`\`ts\n${codeLines(15)}\`\`\`\nEnd.`;
    assert.deepEqual(splitAnswer(text, 300), [`${sentence(20)}\n`, text.slice(sentence(20).length + 1)]);
  });

  test('is closed and opened again with its language, when it fits in none', () => {
    const pieces = splitAnswer(`\`\`\`ts title="a.ts"\n${codeLines(80)}\`\`\`\nThat is all.`, 300);
    assert.ok(pieces.length >= 3);
    for (const piece of pieces.slice(1)) assert.match(piece, /^```ts\n {2}line\(\d+\);\n/);
    for (const piece of pieces.slice(0, -1)) assert.match(piece, /^```ts.*\n( {2}line\(\d+\);\n)+```$/);
    assert.match(pieces.at(-1) ?? '', /\);\n```\nThat is all\.$/);
    assert.equal(joinPieces(pieces), `\`\`\`ts title="a.ts"\n${codeLines(80)}\`\`\`\nThat is all.`);
  });

  test('keeps the fences that it shows, of waves, longer ones and ones within a list', () => {
    const inner = `\`\`\`js\n${codeLines(20)}\`\`\`\n`;
    for (const [open, close] of [
      ['````md', '````'],
      ['~~~md', '~~~'],
      ['   ````', '   ````'],
    ]) {
      const text = `${open}\n${inner}${inner}${close}\n`;
      const pieces = splitAnswer(text, 300);
      for (const piece of pieces)
        assert.ok(piece.startsWith(`${open}\n`) && piece.trimEnd().endsWith(close ?? ''), piece);
      assert.equal(joinPieces(pieces), text);
    }
    const list = `1. Do this:\n\n    \`\`\`sh\n${codeLines(80)}    \`\`\`\n\n2. ${sentence(30)}`;
    const pieces = splitAnswer(list, 300);
    assert.ok(pieces[1]?.startsWith('    ```sh\n'));
    assert.equal(joinPieces(pieces), list);
  });

  test('with one endless line is cut within it', () => {
    const text = `\`\`\`\n${'x'.repeat(1000)}\n\`\`\`\n`;
    const pieces = splitAnswer(text, 300);
    assert.equal(pieces[0], `\`\`\`\n${'x'.repeat(291)}\n\`\`\`\n`);
    assert.equal(joinPieces(pieces), text);
  });

  test('is not confused with the next one like it', () => {
    const block = `\`\`\`js\n${codeLines(15)}\`\`\`\n`;
    const text = block.repeat(4);
    const pieces = splitAnswer(text, 300);
    assert.equal(joinPieces(pieces), text);
    assert.equal(joinPieces(splitAnswer(`${block}\n`.repeat(4), 300)), `${block}\n`.repeat(4));
  });

  test('after a bracket that nothing closes is cut with as much care', () => {
    const blocks = `  \`\`\`py\n[a\n\`\`\`\`\n${'```\n'.repeat(98)}`;
    assert.equal(joinPieces(splitAnswer(blocks, 256)), blocks);
    const lines = `[a\n${`${sentence(4)}\n`.repeat(20)}`;
    for (const piece of splitAnswer(lines, 256)) assert.match(piece, /\.\n$/);
    const accents = `\`\`\`\ne${'\u0301'.repeat(700)}\n\`\`\`\n`;
    assert.equal(joinPieces(splitAnswer(accents, 256)), accents);
    assert.ok(splitAnswer(accents, 256).every(isBalanced));
  });

  test('that the answer leaves open is closed', () => {
    assert.deepEqual(splitAnswer('```js\nlet a', 300), ['```js\nlet a\n```']);
    assert.deepEqual(splitAnswer('```js\nlet a\n', 300), ['```js\nlet a\n```']);
    assert.deepEqual(splitAnswer('```js\nlet a\n``', 300), ['```js\nlet a\n```']);
    assert.deepEqual(splitAnswer('```js', 300), ['```js\n```']);
  });
});

test('no link and no address is cut', () => {
  const links = [
    '[the long name of a page](https://example.com/a_(b)/c?d=e "its title")',
    '![a picture](https://example.com/p.png)',
    '[![badge](https://example.com/b.svg)](https://example.com/build)',
    'https://example.com/a/very/long/path.html?with=many&parts=of#it',
    '<https://example.com/in/brackets>',
    '[two\nlines](https://example.com)',
  ];
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.constantFrom(...links), fc.lorem({ maxCount: 8 }), fc.constantFrom('漢字漢字', '[x]', '(y)')),
        { maxLength: 60 },
      ),
      fc.constantFrom(' ', '。', ', '),
      (parts, between) => {
        const text = parts.join(between);
        const pieces = splitAnswer(text, 300);
        assert.equal(pieces.join(''), text);
        for (const link of links)
          assert.equal(
            occurrences(text, link),
            pieces.reduce((sum, piece) => sum + occurrences(piece, link), 0),
            link,
          );
      },
    ),
    runs(100),
  );
});

test('an address longer than a message is cut all the same', () => {
  const text = `See https://example.com/${'x'.repeat(700)} and [more](https://example.com/${'y'.repeat(700)})`;
  assert.equal(splitAnswer(text, 300).join(''), text);
});

test('no message is blank, whatever the model sends', () => {
  assert.deepEqual(splitAnswer(' \n\n ', 300), []);
  for (const text of [
    `a${'\n'.repeat(2000)}b`,
    `${' '.repeat(2000)}a`,
    `a${' '.repeat(2000)}`,
    `${sentence(40)}\n\n\n`,
    `\`\`\`\n${'\n'.repeat(2000)}\`\`\`\nx`,
  ]) {
    const pieces = splitAnswer(text, 300);
    for (const piece of pieces) assert.notEqual(piece.trim(), '');
    assert.equal(joinPieces(pieces).replace(/\s/g, ''), text.replace(/\s/g, ''));
  }
  const brim = `${'word '.repeat(59)}words`;
  assert.equal(brim.length, 300);
  assert.deepEqual(splitAnswer(`${brim}\n`, 300), ['word '.repeat(59), 'words\n']);
});

const maxChars = fc.integer({ min: 256, max: 500 });

test('the joined messages are the answer; each is short enough, not blank, and closes what it opens', () => {
  fc.assert(
    fc.property(answers.filter(isPlain), maxChars, (text, max) => {
      const pieces = splitAnswer(text, max);
      for (const piece of pieces) {
        assert.ok(piece.length <= max, `${piece.length} characters`);
        assert.notEqual(piece.trim(), '');
        assert.ok(isBalanced(piece), `not balanced:\n${piece}`);
        if (text.isWellFormed()) assert.ok(piece.isWellFormed());
      }
      if (text.trim() === '') return;
      const joined = joinPieces(pieces);
      assert.equal(joined.slice(0, text.length), text);
      assert.match(joined.slice(text.length), isBalanced(text) ? /^$/ : /^\n? {0,3}(`+|~+)$/);
    }),
    runs(2000),
  );
});

test('of an answer with fences as deep as they go, nothing is lost but blanks that would be a message', () => {
  fc.assert(
    fc.property(answers.filter(isShortFenced), maxChars, (text, max) => {
      const pieces = splitAnswer(text, max);
      for (const piece of pieces) assert.ok(piece.length <= max && piece.trim() !== '');
      const isBlankInPart = /\s{180}/.test(text);
      const [joined = '', expected = ''] = [joinPieces(pieces), text.trimEnd()].map((one) =>
        isBlankInPart ? one.replace(/\s/g, '') : one,
      );
      assert.equal(joined.slice(0, expected.length), expected);
      assert.match(joined.slice(expected.length), /^\s*[`~]*$/);
    }),
    runs(1000),
  );
});

test('a message that another follows stays as it is, and the pace of the stream makes no difference', () => {
  fc.assert(
    fc.property(answers, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), maxChars, (text, steps, max) => {
      const splitter = createSplitter(max);
      let before: readonly string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn++) {
        const step = steps[turn % steps.length] ?? 1;
        const pieces = splitter.push(text.slice(at, at + step));
        at += step;
        assert.deepEqual(pieces.slice(0, Math.max(0, before.length - 1)), before.slice(0, -1));
        for (const piece of pieces) assert.ok(piece.length <= max);
        before = pieces;
      }
      assert.deepEqual(before, splitAnswer(text, max));
    }),
    runs(500),
  );
});

test('ten times as long an answer takes ten times as long, at once and as a stream', (t) => {
  const hostile = [
    'x',
    ' ',
    '\n',
    '`',
    '[',
    '](',
    '[](a)',
    '. ',
    '```\n',
    '~~~ ',
    'https://',
    '👩🏽‍🚀',
    'a\u0301',
    sentence(20),
  ];
  for (const unit of hostile) {
    const long = unit.repeat(Math.ceil(100_000 / unit.length));
    const short = long.slice(0, long.length / 10);
    const atOnce = tenfold(
      () => splitAnswer(long, 2000),
      () => splitAnswer(short, 2000),
    );
    const streamed = tenfold(
      () => stream(long),
      () => stream(short),
    );
    t.diagnostic(`${JSON.stringify(unit.slice(0, 8))}: ${atOnce.toFixed(1)} and ${streamed.toFixed(1)} times`);
    assert.ok(atOnce <= 30, `${JSON.stringify(unit)}: ${atOnce} times`);
    assert.ok(streamed <= 30, `${JSON.stringify(unit)}: ${streamed} times`);
  }
});

function stream(text: string): void {
  const splitter = createSplitter(2000);
  for (let at = 0; at < text.length; at += 5) splitter.push(text.slice(at, at + 5));
}

/** How many times as long the whole takes as one tenth of it. */
function tenfold(whole: () => void, tenth: () => void): number {
  const tenths = (): void => {
    for (let turn = 0; turn < 10; turn++) tenth();
  };
  return 10 * slowdown(whole, tenths, 3);
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}
