import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Named, toLabels } from '../../src/usage/labels.ts';
import { runs } from './property-runs.ts';

const named = (key: string, name: string, ...hints: string[]): Named => ({ key, name, hints });
const labels = (...all: Named[]): string[] => all.map(({ key }) => toLabels(all).get(key) ?? '');

test('who alone has a name goes by it', () => {
  assert.deepEqual(labels(named('a', 'general', 'x'), named('b', 'random', 'x')), ['general', 'random']);
});

test('the shortest hint that tells all of one name apart stands behind it', () => {
  assert.deepEqual(labels(named('a', 'general', 'x', 'x/1'), named('b', 'general', 'y', 'y/1')), [
    'general (x)',
    'general (y)',
  ]);
  assert.deepEqual(labels(named('a', 'general', 'x', 'x/1'), named('b', 'general', 'x', 'x/2')), [
    'general (x/1)',
    'general (x/2)',
  ]);
});

test('where no hint helps, a number does', () => {
  assert.deepEqual(labels(named('a', 'Ann', 'x'), named('b', 'Ann', 'x'), named('c', 'Ann')), [
    'Ann (x)',
    'Ann (x) #2',
    'Ann',
  ]);
});

test('labels differ, whatever anybody is called, and do not depend on the order', () => {
  const word = fc.constantFrom('a', 'a #2', 'a (x)', 'a (x) #2', 'b');
  const hint = fc.constantFrom('x', 'y', 'x/1');
  const all = fc.uniqueArray(fc.record({ key: fc.string(), name: word, hints: fc.array(hint, { maxLength: 2 }) }), {
    selector: ({ key }) => key,
    maxLength: 40,
  });
  fc.assert(
    fc.property(all, (given) => {
      const found = toLabels(given);
      assert.equal(new Set(found.values()).size, given.length);
      assert.equal(found.size, given.length);
      const again = toLabels(given.toReversed());
      assert.ok(given.every(({ key }) => again.get(key) === found.get(key)));
    }),
    runs(300),
  );
});
