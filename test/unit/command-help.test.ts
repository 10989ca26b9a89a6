import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandTable, helpText } from '../../src/commands/help.ts';
import { specs } from './command-specs.ts';

test('help lists for everybody what everybody may, in groups', () => {
  const lines = helpText(specs, { admin: false });
  assert.deepEqual(lines.slice(0, 5), [
    '`/role show` shows the role',
    '`/role set <text>` sets the role',
    '`/role clear` goes back to the usual role',
    '',
    '`/reset` starts anew',
  ]);
  assert.ok(lines.includes('`/usage [today|week|month] [by person|channel|model]` what was spent'));
  assert.ok(lines.includes('`/forget last <n>` erases your last messages'));
  assert.ok(!lines.join('\n').includes('export'));
  assert.notEqual(lines.at(0), '');
  assert.notEqual(lines.at(-1), '');
});

test('help shows admins also what is theirs alone, and says so', () => {
  const lines = helpText(specs, { admin: true });
  assert.equal(lines.filter((line) => line !== '').length, specs.length);
  assert.ok(lines.includes('`/settings set <name> <value>` changes a setting (admins)'));
  assert.ok(lines.join('\n').length <= 1900);
});

test("the README's table has a row for each command, with who may use it", () => {
  const rows = commandTable(specs).split('\n');
  assert.deepEqual(rows.slice(0, 2), ['| command | who | does |', '| --- | --- | --- |']);
  assert.equal(rows.length, specs.length + 2);
  for (const row of rows) assert.equal(row.replaceAll('\\|', '').split('|').length, 5, row);
  assert.ok(rows.includes('| `/role set <text>` | anyone, unless restricted | sets the role; *public* |'));
  assert.ok(rows.includes('| `/forget user <who>` | admins | erases all that somebody wrote; after a confirmation |'));
  assert.ok(rows.includes('| `/retry` | whoever asked, or an admin | answers again |'));
  assert.ok(
    rows.includes('| `/usage [today\\|week\\|month] [by person\\|channel\\|model]` | anyone | what was spent |'),
  );
});
