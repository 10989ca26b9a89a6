import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import type { FoldRef } from './head.ts';
import { epochPrefix } from './page.ts';

/** Folds as they are stored: immutable, and kept after a higher one took their place, until they are erased. */

const foldSchema = z.object({
  epoch: z.number(),
  level: z.number(),
  from: z.number(),
  to: z.number(),
  text: z.string(),
  tokens: z.number(),
  /** What the messages it stands for take word for word. */
  covers: z.number().optional(),
  at: z.number(),
  model: z.string(),
});

export type Fold = z.infer<typeof foldSchema>;

export const foldKind: RecordKind<Fold> = { name: 'fold', version: 1, schema: foldSchema, upgrades: {} };

/** Another one each time: what erases a fold late must not meet the one that was written in its place. */
export function foldId(channel: ChannelId, fold: Pick<Fold, 'epoch' | 'from' | 'to' | 'level' | 'at'>): string {
  return `${epochPrefix(channel, fold.epoch)}${fold.from}-${fold.to}-${fold.level}-${fold.at}-${randomUUID().slice(0, 8)}`;
}

export function toFoldRef(id: string, fold: Fold): FoldRef {
  const { epoch, level, from, to, tokens, covers } = fold;
  return { id, epoch, level, from, to, tokens, ...(covers !== undefined && { covers }) };
}

/** Committed with whatever makes a fold void: nothing finds its text any more, though its record is erased only then. */
export function emptiedFold({ ref, fold }: StoredFold): StoredRecord {
  return record(foldKind, ref.id, { ...fold, text: '', tokens: 0 });
}

const maxCached = 4000;

export interface StoredFold {
  ref: FoldRef;
  fold: Fold;
}

export interface FoldTexts {
  /** In the order of the references. */
  texts(refs: readonly FoldRef[]): Promise<(FoldRef & { text: string })[]>;
  /** Every fold of a channel, in use or not, unless it is about to be erased. */
  all(channel: ChannelId): Promise<StoredFold[]>;
  forget(ids: readonly string[]): void;
}

export function createFoldTexts(store: Store): FoldTexts {
  const cached = new Map<string, string>();

  async function text(id: string): Promise<string> {
    const known = cached.get(id);
    if (known !== undefined) return known;
    const fold = await store.get(foldKind, id);
    // The head never names a fold that is not there; one that vanished says nothing, its turns are in the journal.
    const found = fold?.text ?? '';
    cached.set(id, found);
    const oldest = cached.keys().next().value;
    if (cached.size > maxCached && oldest !== undefined) cached.delete(oldest);
    return found;
  }

  return {
    async texts(refs) {
      return await Promise.all(refs.map(async (ref) => ({ ...ref, text: await text(ref.id) })));
    },
    async all(channel) {
      const found = await store.list(foldKind, `${channel}:`);
      return found
        .map((one) => ({ id: one.id, fold: one.read() }))
        .filter(({ fold }) => fold.text !== '')
        .map(({ id, fold }) => ({ ref: toFoldRef(id, fold), fold }));
    },
    forget(ids) {
      for (const id of ids) cached.delete(id);
    },
  };
}

/**
 * The folds to use where some had to go: of those that are left, the highest that cover what is not covered. Lower ones
 * that had been replaced serve again.
 */
export function coverWith(folds: readonly FoldRef[]): FoldRef[] {
  const byHeight = [...folds].sort((a, b) => b.level - a.level || a.from - b.from);
  const chosen: FoldRef[] = [];
  for (const fold of byHeight) {
    if (chosen.every((other) => other.to < fold.from || fold.to < other.from)) chosen.push(fold);
  }
  return chosen.sort((a, b) => a.from - b.from);
}
