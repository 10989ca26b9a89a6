import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Preset, parsePreset } from './preset.ts';

/** The presets of a folder, as its files are now: what was changed holds at the next question. */
export interface Presets {
  find(name: string): Promise<Preset | undefined>;
  all(): Promise<readonly Preset[]>;
  /** Those last seen, at once: for completion. */
  names(): readonly string[];
}

export const noPresets: Presets = { find: async () => undefined, all: async () => [], names: () => [] };

interface Known {
  /** When and how large it was. */
  stamp: string;
  preset: Preset | undefined;
}

const mostFiles = 200;
const maxBytes = 200_000;

export function createPresets({ dir, log }: { dir: string; log: Log }): Presets {
  const files = new Map<string, Known>();
  const told = new Set<string>();
  let byName = new Map<string, Preset>();
  let looking: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  async function look(): Promise<void> {
    const names = await fileNames();
    for (const gone of [...files.keys()].filter((file) => !names.includes(file))) files.delete(gone);
    await Promise.all(names.map(lookAt));
    byName = named(names);
  }

  async function fileNames(): Promise<string[]> {
    try {
      const names = await readdir(dir);
      return names
        .filter((name) => name.endsWith('.md') && name !== 'README.md')
        .sort()
        .slice(0, mostFiles);
    } catch (error) {
      if (isMissing(error)) log.debug({ dir }, 'there is no folder of roles');
      else warnOnce(dir, '', error, 'the folder of roles cannot be read; there are no presets');
      return [];
    }
  }

  async function lookAt(file: string): Promise<void> {
    let stamp = '';
    try {
      const where = path.join(dir, file);
      const { mtimeMs, size } = await stat(where);
      stamp = `${mtimeMs} ${size}`;
      if (files.get(file)?.stamp === stamp) return;
      if (size > maxBytes) throw new BotError('config', `it is larger than ${maxBytes} bytes`);
      files.set(file, { stamp, preset: parsePreset(await readFile(where, 'utf8')) });
    } catch (error) {
      files.set(file, { stamp, preset: undefined });
      warnOnce(file, stamp, error, 'a file of a role is broken and passed over');
    }
  }

  function named(names: readonly string[]): Map<string, Preset> {
    const found = new Map<string, Preset>();
    for (const file of names) {
      const { preset, stamp = '' } = files.get(file) ?? {};
      if (preset === undefined) continue;
      if (!found.has(preset.name)) found.set(preset.name, preset);
      else warnOnce(file, stamp, undefined, `another file has the role ${preset.name}; this one is passed over`);
    }
    return found;
  }

  /** Until it changes again. */
  function warnOnce(file: string, stamp: string, error: unknown, words: string): void {
    const key = [file, stamp, words].join('\n');
    if (told.has(key)) return;
    for (const older of told) if (older.startsWith(`${file}\n`)) told.delete(older);
    told.add(key);
    const problem = error instanceof BotError ? error.message : undefined;
    log.warn({ file, problem, ...(problem === undefined && { error }) }, words);
  }

  /** After a look that begins now: one that is under way may have passed over what has just changed. */
  async function current(): Promise<Map<string, Preset>> {
    next ??= looking.then(async () => {
      next = undefined;
      looking = look();
      await looking;
    });
    await next;
    return byName;
  }

  // What is broken is named at the start, and completion knows the names from the start.
  void current();

  return {
    find: async (name) => (await current()).get(name),
    all: async () => [...(await current()).values()],
    names() {
      void current();
      return [...byName.keys()];
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
