import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHtml } from '../../adapters/web/page/markdown-html.ts';
import { combinedTexts, hostileTexts } from './hostile-texts.ts';
import { costMs, excess } from './linear.ts';

/** What the console makes of Markdown, before it is sanitized. */

const marks = ['*', '_', '**', '~~', '`', '[', ']', '(', '<', '|', '- ', '> ', '!', '\\', 'a', 'www.', '$$', '\\('];
/** A block is not longer than that; what is longer is shown as it is. */
const longest = 12_000;
/** The work of a block has a bound: what stays below this needs no other. */
const matteringMs = 200;

test('no block of Markdown takes the page more than linear time, nor long', () => {
  const slow = [...hostileTexts(), ...combinedTexts(marks, [])].flatMap(([name, make]) => {
    const ratio = excess(toHtml, make, [longest / 10, longest], matteringMs);
    return ratio === undefined ? [] : [`${ratio.toFixed(0)} times as long for ${name}`];
  });
  assert.deepEqual(slow, []);
  const [worst = Number.POSITIVE_INFINITY] = [1, 2, 3]
    .map(() => costMs(() => toHtml('*a_'.repeat(longest / 3))))
    .sort((a, b) => a - b);
  // Without a bound on the work it takes more than a second.
  assert.ok(worst < 400, `${worst} ms`);
});

test('ordinary text with much emphasis is still drawn', () => {
  const line = 'Some **bold**, *slanted*, `code` and [linked](https://example.org) words in a line.';
  for (const text of [
    `${line} `.repeat(50),
    `- ${line}\n`.repeat(120),
    `> ${line}\n`.repeat(60),
    `${line}\n`.repeat(60),
  ]) {
    assert.ok(text.length < longest);
    assert.match(toHtml(text) ?? 'as it is', /<strong>bold<\/strong>, <em>slanted<\/em>/, text.slice(0, 20));
  }
});

test('a formula stays as it was written, whatever Markdown could find in it', () => {
  const kept: [string, string][] = [
    ['so \\(a^2_i * b_i * c\\) it is', '<p>so \\(a^2_i * b_i * c\\) it is</p>\n'],
    ['\\[x < y\\] holds', '<p>\\[x &lt; y\\] holds</p>\n'],
    ['$$\\frac{a_1}{b_1} * c * d$$', '<p>$$\\frac{a_1}{b_1} * c * d$$</p>\n'],
    ['Then\n$$\n- a_1\n= b\n$$\nfollows', '<p>Then</p>\n<p>$$<br>- a_1<br>= b<br>$$</p>\n<p>follows</p>\n'],
    ['\\[\nx \\\\ y\n\\]', '<p>\\[<br>x \\\\ y<br>\\]</p>\n'],
    ['still written: \\(a^2', '<p>still written: \\(a^2</p>\n'],
    ['from $5 to $6 and $$', '<p>from $5 to $6 and $$</p>\n'],
  ];
  for (const [markdown, html] of kept) assert.equal(toHtml(markdown), html);
  assert.equal(toHtml('`\\(x\\)` and \\* and *em*'), '<p><code>\\(x\\)</code> and * and <em>em</em></p>\n');
});

test('text is escaped, also inside of the tags that are let through', () => {
  assert.equal(
    toHtml('<kbd><img src=x onerror=1></kbd> <pre><b>x</b></pre>'),
    '<p><kbd>&lt;img src=x onerror=1&gt;</kbd> &lt;pre&gt;&lt;b&gt;x&lt;/b&gt;&lt;/pre&gt;</p>\n',
  );
  assert.equal(toHtml('<kbd>a < b & c "d"</kbd> &copy;'), '<p><kbd>a &lt; b &amp; c &quot;d&quot;</kbd> &copy;</p>\n');
});
