import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import type { NoteDamage } from './damage-log.ts';
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
  /** In the order of the references. Throws where one of them cannot be read: a lost summary is no empty one. */
  texts(refs: readonly FoldRef[]): Promise<(FoldRef & { text: string })[]>;
  /** Those of them that are lost or damaged, each logged once. */
  unreadable(refs: readonly FoldRef[]): Promise<FoldRef[]>;
  /** Every fold of a channel, in use or not, that can be read, unless it is about to be erased. */
  all(channel: ChannelId): Promise<StoredFold[]>;
  forget(ids: readonly string[]): void;
}

export function createFoldTexts(store: Store, noteDamage: NoteDamage): FoldTexts {
  const cached = new Map<string, string>();

  async function text(id: string): Promise<string> {
    const known = cached.get(id);
    if (known !== undefined) return known;
    const found = (await store.get(foldKind, id))?.text;
    if (found === undefined) throw lost(id);
    // Emptied this moment: what asks for it is about to be interrupted, and asks the head again.
    if (found === '') return found;
    cached.set(id, found);
    const oldest = cached.keys().next().value;
    if (cached.size > maxCached && oldest !== undefined) cached.delete(oldest);
    return found;
  }

  return {
    async texts(refs) {
      return await Promise.all(refs.map(async (ref) => ({ ...ref, text: await text(ref.id) })));
    },
    async unreadable(refs) {
      const found = await Promise.all(
        refs.map(async (ref) => {
          try {
            if ((await text(ref.id)) === '') throw lost(ref.id);
            return [];
          } catch (error) {
            if (!(error instanceof BotError && error.kind === 'damaged')) throw error;
            noteDamage(`${foldKind.name}:${ref.id}`, error);
            return [ref];
          }
        }),
      );
      return found.flat();
    },
    async all(channel) {
      const found = await store.list(foldKind, `${channel}:`);
      return found.flatMap((one) => {
        try {
          const fold = one.read();
          return fold.text === '' ? [] : [{ ref: toFoldRef(one.id, fold), fold }];
        } catch (error) {
          noteDamage(`${foldKind.name}:${one.id}`, error);
          return [];
        }
      });
    },
    forget(ids) {
      for (const id of ids) cached.delete(id);
    },
  };
}

function lost(id: string): BotError {
  return new BotError('damaged', `the record ${foldKind.name}:${id} is lost`);
}

/**
 * The folds in use without those that cannot be read. Lower ones that these had replaced serve again; what none covers is
 * read word for word.
 */
export async function readableFolds(
  folds: Pick<FoldTexts, 'unreadable' | 'all'>,
  channel: ChannelId,
  inUse: FoldRef[],
): Promise<FoldRef[]> {
  const gone = await folds.unreadable(inUse);
  if (gone.length === 0) return inUse;
  const isBelow = (ref: FoldRef): boolean =>
    gone.some((above) => above.epoch === ref.epoch && above.from <= ref.from && ref.to <= above.to);
  const below = (await folds.all(channel)).map(({ ref }) => ref).filter(isBelow);
  const left = inUse.filter((ref) => !gone.includes(ref));
  return [...left, ...coverWith(below)].sort((a, b) => a.from - b.from);
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
