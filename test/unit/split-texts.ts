import fc from 'fast-check';

const fenceLines = [
  '```',
  '```js',
  '````',
  '````md',
  '~~~',
  '~~~~ yaml',
  '  ```py',
  '   ```',
  '```js title="x"',
  '```no`fence',
  '```` ',
  '~~~ `x`',
  '``',
  '`',
];
const markdown = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.lorem({ maxCount: 40 }) },
      { weight: 4, arbitrary: fc.constantFrom(...fenceLines) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '',
          '',
          '# Title',
          '- item',
          '  - [ ] item',
          '| a | b |',
          '> quote',
          '漢字。漢字！',
          '👩🏽‍🚀👍🏽',
          '\r',
          ' ',
          '[a',
          '](b',
          'e\u0301',
        ),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            fc.constantFrom(
              'x',
              '漢',
              '👩🏽‍🚀',
              '`',
              '~',
              '``` ',
              'a ``` b ',
              '~~~x',
              '[a](b)',
              '. ',
              '```js\n',
              '```\n',
            ),
            fc.integer({ min: 1, max: 120 }),
          )
          .map(([unit, times]) => unit.repeat(times)),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 100 }) },
    ),
    { maxLength: 60, size: 'max' },
  )
  .chain((lines) =>
    fc
      .array(fc.constantFrom('\n', '\n', '\n\n', ' '), { minLength: lines.length, maxLength: lines.length })
      .map((ends) => lines.map((line, index) => line + (ends[index] ?? '')).join('')),
  );

/** A few kinds of lines and what is smaller, many times and in any order: where two rules meet. */
const hostile = fc
  .array(
    fc.oneof(
      fc.tuple(
        fc.constantFrom('```\n', '```js\n', '````\n', '~~~\n', '  ```py\n', '    ```\n', '\t```sh\n', '- a\n', 'x\n\n'),
        fc.integer({ min: 1, max: 60 }),
      ),
      fc.tuple(
        fc.constantFrom(
          '```',
          '~~~',
          '`',
          '~',
          'js',
          'e\u0301',
          '👩🏽‍🚀',
          '[a',
          '](b)',
          '. ',
          ' ',
          '    ',
          '\t',
          '\n',
          'x',
        ),
        fc.integer({ min: 1, max: 3 }),
      ),
      fc.tuple(fc.constantFrom('x', 'a b ', '漢', '``` x', ' ~~~', '\n', ' '), fc.integer({ min: 1, max: 300 })),
    ),
    { maxLength: 30, size: 'max' },
  )
  .map((units) => units.map(([unit, times]) => unit.repeat(times)).join(''));

/** What a model may write. */
export const answers = fc.oneof(markdown, hostile);
/** Nobody writes longer fences than we know. */
export const isShortFenced = (text: string): boolean => !/`{11}|~{11}|^[ \t]*(```|~~~)[^\n]{60}/m.test(text);
/** Nor are there any that stand deeper than CommonMark has them outside of lists, or blanks enough to leave some out. */
export const isPlain = (text: string): boolean =>
  isShortFenced(text) && !/^[ \t]*( {4}|\t)[ \t]*(```|~~~)|\s{60}/m.test(text);
