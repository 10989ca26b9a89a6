import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Blocks, noBlocks, openCode, takeBlocks } from '../../adapters/web/page/blocks.ts';
import { runs } from './property-runs.ts';

const parts = [
  '# Head',
  'words',
  '',
  '',
  '- item',
  '2. two',
  '  more',
  '```',
  '```ts',
  '~~~',
  '> said',
  '**bold** on',
  '|a|',
  '-',
];

/** What is shown when the text comes in such portions. */
function grown(text: string, portions: readonly number[]): { taken: Blocks; history: Blocks[] } {
  const history: Blocks[] = [];
  let taken = noBlocks;
  let length = 0;
  for (const portion of [...portions, text.length]) {
    length = Math.min(text.length, length + portion);
    taken = takeBlocks(taken, text.slice(0, length));
    history.push(taken);
  }
  return { taken, history };
}

test('a text that grows is cut where it would be cut if it came at once, and what was cut off never changes', () => {
  const texts = fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(texts, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), (text, portions) => {
      const { taken, history } = grown(text, portions);
      assert.deepEqual(taken, takeBlocks(noBlocks, text));
      assert.equal(taken.finished.join('') + text.slice(taken.consumed), text);
      for (const before of history) {
        assert.deepEqual(before.finished, taken.finished.slice(0, before.finished.length));
      }
    }),
    runs(300),
  );
});

test('paragraphs are blocks of their own; a list and a fence stay whole', () => {
  const blocksOf = (text: string) => {
    const { finished, consumed } = takeBlocks(noBlocks, text);
    return [...finished, text.slice(consumed)];
  };
  assert.deepEqual(blocksOf('One.\n\nTwo.\n\n**Three**'), ['One.\n\n', 'Two.\n\n', '**Three**']);
  assert.deepEqual(blocksOf('1. one\n\n2. two\n\n   still two'), ['1. one\n\n2. two\n\n   still two']);
  assert.deepEqual(blocksOf('```\na\n\nb\n```\n\nafter'), ['```\na\n\nb\n```\n\n', 'after']);
  assert.deepEqual(blocksOf('````\n```\n\nb\n````\n\nafter'), ['````\n```\n\nb\n````\n\n', 'after']);
});

test('only a fence that is still open is code that grows', () => {
  assert.deepEqual(openCode('```ts\nlet a'), { language: 'ts', code: 'let a' });
  assert.deepEqual(openCode('~~~\n'), { language: '', code: '' });
  assert.equal(openCode('```ts\nlet a\n```'), undefined);
  assert.equal(openCode('```ts'), undefined);
  assert.equal(openCode('Look: ```ts\n'), undefined);
});
