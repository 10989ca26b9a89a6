import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/** Who may import whom. The core knows no platform; adapters know the core's leaves; simulators know nothing of ours. */

const root = path.resolve(import.meta.dirname, '../..');
const leaves = ['src/event.ts', 'src/errors.ts', 'src/log.ts'];
/** Where the parts are put together. */
const composition = ['src/program.ts', 'src/config.ts'];
const platforms = /discord|slack|snowflake|thread_ts/i;

function filesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(folder, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
  return found.map((name) => (name.startsWith('.') ? path.posix.join(path.posix.dirname(file), name) : name));
}

test('the core names no platform outside of where the parts are put together', () => {
  for (const file of filesIn('src').filter((name) => !composition.includes(name))) {
    assert.doesNotMatch(readFileSync(path.join(root, file), 'utf8'), platforms, file);
  }
});

test('the core imports no adapter outside of where the parts are put together', () => {
  for (const file of filesIn('src').filter((name) => !composition.includes(name))) {
    assert.deepEqual(
      importsOf(file).filter((name) => name.startsWith('adapters/')),
      [],
      file,
    );
  }
});

test('an adapter imports the leaves of the core, its own files and packages, and no other adapter', () => {
  for (const file of filesIn('adapters')) {
    const own = file.split('/').slice(0, 2).join('/');
    const foreign = importsOf(file).filter(
      (name) =>
        (name.startsWith('src/') && !leaves.includes(name)) ||
        (name.startsWith('adapters/') && !name.startsWith(`${own}/`)),
    );
    assert.deepEqual(foreign, [], file);
  }
});

test('Keyv is known to one file, and the chat API to the model folder', () => {
  const users = (name: string): string[] =>
    filesIn('src').filter((file) => importsOf(file).some((one) => one === name || one.startsWith(`${name}/`)));
  assert.deepEqual(users('keyv'), ['src/storage/store.ts']);
  assert.deepEqual(
    users('openai').filter((file) => !file.startsWith('src/model/')),
    [],
  );
});

test('simulators import nothing of ours', () => {
  for (const file of filesIn('test/sim')) {
    assert.deepEqual(
      importsOf(file).filter((name) => /^(src|adapters)\//.test(name)),
      [],
      file,
    );
  }
});

test('what a folder of the core builds on does not build on it', () => {
  const order = ['storage', 'model', 'inbox', 'usage', 'conversation', 'turn', 'commands'];
  for (const [rank, folder] of order.entries()) {
    const above = order.slice(rank + 1).map((name) => `src/${name}/`);
    for (const file of filesIn(`src/${folder}`)) {
      const upward = importsOf(file).filter((name) => above.some((one) => name.startsWith(one)));
      assert.deepEqual(upward, [], file);
    }
  }
});
