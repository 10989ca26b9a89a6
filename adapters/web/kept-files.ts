import { createHash } from 'node:crypto';
import type { Notice } from '../../src/event.ts';
import type { FileView } from './wire.ts';

/** Files that notices carried, for a while and up to a size, for whoever was told of them. */
export interface KeptFiles {
  /** `only`: the one person who may have them. The same `owner` again replaces what it had. */
  put(owner: string, files: Notice['files'], only: string | undefined): FileView[];
  get(id: string, person: string): KeptFile | undefined;
}

interface KeptFile {
  name: string;
  mime: string;
  content: Buffer<ArrayBuffer>;
}

const keptMs = 1_800_000;
const maxBytes = 64_000_000;

export function createKeptFiles(secret: string, now: () => number): KeptFiles {
  const kept = new Map<string, KeptFile & { only: string | undefined; at: number }>();
  let bytes = 0;

  function remove(id: string): void {
    bytes -= kept.get(id)?.content.length ?? 0;
    kept.delete(id);
  }

  function sweep(): void {
    for (const [id, { at }] of kept) {
      if (now() - at < keptMs && bytes <= maxBytes) return;
      remove(id);
    }
  }

  return {
    put(owner, files, only) {
      return files.map(({ name, mime, content, encoding }, index) => {
        // The same after a restart, and nothing that can be guessed.
        const id = createHash('sha256')
          .update(JSON.stringify([secret, owner, index]))
          .digest('hex')
          .slice(0, 32);
        remove(id);
        const data = Buffer.from(content, encoding ?? 'utf8');
        kept.set(id, { name, mime, content: data, only, at: now() });
        bytes += data.length;
        sweep();
        return { id, name, mime };
      });
    },
    get(id, person) {
      sweep();
      const found = kept.get(id);
      return found === undefined || (found.only !== undefined && found.only !== person) ? undefined : found;
    },
  };
}
