import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { mayHaveColours } from '../../adapters/web/page/may-have-colours.ts';
import { hostileTexts } from './hostile-texts.ts';
import { costMs } from './linear.ts';

/** Code of strangers is given colours only where that takes no more than a moment. */

const require = createRequire(import.meta.url);
/** Its own types would bring a browser's into all of the program. */
const core: {
  registerLanguage(name: string, language: unknown): void;
  highlight(text: string, options: { language: string }): unknown;
} = require('highlight.js/lib/core');

const page = new URL('../../adapters/web/page/highlight.ts', import.meta.url);
const languages = Array.from(
  readFileSync(page, 'utf8').matchAll(/highlight\.js\/lib\/languages\/([a-z]+)/g),
  ([, name = '']) => name,
);
const longest = 12_000;
/** Without the bounds it takes seconds. */
const mostMs = 400;

/** Without words, lines or blanks that are too long. */
const inShortRuns = (text: string): string => text.replace(/[\s\S]{98}/g, '$&;\n').slice(0, longest);

test('code has no colours where a word, a line, a gap or all of it goes on and on', () => {
  for (const short of ['x.'.repeat(150), 'x'.repeat(100), `x${' '.repeat(100)}`, 'x\n'.repeat(6_000)])
    assert.ok(mayHaveColours(short));
  for (const long of ['x.'.repeat(151), 'x'.repeat(101), `x${'\n'.repeat(101)}`, 'x\n'.repeat(6_001)])
    assert.ok(!mayHaveColours(long));
});

test('colours take no more than a moment, whatever the language and the code', () => {
  assert.ok(languages.length > 10);
  const texts = [...hostileTexts()].filter(([name]) => name.startsWith('["",') && name.endsWith(',""]'));
  const code = texts.map(([name, make]): [string, string] => [name, inShortRuns(make(longest))]);
  for (const [name, text] of code) assert.ok(mayHaveColours(text), name);
  for (const language of languages) {
    core.registerLanguage(language, require(`highlight.js/lib/languages/${language}`));
    const color = (text: string): number => costMs(() => core.highlight(text, { language }));
    for (const [name, text] of code) {
      const ms = color(text);
      if (ms > mostMs) assert.ok(Math.min(color(text), color(text)) <= mostMs, `${language}: ${ms} ms for ${name}`);
    }
  }
});
