import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RecordKind } from '../storage/store.ts';

/**
 * What is known of a channel beside its journal. Written when something here changes, not at every turn.
 *
 * Turns are numbered through all epochs. A reset opens a new epoch and puts the spans that were live away; undo puts
 * them back before the newer ones. Nothing is copied: which turns are remembered follows from `live` alone.
 */

const spanSchema = z.object({
  epoch: z.number(),
  /** The first turn of the epoch; it lasts to the next span's first turn. */
  from: z.number(),
  /** In a thread: the parent's epoch at that time. The span is remembered only while the parent remembers that epoch. */
  parentEpoch: z.number().optional(),
});

const foldRefSchema = z.object({
  id: z.string(),
  epoch: z.number(),
  level: z.number(),
  /** First and last turn covered. */
  from: z.number(),
  to: z.number(),
  tokens: z.number(),
  /** What the messages it stands for take word for word. */
  covers: z.number().optional(),
});

export const changeSchema = z.object({
  at: z.number(),
  /** By name, as shown. */
  by: z.string(),
  /** The platform's id; records of older versions have the name alone. */
  person: z.string().optional(),
  what: z.string(),
  /** What the person wrote, where that is what was set: it goes with them. */
  words: z.string().optional(),
});

const awaySchema = z.object({
  live: z.array(spanSchema),
  folds: z.array(foldRefSchema),
  at: z.number(),
  /** A name, in records of older versions. */
  by: z.string().optional(),
});

const headSchema = z.object({
  live: z.array(spanSchema).min(1),
  away: z.array(awaySchema),
  /** The folds in use, by their first turn; they do not overlap. */
  folds: z.array(foldRefSchema),
  role: z.string().optional(),
  /** Who wrote the role: the platform's id. */
  roleBy: z.string().optional(),
  /** The name of the role that was chosen; never beside a role of its own. */
  preset: z.string().optional(),
  settings: z.record(z.string(), z.unknown()),
  people: z.record(z.string(), z.object({ name: z.string(), shown: z.string() })),
  /** Who changed role, settings or memory, newest last. */
  changes: z.array(changeSchema),
  /** What these said up to then is not taken in any more, though it may still wait to be: `*` is everybody. */
  forgotten: z.array(z.object({ person: z.string(), until: z.number() })).default([]),
  /** How the platform last showed the channel's name. */
  place: z.string().optional(),
  /** Between one person and the bot: shown to nobody else. */
  direct: z.boolean().optional(),
  /** Of a closed group of people: shown to nobody outside. */
  private: z.boolean().optional(),
  /** Of a thread: the parent's turn up to which it knows what the parent knew. */
  branch: z.object({ epoch: z.number(), seq: z.number() }).optional(),
});

export type Head = z.infer<typeof headSchema>;
export type Span = z.infer<typeof spanSchema>;
export type Change = z.infer<typeof changeSchema>;
export type FoldRef = z.infer<typeof foldRefSchema>;

export const headKind: RecordKind<Head> = { name: 'head', version: 1, schema: headSchema, upgrades: {} };

const maxChanges = 50;

export function newHead(parentEpoch?: number): Head {
  const span = parentEpoch === undefined ? { epoch: 1, from: 0 } : { epoch: 1, from: 0, parentEpoch };
  return { live: [span], away: [], folds: [], settings: {}, people: {}, changes: [], forgotten: [] };
}

export function withChange<T extends { changes: Change[] }>(changed: T, change: Change): T {
  return { ...changed, changes: [...changed.changes, change].slice(-maxChanges) };
}

/** The span that new turns go to. */
export function openSpan(head: Head): Span {
  const last = head.live.at(-1);
  if (last === undefined) throw new RangeError('a head without a span');
  return last;
}

/** What a channel remembers now: spans and folds, less what a reset of its parent hides. */
export interface View {
  spans: Span[];
  folds: FoldRef[];
}

export function viewOf(head: Head, parent: Head | undefined): View {
  if (parent === undefined) return { spans: head.live, folds: head.folds };
  const known = new Set(parent.live.map((span) => span.epoch));
  const spans = head.live.filter((span) => span.parentEpoch !== undefined && known.has(span.parentEpoch));
  const epochs = new Set(spans.map((span) => span.epoch));
  return { spans, folds: head.folds.filter((fold) => epochs.has(fold.epoch)) };
}

/** Whether what a thread's branch points at is still remembered by its parent. */
export function branchSeq(head: Head, parent: Head | undefined): number | undefined {
  if (parent === undefined || head.branch === undefined) return undefined;
  const { epoch, seq } = head.branch;
  return parent.live.some((span) => span.epoch === epoch) ? seq : undefined;
}

export interface Range {
  epoch: number;
  from: number;
  to: number;
}

/** The stretches of turns that are remembered, one an epoch, oldest first. `nextSeq` ends the open one. */
export function liveRanges(head: Head, view: View, nextSeq: number): Range[] {
  const all = [...head.live, ...head.away.flatMap((put) => put.live)].sort(
    (a, b) => a.from - b.from || a.epoch - b.epoch,
  );
  const remembered = new Set(view.spans.map((span) => span.epoch));
  return all
    .map((span, n) => ({ epoch: span.epoch, from: span.from, to: (all[n + 1]?.from ?? nextSeq) - 1 }))
    .filter((range) => remembered.has(range.epoch) && range.from <= range.to);
}

/** The remembered stretches that no fold covers, oldest first. */
export function uncoveredRanges(ranges: readonly Range[], folds: readonly FoldRef[]): Range[] {
  return ranges.flatMap((range) => {
    const open: Range[] = [];
    let from = range.from;
    for (const fold of folds) {
      if (fold.to < from || fold.from > range.to) continue;
      if (fold.from > from) open.push({ epoch: range.epoch, from, to: fold.from - 1 });
      from = Math.max(from, fold.to + 1);
    }
    if (from <= range.to) open.push({ epoch: range.epoch, from, to: range.to });
    return open;
  });
}

const maxForgotten = 50;

export function withForgotten(head: Head, person: string | undefined, until: number): Head {
  const mark = { person: person === undefined ? '*' : personHash(person), until };
  return { ...head, forgotten: [...head.forgotten, mark].slice(-maxForgotten) };
}

/** Who wanted to be forgotten is not written down by name or id. */
export function isForgotten(head: Head, person: string, at: number): boolean {
  const hash = head.forgotten.length === 0 ? '' : personHash(person);
  return head.forgotten.some((mark) => at <= mark.until && (mark.person === '*' || mark.person === hash));
}

function personHash(person: string): string {
  return createHash('sha256').update(person).digest('hex').slice(0, 16);
}
