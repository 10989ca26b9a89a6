import { createHash } from 'node:crypto';
import type { ChannelId, Notice } from '../../src/event.ts';
import { familyOf } from './live.ts';
import type { FileView } from './wire.ts';

/**
 * Files that notices carried, for a while and up to a size, for whoever was told of them. They were made from a channel's
 * memory and go when that changes: what was taken back is not to be had from an export of before.
 */
export interface KeptFiles {
  /** To be asked before a file begins to be made. */
  moment(): number;
  put(of: Origin, files: Notice['files']): FileView[];
  /** The memory of the channel, of one of its threads or of its parent has changed. */
  drop(channel: ChannelId): void;
  get(id: string, person: string): KeptFile | undefined;
}

interface Origin {
  /** What brought them; the same again replaces what it had. */
  owner: string;
  channel: ChannelId;
  /** The moment before they were made. */
  since: number;
  /** The one person who may have them. */
  only: string | undefined;
}

interface KeptFile {
  name: string;
  mime: string;
  content: Buffer<ArrayBuffer>;
}

const keptMs = 1_800_000;
const maxBytes = 64_000_000;
const maxDrops = 1_000;

export function createKeptFiles(secret: string, now: () => number): KeptFiles {
  const kept = new Map<string, KeptFile & { only: string | undefined; family: ChannelId; at: number }>();
  let bytes = 0;
  let drops = 0;
  /** When what was made from a channel was dropped last; where that is not known any more, `droppedBefore`. */
  const dropped = new Map<ChannelId, number>();
  let droppedBefore = 0;

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
    moment: () => drops,
    put({ owner, channel, since, only }, files) {
      const family = familyOf(channel);
      if ((dropped.get(family) ?? droppedBefore) > since) return [];
      return files.map(({ name, mime, content, encoding }, index) => {
        // The same after a restart, and nothing that can be guessed.
        const id = createHash('sha256')
          .update(JSON.stringify([secret, owner, index]))
          .digest('hex')
          .slice(0, 32);
        remove(id);
        const data = Buffer.from(content, encoding ?? 'utf8');
        kept.set(id, { name, mime, content: data, only, family, at: now() });
        bytes += data.length;
        sweep();
        return { id, name, mime };
      });
    },
    drop(channel) {
      const family = familyOf(channel);
      for (const [id, file] of kept) if (file.family === family) remove(id);
      drops += 1;
      dropped.delete(family);
      dropped.set(family, drops);
      const [oldest] = dropped;
      if (dropped.size <= maxDrops || oldest === undefined) return;
      dropped.delete(oldest[0]);
      droppedBefore = oldest[1];
    },
    get(id, person) {
      sweep();
      const found = kept.get(id);
      return found === undefined || (found.only !== undefined && found.only !== person) ? undefined : found;
    },
  };
}
