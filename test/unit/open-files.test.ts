import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { saveFile } from '../../adapters/terminal/save-file.ts';
import { warnOfOpenFiles } from '../../src/open-files.ts';

test('a file that others can read is warned of, one that its owner alone can read is not, nor is one that is not there', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'channelore-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [open, closed] = [path.join(folder, 'open.db'), path.join(folder, 'closed.db')];
  for (const file of [open, closed]) writeFileSync(file, '');
  chmodSync(open, 0o644);
  chmodSync(closed, 0o600);
  const warned: string[] = [];
  warnOfOpenFiles([open, closed, path.join(folder, 'none')], { warn: (_fields, message) => void warned.push(message) });
  assert.deepEqual(warned, [`other users of this machine can read ${open}: run chmod 600 ${open}`]);
});

test('an export in the terminal can be read by its owner alone, and never replaces a file', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'channelore-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const before: string[] = [];
  for (const name of ['memory.json', 'memory-2.json']) {
    assert.equal(await saveFile(folder, { name: 'memory.json', content: name }), `Saved as ${path.join(folder, name)}`);
    before.push(name);
  }
  const warned: string[] = [];
  warnOfOpenFiles(
    before.map((name) => path.join(folder, name)),
    { warn: (_fields, message) => void warned.push(message) },
  );
  assert.deepEqual(warned, []);
});
