import { readFile, stat } from 'node:fs/promises';
import { type ServedFile, toServedFile } from './served-file.ts';
import { stripTypes } from './strip-types.ts';

/** What the browser loads of ours: modules without their types, styles and pictures, from one folder. */
export interface PageFiles {
  get(name: string): Promise<ServedFile | undefined>;
}

const folder = new URL('page/', import.meta.url);
/** No dots but the last: nothing outside of the folder has such a name. */
const names = /^(?:[a-z0-9-]+\/){0,3}[a-z0-9-]+\.(ts|css|svg)$/;

const types: Record<string, string> = {
  ts: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

export function createPageFiles(): PageFiles {
  const made = new Map<string, { stamp: string; file: Promise<ServedFile> }>();

  return {
    async get(name) {
      const ending = names.exec(name)?.[1] ?? '';
      const type = types[ending];
      if (type === undefined) return undefined;
      const url = new URL(name, folder);
      const found = await stat(url).catch(() => undefined);
      if (found === undefined || !found.isFile()) return undefined;
      const stamp = `${found.mtimeMs}:${found.size}`;
      const before = made.get(name);
      if (before?.stamp === stamp) return await before.file;
      const file = readPageFile(url, type);
      made.set(name, { stamp, file });
      file.catch(() => made.delete(name));
      return await file;
    },
  };
}

async function readPageFile(url: URL, type: string): Promise<ServedFile> {
  const content = await readFile(url);
  const isModule = url.pathname.endsWith('.ts');
  return toServedFile(isModule ? Buffer.from(stripTypes(content.toString())) : content, type);
}
