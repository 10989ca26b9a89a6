import type { FoldRef, Range } from './head.ts';
import type { Turn } from './turn.ts';
import { type FoldLimits, planFold } from './window.ts';
import { toTranscript } from './wire.ts';

/** What the next fold is to be written from. Pure. */

/** Of turns as they were said, or of folds that become one. */
export type Batch = TurnBatch | FoldsBatch;

interface Covered {
  level: number;
  epoch: number;
  from: number;
  to: number;
  /** What the prompt no longer carries when the fold is in it. */
  tokens: number;
}

/** It stands on the revisions of these turns. */
export interface TurnBatch extends Covered {
  of: 'turns';
  turns: Turn[];
}

/** It stands on these folds being in use, and on these revisions of the turns that no fold holds. */
export interface FoldsBatch extends Covered {
  of: 'folds';
  replaces: FoldRef[];
  between: Turn[];
}

export interface Unfolded {
  /** Spoken, oldest first. */
  turns: readonly Turn[];
  rawTokens: number;
  /** The stretches they stand in. */
  ranges: readonly Range[];
  folds: readonly FoldRef[];
}

/** A forgotten stretch shorter than this costs less as it is than as a fold. */
const smallestGap = 200;
/** A transcript's line says when, and who. */
const lineTokens = 16;

/** The oldest turns that are due, whole ones up to `mostTokens`, of one epoch and not from both sides of a fold. */
export function planTurnBatch(open: Unfolded, limits: FoldLimits, mostTokens: number): TurnBatch | undefined {
  const { turns, ranges } = open;
  const due = turns.slice(0, dueTurns(open, limits));
  const oldest = due[0]?.seq ?? -1;
  const range = ranges.find((one) => one.from <= oldest && oldest <= one.to);
  if (range === undefined) return undefined;
  const within = due.filter((turn) => turn.seq <= range.to);
  const batch = upTo(within, mostTokens);
  const last = batch.at(-1);
  if (last === undefined) return undefined;
  // Unspoken turns at the edges belong to the fold, else they would remain as gaps of their own.
  const next = turns.find((turn) => turn.seq > last.seq && turn.seq <= range.to);
  const isClosed = within.length === batch.length && range !== ranges.at(-1);
  const to = next === undefined ? (isClosed ? range.to : last.seq) : next.seq - 1;
  return { of: 'turns', level: 1, epoch: range.epoch, from: range.from, to, tokens: sum(batch), turns: batch };
}

/** Past the watermark, or before the newest fold: what is left of a fold that an erasure or an edit took. */
function dueTurns({ turns, rawTokens, folds }: Unfolded, limits: FoldLimits): number {
  const cut = planFold(turns, rawTokens, limits);
  const lastFold = folds.at(-1);
  const gap = lastFold === undefined ? [] : turns.filter((turn) => turn.seq < lastFold.from);
  return sum(gap) >= smallestGap ? Math.max(cut, gap.length) : cut;
}

/** A single turn that is larger goes alone. */
function upTo(turns: readonly Turn[], mostTokens: number): Turn[] {
  let tokens = 0;
  const beyond = turns.findIndex((turn, n) => {
    tokens += turn.tokens + lineTokens;
    return n > 0 && tokens > mostTokens;
  });
  return beyond === -1 ? [...turns] : turns.slice(0, beyond);
}

export function turnsText(batch: TurnBatch): string {
  return batch.turns.map((turn) => toTranscript(turn)).join('\n');
}

export function foldsText(batch: FoldsBatch, texts: readonly string[]): string {
  const folds = batch.replaces.map((fold, n) => ({ from: fold.from, text: texts[n] ?? '' }));
  const turns = batch.between.map((turn) => ({ from: turn.seq, text: toTranscript(turn) }));
  const inOrder = [...folds, ...turns].sort((a, b) => a.from - b.from);
  return inOrder.map((one) => one.text).join('\n\n');
}

/**
 * When folds together take more than their share, neighbours become one of the next level: the oldest run of the lowest
 * level that has one, else the two lowest. So the number of times that a word is summarised grows like a logarithm. What
 * stands between them word for word, too little for a fold of its own, goes into it.
 */
export function planFoldsBatch(
  { folds, turns }: Pick<Unfolded, 'folds' | 'turns'>,
  share: number,
): FoldsBatch | undefined {
  if (sum(folds) <= share || folds.length < 2) return undefined;
  const runs = toRuns(folds).filter((run) => run.length >= 2);
  const replaces = lowest(runs) ?? lowest(folds.slice(1).map((fold, n) => [folds[n] ?? fold, fold])) ?? [];
  const [first, last] = [replaces[0], replaces.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const between = turns.filter((turn) => first.from < turn.seq && turn.seq < last.to);
  return {
    of: 'folds',
    level: heightOf(replaces) + 1,
    epoch: last.epoch,
    from: first.from,
    to: last.to,
    tokens: sum(replaces) + sum(between),
    replaces,
    between,
  };
}

/** Neighbours of one level; the newest fold stays as it is where its run is long enough without it. */
function toRuns(folds: readonly FoldRef[]): FoldRef[][] {
  const runs: FoldRef[][] = [];
  for (const fold of folds) {
    const run = runs.at(-1);
    if (run !== undefined && run[0]?.level === fold.level) run.push(fold);
    else runs.push([fold]);
  }
  const newest = runs.at(-1);
  if (newest !== undefined && newest.length > 2) newest.pop();
  return runs;
}

/** Of several the oldest. */
function lowest(candidates: readonly FoldRef[][]): FoldRef[] | undefined {
  let best: FoldRef[] | undefined;
  for (const one of candidates) if (best === undefined || heightOf(one) < heightOf(best)) best = one;
  return best;
}

function heightOf(folds: readonly FoldRef[]): number {
  return Math.max(...folds.map((fold) => fold.level));
}

function sum(items: readonly { tokens: number }[]): number {
  return items.reduce((total, item) => total + item.tokens, 0);
}
