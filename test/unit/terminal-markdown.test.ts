import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderMarkdown } from '../../adapters/terminal/markdown.ts';
import { paintSegments, toVisible } from '../../adapters/terminal/text.ts';
import { widthOfText } from '../../adapters/terminal/width.ts';
import { runs } from './property-runs.ts';

const plain = (text: string, columns = 60, startColumn = 0): string =>
  renderMarkdown(text, { columns, startColumn })
    .map((one) => one.text)
    .join('');
const stylesOf = (text: string): [string, string][] =>
  renderMarkdown(text, { columns: 60, startColumn: 0 })
    .filter(({ styles }) => styles.length > 0)
    .map((one) => [one.text, one.styles.join(' ')]);

test('marks become styles', () => {
  assert.deepEqual(stylesOf('**bold**, *italic*, `code`, ~~gone~~ and __bold__'), [
    ['bold', 'bold'],
    ['italic', 'italic'],
    ['code', 'code'],
    ['gone', 'struck'],
    ['bold', 'bold'],
  ]);
  assert.deepEqual(stylesOf('## A *title*'), [
    ['A ', 'bold'],
    ['title', 'bold italic'],
  ]);
  assert.deepEqual(stylesOf('[docs](https://example.org/a)'), [
    ['docs', 'underlined'],
    [' (https://example.org/a)', 'dim'],
  ]);
});

test('what only looks like a mark stays as it is', () => {
  for (const text of [
    '2 * 3 * 4',
    'snake_case_name',
    '** open',
    'a ` b',
    '\\(a^2\\) and \\[b\\]',
    '#5',
    '[x] done',
    '|',
  ])
    assert.equal(plain(text), text);
});

test('code in a fence stays as it is, with the fence as a frame', () => {
  assert.equal(
    plain('```js\nconst a = **b**;\n\n- no list\n```\nafter'),
    '┌ js\nconst a = **b**;\n\n- no list\n└\nafter',
  );
});

test('a table has columns of one width; one that is too wide stays as it was written', () => {
  const table = '| Name | 金額 |\n|---|---:|\n| Ann | 5 |\n| Benjamin | **12** |';
  assert.equal(plain(table), 'Name     │ 金額\n─────────┼─────\nAnn      │ 5\nBenjamin │ 12');
  assert.equal(plain(table, 10), table);
});

test('lines break between words, and no row is longer than the screen unless one word is', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '日', '*'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), fc.integer({ min: 12, max: 40 }), (words, columns) => {
      const shown = plain(words.join(' '), columns);
      for (const line of shown.split('\n')) {
        if (line.includes(' '))
          assert.ok(
            widthOfText(line.trimEnd()) <= columns || line.split(' ').some((one) => widthOfText(one) > columns),
            shown,
          );
      }
      assert.equal(shown.replace(/\s+/g, ' ').trim(), plain(words.join(' '), 100_000).replace(/\s+/g, ' ').trim());
    }),
    runs(200),
  );
});

test('a piece of code that is a command is shown as it is typed here', () => {
  const toCommand = (code: string): string | undefined => (code === 'undo' ? '/undo' : undefined);
  const shown = renderMarkdown('`undo` brings `it` back', { columns: 60, startColumn: 0, toCommand });
  assert.equal(shown.map((one) => one.text).join(''), '/undo brings it back');
});

test('segments are painted from any character on, and every style ends where its text ends', () => {
  const segments = renderMarkdown('a **bc** d', { columns: 60, startColumn: 0 });
  assert.equal(paintSegments(segments, 3, 'plain'), '\u001b[1mc\u001b[0m d');
  assert.equal(paintSegments(segments, 3, 'none'), 'c d');
});

test('what turns the direction of a text is shown as what it is', () => {
  assert.equal(toVisible('pay \u202eeurt\u202c\u2066x'), 'pay <U+202E>eurt<U+202C><U+2066>x');
});
