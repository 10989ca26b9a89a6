import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLinks, type LinkedTurn } from '../../src/conversation/recall-links.ts';

type Line = Partial<LinkedTurn> & { speaker: string };

/** A minute apart, unless said otherwise. */
function linksOf(lines: readonly Line[]) {
  const links = createLinks();
  for (const [slot, line] of lines.entries())
    links.add({ slot, at: slot * 60, length: 1, answers: undefined, calls: undefined, ...line });
  return links;
}

test('two people talking go on from each other', () => {
  const links = linksOf([{ speaker: 'ann' }, { speaker: 'bob' }, { speaker: 'ann' }]);
  assert.deepEqual(links.before, [-1, 0, 1]);
  assert.deepEqual(links.after, [1, 2, -1]);
});

test('an answer goes on from its question, whoever spoke between', () => {
  const links = linksOf([
    { speaker: 'ann' },
    { speaker: 'bob' },
    { speaker: '', answers: 0 },
    { speaker: '', answers: 1 },
  ]);
  assert.deepEqual(links.before, [-1, 0, 0, 1]);
  assert.equal(links.after[0], 1);
  assert.equal(links.beside[1], 2);
});

test('of two talks at once each goes on from its own', () => {
  const links = linksOf([
    { speaker: 'ann' },
    { speaker: 'cat' },
    { speaker: 'bob', calls: 'ann' },
    { speaker: 'dan', calls: 'cat' },
    { speaker: 'ann' },
    { speaker: 'cat' },
    { speaker: 'bob' },
  ]);
  assert.deepEqual(links.before, [-1, 0, 0, 1, 2, 3, 4]);
});

test('who calls somebody that has not spoken goes on from what was said last', () => {
  const links = linksOf([{ speaker: 'ann' }, { speaker: 'bob' }, { speaker: 'ann', calls: 'cat' }]);
  assert.deepEqual(links.before, [-1, 0, 1]);
});

test('after half an hour of silence a new sitting begins, and goes on from nothing', () => {
  const links = linksOf([
    { speaker: 'ann' },
    { speaker: 'bob', at: 1800 },
    { speaker: 'ann', at: 3601 },
    { speaker: 'bob', at: 3700 },
  ]);
  assert.deepEqual(links.before, [-1, 0, -1, 2]);
  assert.deepEqual(links.sitting, [0, 0, 2, 2]);
  assert.deepEqual(
    [...links.sittings],
    [
      [0, 2],
      [2, 2],
    ],
  );
});

test('where nobody is ever silent a sitting ends all the same', () => {
  const links = linksOf(Array.from({ length: 100 }, () => ({ speaker: 'ann' })));
  assert.deepEqual(
    [...links.sittings],
    [
      [0, 40],
      [40, 40],
      [80, 20],
    ],
  );
  assert.equal(links.before[40], 39, 'the talk goes on');
});

test('a turn that half a channel answers is around the first few only', () => {
  const links = linksOf([
    { speaker: 'ann' },
    ...Array.from({ length: 1000 }, (_, n) => ({ speaker: `p${n}`, answers: 0 })),
  ]);
  let count = 0;
  for (let next = links.after[0] ?? -1; next !== -1; next = links.beside[next] ?? -1) count++;
  assert.equal(count, 8);
});
