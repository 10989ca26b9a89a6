import type { LiveEvent } from './wire.ts';

/** The last events of one channel and its threads, as they go over the wire: whoever was away reads them again. */
interface LiveEntry {
  seq: number;
  text: string;
  /** The one person it is for. */
  only: string | undefined;
  /** It repeats what was said in the channel. */
  isTalk: boolean;
}

export interface LiveRing {
  push(entry: LiveEntry): void;
  /** What came after `seq`, oldest first, up to `maxChars`; nothing where some of it is gone. */
  after(seq: number, maxChars: number): readonly LiveEntry[] | undefined;
  /** The talk in it is not to be read again: whoever has not read all of it has missed something. */
  dropTalk(): void;
}

const maxEntries = 2_000;
const maxChars = 1_000_000;

export function createLiveRing(from: number): LiveRing {
  let entries: LiveEntry[] = [];
  let chars = 0;
  /** The newest that is gone. */
  let gone = from;

  function isFull(): boolean {
    return entries.length > maxEntries || (chars > maxChars && entries.length > 1);
  }

  function shrink(): void {
    if (!isFull()) return;
    let count = 0;
    // In one go down to half: taking one from the front of an array moves all others.
    while (count < entries.length - 1 && (entries.length - count > maxEntries / 2 || chars > maxChars / 2)) {
      chars -= entries[count]?.text.length ?? 0;
      gone = entries[count]?.seq ?? gone;
      count += 1;
    }
    entries = entries.slice(count);
  }

  return {
    push(entry) {
      entries.push(entry);
      chars += entry.text.length;
      shrink();
    },
    after(seq, most) {
      if (seq < gone) return undefined;
      const found: LiveEntry[] = [];
      let size = 0;
      for (let n = firstAfter(entries, seq); n < entries.length && size < most; n++) {
        const entry = entries[n];
        if (entry === undefined) break;
        found.push(entry);
        size += entry.text.length;
      }
      return found;
    },
    dropTalk() {
      const last = entries.findLastIndex((one) => one.isTalk);
      gone = entries[last]?.seq ?? gone;
      entries = entries.slice(last + 1);
      chars = entries.reduce((sum, one) => sum + one.text.length, 0);
    },
  };
}

function firstAfter(entries: readonly LiveEntry[], seq: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As server-sent events are written. */
export function toEventText(id: string, event: LiveEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
