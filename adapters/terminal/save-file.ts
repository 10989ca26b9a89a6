import { writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';

const maxCopies = 100;

/** Puts a file beside those already there, never over one; returns what to tell the person. */
export async function saveFile(dir: string, file: { name: string; content: string }): Promise<string> {
  const { name, ext } = parse(file.name.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '') || 'file');
  for (let copy = 1; copy <= maxCopies; copy++) {
    const path = join(dir, `${name}${copy === 1 ? '' : `-${copy}`}${ext}`);
    try {
      // What was said is for the person at this terminal, whatever the umask.
      await writeFile(path, file.content, { flag: 'wx', mode: 0o600 });
      return `Saved as ${path}`;
    } catch (error) {
      if (!isTaken(error)) break; // the person is told that it was not saved
    }
  }
  return `⚠️ ${file.name} could not be saved in ${dir}.`;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
