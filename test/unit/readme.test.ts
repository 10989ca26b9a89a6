import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { commandTable } from '../../src/commands/help.ts';
import { commands } from '../../src/commands/list.ts';
import { settingNames } from '../../src/commands/settings.ts';

const root = path.resolve(import.meta.dirname, '../..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');

function section(heading: string): string {
  const [, rest = ''] = readme.split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0] ?? '';
}

test('the README lists the commands there are, as the program lists them', () => {
  const [, shown = ''] = /<!-- commands -->\n([\s\S]*?)\n<!-- \/commands -->/.exec(readme) ?? [];
  assert.equal(shown, commandTable(commands));
});

test('the README names the settings there are', () => {
  const paragraph = section('Commands').slice(section('Commands').indexOf('\nSettings,'));
  const named = [...paragraph.matchAll(/`([a-z_]+)`/g)].map((match) => match[1]);
  assert.deepEqual(named, settingNames);
});

test("every path in the README's Architecture section exists", () => {
  const paths = section('Architecture').match(/\b(src|adapters|test|bench)(\/[\w.-]+)*/g) ?? [];
  assert.ok(paths.length > 10, 'the section names paths');
  assert.deepEqual(
    paths.filter((one) => !existsSync(path.join(root, one))),
    [],
  );
});

test('every file that the README links to exists', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '');
  assert.ok(links.length > 0);
  assert.deepEqual(
    links.filter((one) => !existsSync(path.join(root, one))),
    [],
  );
});
