import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';

/** What stands in the data files while a store has them open: their bytes, and their records by key. */

export function newDataFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'data-files-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const storeUrl = (folder: string): string => `sqlite:${path.join(folder, 'channelore.db')}`;

/** By another process: to close a file that SQLite has open in this one would drop its lock. */
export function bytesOf(folder: string): string {
  const files = readdirSync(folder).map((name) => path.join(folder, name));
  return execFileSync('cat', files, { encoding: 'latin1', maxBuffer: 1 << 30 });
}

/** Every record, by key, from a copy of the files. */
export function recordsOf(folder: string): Map<string, string> {
  const copies = mkdtempSync(path.join(tmpdir(), 'data-copies-'));
  try {
    for (const name of readdirSync(folder)) execFileSync('cp', [path.join(folder, name), path.join(copies, name)]);
    const db = new DatabaseSync(path.join(copies, 'channelore.db'));
    const rows = db.prepare('SELECT key, value FROM records').all();
    db.close();
    return new Map(rows.map(({ key, value }) => [String(key), String(value)]));
  } finally {
    rmSync(copies, { recursive: true });
  }
}

export function kindOf(key: string): string {
  return key.split(':', 1)[0] ?? '';
}

/** As it is, as UTF-16, and in base64 wherever it begins in the text around it. */
export function formsOf(word: string): string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.from(' '.repeat(before) + word).toString('base64');
    // What depends on its neighbours is left out.
    return text.slice(before === 0 ? 0 : 4, Math.floor(((before + word.length) * 8) / 6));
  });
  return [word, Buffer.from(word, 'utf16le').toString('latin1'), ...inBase64];
}

export function assertNowhere(text: string, word: string, where = 'the data files'): void {
  for (const form of formsOf(word)) assert.ok(!text.includes(form), `${word} is in ${where}, as ${form}`);
}
