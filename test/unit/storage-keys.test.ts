import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSortable, planRange, toKey, toSortable } from '../../src/storage/keys.ts';

test('a key is the name of its kind and the id, as it is', () => {
  assert.equal(toKey('page', 'discord/1/2:0:16'), 'page:discord/1/2:0:16');
  assert.equal(toKey('page', ''), 'page:');
});

test('a prefix covers what begins with it, and nothing after', () => {
  const all = { limit: undefined, reverse: false };
  assert.deepEqual(planRange('page', 'a', {}), { from: 'page:a', to: 'page:b', ...all });
  assert.deepEqual(planRange('page', '', {}), { from: 'page:', to: 'page;', ...all });
  assert.deepEqual(planRange('page', '\ud7ff', {}), { from: 'page:\ud7ff', to: 'page:\ue000', ...all });
  assert.deepEqual(planRange('page', '\uffff', {}), { from: 'page:\uffff', to: 'page:\u{10000}', ...all });
  assert.deepEqual(planRange('page', 'a\u{10ffff}', {}), { from: 'page:a\u{10ffff}', to: 'page:b', ...all });
  assert.deepEqual(planRange('page', '\u{10ffff}', {}), { from: 'page:\u{10ffff}', to: 'page;', ...all });
});

test('a mark moves the beginning, or the end when going down, but never out of the prefix', () => {
  const bounds = (after: string, reverse: boolean) => {
    const { from, to } = planRange('page', 'b', { after, reverse });
    return [from, to];
  };
  assert.deepEqual(bounds('b5', false), ['page:b5\u0001', 'page:c']);
  assert.deepEqual(bounds('a', false), ['page:b', 'page:c']);
  assert.deepEqual(bounds('b5', true), ['page:b', 'page:b5']);
  assert.deepEqual(bounds('d', true), ['page:b', 'page:c']);
});

test('keys are sorted by their bytes, where UTF-16 would sort otherwise', () => {
  const keys = ['\uffff', '\u{1f600}'];
  assert.deepEqual(keys.toSorted(), ['\u{1f600}', '\uffff']);
  assert.deepEqual(keys.map(toSortable).sort().map(fromSortable), keys);
  assert.equal(fromSortable(toSortable('a\u{1f600}é')), 'a\u{1f600}é');
});
