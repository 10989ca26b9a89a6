import { statSync } from 'node:fs';
import type { Log } from './log.ts';

/** Warns of files with secrets, or with what people said, that other users of this machine can read. */
export function warnOfOpenFiles(files: readonly string[], log: Pick<Log, 'warn'>): void {
  // Rights mean something else on Windows.
  if (process.platform === 'win32') return;
  for (const file of files) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode === undefined || (mode & 0o077) === 0) continue;
    const rights = (mode & 0o777).toString(8);
    log.warn({ file, rights }, `other users of this machine can read ${file}: run chmod 600 ${file}`);
  }
}
