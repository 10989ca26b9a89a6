import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import type { Backend } from '../../src/storage/backend.ts';
import { createStore, type RecordKind, record, type Store } from '../../src/storage/store.ts';
import { runs } from '../unit/property-runs.ts';

/** What every store must do, whatever it keeps its records in. `open` gives an empty backend each time. */

export const note: RecordKind<{ text: string }> = {
  name: 'note',
  version: 1,
  schema: z.object({ text: z.string() }),
  upgrades: {},
};

export function isStoreError(pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof BotError, String(error));
    // What is damaged stays so: nobody waits for it.
    assert.equal(error.kind, /^the record .* (is damaged|newer version)/.test(error.message) ? 'damaged' : 'store');
    assert.match(error.message, pattern);
    return true;
  };
}

export function storeContract(name: string, open: () => Promise<Backend>): void {
  describe(`the ${name} store`, () => {
    const opened: Store[] = [];
    after(() => Promise.all(opened.map((store) => store.close())));

    async function fresh(): Promise<{ store: Store; backend: Backend }> {
      const backend = await open();
      const store = createStore(backend);
      opened.push(store);
      return { store, backend };
    }

    test('what was committed is read again, and what was not is missing', async () => {
      const { store } = await fresh();
      await store.commit([record(note, 'a', { text: 'one' }), record(note, 'b', { text: 'two' })]);
      assert.deepEqual(await store.get(note, 'a'), { text: 'one' });
      assert.deepEqual(await store.get(note, 'b'), { text: 'two' });
      assert.equal(await store.get(note, 'c'), undefined);
      assert.equal(await store.get({ ...note, name: 'other' }, 'a'), undefined);
    });

    test('what was read shares nothing with what was written', async () => {
      const { store } = await fresh();
      const value = { text: 'as it was' };
      await store.commit([record(note, 'a', value)]);
      value.text = 'changed since';
      const first = await store.get(note, 'a');
      if (first) first.text = 'changed by a reader';
      assert.deepEqual(await store.get(note, 'a'), { text: 'as it was' });
    });

    test('of two records with one key the later one wins', async () => {
      const { store } = await fresh();
      await store.commit([record(note, 'a', { text: 'first' }), record(note, 'a', { text: 'second' })]);
      assert.deepEqual(await store.get(note, 'a'), { text: 'second' });
    });

    test('of two commits the later one wins, although nobody waited between them', async () => {
      const { store } = await fresh();
      const texts = Array.from({ length: 20 }, (_, index) => ({ text: `${index}` }));
      await Promise.all(texts.map((value, index) => store.commit(Array(index + 1).fill(record(note, 'a', value)))));
      assert.deepEqual(await store.get(note, 'a'), { text: '19' });
    });

    test('a commit with one record that cannot be written writes none', async () => {
      const { store } = await fresh();
      const anything: RecordKind<unknown> = { ...note, schema: z.unknown() };
      const records = [
        record(note, 'a', { text: 'one' }),
        record(anything, 'b', 1n),
        record(note, 'c', { text: 'three' }),
      ];
      await assert.rejects(store.commit(records), isStoreError(/writing/));
      assert.deepEqual(await store.list(note, ''), []);
      await store.commit([record(note, 'a', { text: 'still alive' })]);
      assert.deepEqual(await store.get(note, 'a'), { text: 'still alive' });
    });

    test('what could not be read again is refused before it is written', () => {
      const wrong: unknown[] = [{ text: 5 }, {}, null, 'text'];
      for (const value of wrong) {
        const strict: RecordKind<unknown> = { ...note, schema: note.schema };
        assert.throws(() => record(strict, 'a', value), { kind: 'bug' });
      }
    });

    test('an empty commit is done at once', async () => {
      const { store } = await fresh();
      await store.commit([]);
      assert.deepEqual(await store.list(note, ''), []);
    });

    test('two hundred commits at once all arrive', async () => {
      const { store } = await fresh();
      const ids = Array.from({ length: 200 }, (_, index) => String(index).padStart(3, '0'));
      await Promise.all(ids.map((id) => store.commit([record(note, id, { text: `text ${id}` })])));
      const found = await store.list(note, '');
      assert.deepEqual(
        found.map((each) => [each.id, each.read().text]),
        ids.map((id) => [id, `text ${id}`]),
      );
    });

    test('a value of a megabyte comes back whole', async () => {
      const { store } = await fresh();
      const text = Array.from({ length: 150_000 }, (_, index) => `${index} – ä`).join('');
      assert.ok(text.length > 1_000_000);
      await store.commit([record(note, 'big', { text }), record(note, 'small', { text: 'beside it' })]);
      assert.deepEqual(await store.get(note, 'big'), { text });
      assert.deepEqual(await store.get(note, 'small'), { text: 'beside it' });
    });

    test('any text comes back as it was, with NUL and half a surrogate pair', async () => {
      const { store } = await fresh();
      let count = 0;
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), async (text) => {
          const id = String(count++);
          const value = { text: `${text}\0\ud800 "\u2028` };
          await store.commit([record(note, id, value)]);
          assert.deepEqual(await store.get(note, id), value);
        }),
        runs(50),
      );
    });

    test('ids that look like SQL, paths or patterns are ids like any other', async () => {
      const { store } = await fresh();
      const ids = [
        'a',
        'a;',
        "a'--",
        'a/*',
        '../a',
        '..\\a',
        '$a',
        '{$a',
        'a\r\n',
        'a%3A/b:1.5-',
        '%',
        '_',
        '*',
        ' ',
        '',
      ];
      await store.commit(ids.map((id) => record(note, id, { text: id })));
      for (const id of ids) assert.deepEqual(await store.get(note, id), { text: id });
      assert.equal((await store.list(note, '')).length, ids.length);
      assert.deepEqual(
        (await store.list(note, 'a%')).map(({ id }) => id),
        ['a%3A/b:1.5-'],
      );
      await store.erase(['note:%', 'note:a/*']);
      assert.equal((await store.list(note, '')).length, ids.length - 2);
    });

    test('an id that no store can hold is refused', async () => {
      const { store } = await fresh();
      for (const id of ['a\0', '\ud800', 'a\udfff!']) {
        assert.throws(() => record(note, id, { text: '' }), { kind: 'bug' });
        await assert.rejects(store.get(note, id), { kind: 'bug' });
        await assert.rejects(store.list(note, id), { kind: 'bug' });
      }
    });

    test('a listing is in the order of bytes, by prefix, from a mark, up or down, up to a limit', async () => {
      const { store } = await fresh();
      const part = fc.oneof(
        fc.constantFrom(
          'a',
          'b',
          ':',
          '/',
          '%3A',
          '-',
          '.',
          '1',
          '10',
          '2',
          '~',
          'é',
          '\uffff',
          '\u{1f600}',
          '\u{10ffff}',
          '\ud7ff',
        ),
        fc.string({ unit: 'binary', maxLength: 2 }).filter((text) => !text.includes('\0')),
      );
      const id = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(''));
      const range = fc.record({ after: id, limit: fc.nat(5), reverse: fc.boolean() }, { requiredKeys: [] });
      let count = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(id, { maxLength: 20 }),
          fc.array(part, { maxLength: 1 }),
          range,
          async (ids, start, range) => {
            const kind = { ...note, name: `kind${count++}` };
            const [prefix = ''] = start;
            await store.commit(ids.map((id) => record(kind, id, { text: id })));
            const found = await store.list(kind, prefix, range);
            assert.deepEqual(
              found.map((each) => [each.id, each.read().text]),
              expected(ids, prefix, range).map((id) => [id, id]),
            );
          },
        ),
        runs(150),
      );
    });

    test('kinds whose names begin alike do not see each other', async () => {
      const { store } = await fresh();
      const kinds = ['note', 'note2', 'not', 'notes'].map((name) => ({ ...note, name }));
      for (const kind of kinds) await store.commit([record(kind, '1', { text: kind.name })]);
      for (const kind of kinds) {
        assert.deepEqual(
          (await store.list(kind, '')).map((found) => found.read().text),
          [kind.name],
        );
      }
    });

    test('a record of an older version is upgraded step by step when it is read', async () => {
      const { store } = await fresh();
      const renamed: RecordKind<{ words: string; length: number }> = {
        name: 'note',
        version: 3,
        schema: z.object({ words: z.string(), length: z.number() }),
        upgrades: {
          1: (old) => ({ words: note.schema.parse(old).text }),
          2: (old) => {
            const { words } = z.object({ words: z.string() }).parse(old);
            return { words, length: words.length };
          },
        },
      };
      await store.commit([
        record(note, 'old', { text: 'four' }),
        record(renamed, 'new', { words: 'five!', length: 5 }),
      ]);
      assert.deepEqual(await store.get(renamed, 'old'), { words: 'four', length: 4 });
      assert.deepEqual(
        (await store.list(renamed, '')).map((found) => found.read().length),
        [5, 4],
      );
    });

    test('a record of a newer version is refused, and so is one too old to be upgraded', async () => {
      const { store } = await fresh();
      await store.commit([record(note, 'a', { text: 'one' }), record({ ...note, version: 3 }, 'b', { text: 'two' })]);
      await assert.rejects(store.get(note, 'b'), isStoreError(/note:b .*newer/));
      const kind = { ...note, version: 3, upgrades: { 2: (old: unknown) => old } };
      await assert.rejects(store.get(kind, 'a'), isStoreError(/note:a .*version 1/));
      const failing = { ...note, version: 2, upgrades: { 1: () => assert.fail('not in this form') } };
      await assert.rejects(store.get(failing, 'a'), isStoreError(/note:a .*damaged/));
    });

    const whole = JSON.stringify({ value: { v: 1, d: { text: 'whole' } } });
    const damages: Record<string, string> = {
      empty: '',
      'cut off': whole.slice(0, -4),
      'no JSON': 'hello',
      null: 'null',
      'a number': '5',
      'an empty object': '{}',
      'without a value': '{"value":null}',
      'without a version': '{"value":{"d":{"text":"x"}}}',
      'of version 0': '{"value":{"v":0,"d":{"text":"x"}}}',
      'without its content': '{"value":{"v":1}}',
      'of the wrong shape': '{"value":{"v":1,"d":{"text":5}}}',
    };
    for (const [name, value] of Object.entries(damages)) {
      test(`a record that is ${name} is an error with its key, and its neighbours are still listed`, async () => {
        const { store, backend } = await fresh();
        await store.commit([record(note, 'a', { text: 'one' }), record(note, 'c', { text: 'three' })]);
        await backend.setMany([{ key: 'note:b', value }]);
        await assert.rejects(store.get(note, 'b'), isStoreError(/note:b/));
        const [a, b, c] = await store.list(note, '');
        assert.deepEqual([a?.id, a?.read()], ['a', { text: 'one' }]);
        assert.throws(() => b?.read(), isStoreError(/note:b .*damaged/));
        assert.deepEqual([c?.id, c?.read()], ['c', { text: 'three' }]);
      });
    }

    test('a record does not expire, whatever stands beside its value', async () => {
      const { store, backend } = await fresh();
      await backend.setMany([{ key: 'note:a', value: `{"value":{"v":1,"d":{"text":"x"}},"expires":1}` }]);
      assert.deepEqual(await store.get(note, 'a'), { text: 'x' });
      assert.deepEqual(await store.get(note, 'a'), { text: 'x' });
    });

    test('erased records are missing, the others stay, and to erase again is no error', async () => {
      const { store } = await fresh();
      await store.commit(['a', 'b', 'c'].map((id) => record(note, id, { text: id })));
      await store.erase(['note:a', 'note:c', 'note:a', 'note:never']);
      await store.erase(['note:a']);
      await store.erase([]);
      assert.equal(await store.get(note, 'a'), undefined);
      assert.deepEqual(
        (await store.list(note, '')).map(({ id }) => id),
        ['b'],
      );
      await store.commit([record(note, 'a', { text: 'again' })]);
      assert.deepEqual(await store.get(note, 'a'), { text: 'again' });
    });

    test('after closing everything is an error, and closing again is none', async () => {
      const { store } = await fresh();
      await store.close();
      await assert.rejects(store.get(note, 'a'), isStoreError(/closed/));
      await assert.rejects(store.list(note, ''), isStoreError(/closed/));
      await assert.rejects(store.commit([record(note, 'a', { text: '' })]), isStoreError(/closed/));
      await assert.rejects(store.commit([]), isStoreError(/closed/));
      await assert.rejects(store.erase([]), isStoreError(/closed/));
      await store.close();
    });

    test('closing waits for what was begun', async () => {
      const { store } = await fresh();
      const begun = [store.commit([record(note, 'a', { text: 'one' })]), store.get(note, 'a'), store.list(note, '')];
      await store.close();
      await Promise.all(begun);
    });
  });
}

/** The same by the plainest means: all ids, filtered and sorted by their bytes. */
function expected(
  ids: string[],
  prefix: string,
  range: { after?: string; limit?: number; reverse?: boolean },
): string[] {
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const order = (a: string, b: string) => (range.reverse ? bytes(b, a) : bytes(a, b));
  const { after } = range;
  return ids
    .filter((id) => id.startsWith(prefix) && (after === undefined || order(after, id) < 0))
    .sort(order)
    .slice(0, range.limit);
}
