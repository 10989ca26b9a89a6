import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import { refId } from './page.ts';

/** Edits and deletions that came before the message they are about: they wait for it. */

/** `at`: when the edit was made, where it is known. */
export type Late = { text: string; at: number } | 'deleted' | undefined;

const lateSchema = z.object({
  at: z.number(),
  text: z.string().optional(),
  /** The message has come and has the text now. */
  taken: z.boolean().optional(),
});

const lateKind: RecordKind<z.infer<typeof lateSchema>> = { name: 'late', version: 1, schema: lateSchema, upgrades: {} };

export function lateRecord(channel: ChannelId, messageId: string, at: number, text: string | undefined): StoredRecord {
  return record(lateKind, refId(channel, messageId), text === undefined ? { at } : { at, text });
}

/** The edit's text stands in the journal now, and nowhere else. */
export function takenRecord(channel: ChannelId, messageId: string, at: number): StoredRecord {
  return record(lateKind, refId(channel, messageId), { at, taken: true });
}

export async function readLate(store: Store, channel: ChannelId, messageId: string): Promise<Late> {
  const late = await store.get(lateKind, refId(channel, messageId));
  if (late === undefined || late.taken) return undefined;
  return late.text === undefined ? 'deleted' : { text: late.text, at: late.at };
}

/** Edits of a channel that wait for their message, as records that hold their text no more. */
export async function withoutLateTexts(store: Store, channel: ChannelId): Promise<StoredRecord[]> {
  const found = await store.list(lateKind, `${channel}:`);
  return found.flatMap((one) => {
    const late = one.read();
    return late.text === undefined ? [] : [record(lateKind, one.id, { at: late.at, taken: true })];
  });
}

interface UnwrittenEdit {
  messageId: string;
  at: number;
  text: string;
}

/**
 * Edits of messages that nobody wants remembered, as far as can be told: should the message yet turn out to be meant for
 * the bot, delivered after its edit, the edit is here. Never written down, and soon forgotten.
 */
export interface UnwrittenEdits {
  put(channel: ChannelId, edit: UnwrittenEdit): void;
  get(channel: ChannelId, messageId: string): Late;
  clear(): void;
}

const mostUnwritten = 500;
const unwrittenMs = 60_000;

export function createUnwrittenEdits(now: () => number): UnwrittenEdits {
  const edits = new Map<string, { text: string; at: number; until: number }>();
  return {
    put(channel, { messageId, at, text }) {
      const key = refId(channel, messageId);
      // Of two the later one stands, whichever comes last.
      if ((edits.get(key)?.at ?? at) > at) return;
      edits.delete(key);
      edits.set(key, { text, at, until: now() + unwrittenMs });
      for (const [oldest, { until }] of edits) {
        if (edits.size <= mostUnwritten && until > now()) break;
        edits.delete(oldest);
      }
    },
    get(channel, messageId) {
      const edit = edits.get(refId(channel, messageId));
      return edit === undefined || edit.until < now() ? undefined : { text: edit.text, at: edit.at };
    },
    clear: () => edits.clear(),
  };
}

const atOnce = 500;

/** Forgets those whose message never came. */
export async function sweepLate(store: Store, before: number, log: Pick<Log, 'error'>): Promise<void> {
  const old: string[] = [];
  let after: string | undefined;
  for (;;) {
    const found = await store.list(lateKind, '', after === undefined ? { limit: atOnce } : { limit: atOnce, after });
    for (const one of found) {
      try {
        if (one.read().at < before) old.push(`${lateKind.name}:${one.id}`);
      } catch (error) {
        // What cannot be read waits for nothing that could ever come; the others are due all the same.
        log.error({ error }, 'an early change cannot be read; it is dropped');
        old.push(`${lateKind.name}:${one.id}`);
      }
    }
    if (found.length < atOnce) break;
    after = found.at(-1)?.id;
  }
  if (old.length > 0) await store.erase(old);
}
