import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { drawTables } from '../../adapters/discord/tables.ts';

const drawn = (text: string, maxChars = 2000): string => drawTables(text, maxChars).text;

test('a table is aligned in a code block, numbers at the right where the table says so', () => {
  const table = '| Drink | Cost |\n|---|---:|\n| **Coffee** | 3 |\n| `Tea` with milk | 12 |';
  assert.equal(
    drawn(`Here:\n\n${table}\n\nThat is all.`),
    'Here:\n\n```\nDrink          Cost\n─────────────  ────\nCoffee            3\nTea with milk    12\n```\n\nThat is all.',
  );
});

test('wide characters take two columns, and a table needs no bars at its ends', () => {
  assert.equal(drawn('名前 | n\n:-- | --\n東京 | 1\nx | 2'), '```\n名前  n\n────  ─\n東京  1\nx     2\n```');
});

test('what is too wide, and what holds links, is a list a row', () => {
  const long = 'a description that goes on and on, for much longer than a screen';
  assert.equal(drawn(`| Name | What |\n|-|-|\n| One | ${long} |\n| **Two** | |`), `**One**\n- What: ${long}\n**Two**`);
  assert.equal(
    drawn('| Name | Link |\n|-|-|\n| One | [here](https://example.org) |'),
    '**One**\n- Link: [here](https://example.org)',
  );
});

test('a bar after a backslash belongs to its cell, and cells that are missing are empty', () => {
  assert.equal(drawn('|a|b|\n|-|-|\n|x\\|y|\n|1|2|'), '```\na    b\n───  ─\nx|y\n1    2\n```');
});

test('code, and lines that are no table, stay as they are', () => {
  for (const text of [
    '```\n| a | b |\n|---|---|\n| 1 | 2 |\n```',
    '~~~md\n| a | b |\n|---|---|\n~~~',
    '    ```\n| a | b |\n|---|---|\n```',
    'a | b\nc | d',
    '| a | b |\n|---|\n| 1 | 2 |',
    'true || false\n---',
    '- a\n- b',
    '',
  ]) {
    assert.equal(drawn(text), text);
  }
});

test('a message does not grow beyond its limit; then the table is a list, or stays as it is', () => {
  const table = `| Name | Value |\n|-|-|\n${Array.from({ length: 40 }, (_, n) => `|${n}|${'x'.repeat(n)}|`).join('\n')}`;
  assert.equal(drawn(table, table.length), table);
  const text = fc.array(fc.constantFrom('| a |', '|-|', '\n', 'x', '| |', '```\n', '漢', ' ', '**'), { maxLength: 60 });
  fc.assert(
    fc.property(text, fc.nat(40), (parts, more) => {
      const said = parts.join('');
      assert.ok(drawn(said, said.length + more).length <= said.length + more);
    }),
  );
});

test('rows that the next message begins with are drawn with the columns of the one before', () => {
  const first = drawTables('| Drink | Cost |\n|-|-:|\n| Coffee | 3 |\n', 2000);
  assert.deepEqual(first.open, { titles: ['Drink', 'Cost'], atRight: [false, true] });
  const second = drawTables('| Tea | 12 |\n\nDone.', 2000, first.open);
  assert.deepEqual(second, { text: '```\nTea  12\n```\n\nDone.', open: undefined });
  assert.equal(drawTables('Done.', 2000, first.open).text, 'Done.');
});
