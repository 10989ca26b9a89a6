/**
 * Which turn goes on from which, and which belong to one sitting. A turn is found by what was said around it, and what
 * was said around it need not stand beside it: in a busy channel several talks run at once, and the neighbours are
 * other people's.
 */

/** What is known of a turn beside its words. */
export interface LinkedTurn {
  /** Its place in the talk; they are added in this order. */
  slot: number;
  /** In seconds. */
  at: number;
  /** In words. */
  length: number;
  /** Whoever said it. */
  speaker: string;
  /** The slot of the turn it answers, where that is known. */
  answers: number | undefined;
  /** The speaker whom it calls by name at its beginning. */
  calls: string | undefined;
}

/** By slot, `nowhere` for none. */
export interface Links {
  add(turn: LinkedTurn): void;
  /** The turn it goes on from. */
  readonly before: readonly number[];
  /** The first turn that goes on from it, and the next one that goes on from the same. */
  readonly after: readonly number[];
  readonly beside: readonly number[];
  /** The first turn of its sitting. */
  readonly sitting: readonly number[];
  /** How many words were said in a sitting, by its first turn. */
  readonly sittings: ReadonlyMap<number, number>;
}

export const nowhere = -1;

/** A silence this long ends a sitting, as it makes a prompt say what time it is. */
const sittingGapSeconds = 30 * 60;
/** Where nobody is ever silent for so long, a sitting this long is about many things: the next one begins. */
const longestSitting = 40;
/** Two who called each other by name are taken to go on together until this many turns passed without them. */
const reach = 20;
/** Whoever is called by name is answered, though others may have spoken for a while; later it is something new. */
const callReach = 100;
/** A thousand answers to one turn say no more about it than the first few. */
const mostAfter = 8;

export function createLinks(): Links {
  const before: number[] = [];
  const after: number[] = [];
  const beside: number[] = [];
  const sitting: number[] = [];
  const sittings = new Map<number, number>();
  const speakers: string[] = [];
  let inSitting = 0;
  /** Since the last silence: each speaker's last turn, and the last of a talk between two. */
  const lastBy = new Map<string, number>();
  const together = new Map<string, { slot: number; other: string }>();
  let last: LinkedTurn | undefined;

  /** An answer goes on from its question, then a call from whom it calls, a talk between two from itself, else from the last turn. */
  function planBefore(turn: LinkedTurn): { from: number; other: string | undefined } {
    const { answers, calls, speaker, slot } = turn;
    if (answers !== undefined) return { from: answers, other: speakers[answers] };
    const known = together.get(speaker);
    if (calls !== undefined && calls !== speaker) {
      const theirs = Math.max(lastBy.get(calls) ?? nowhere, known?.other === calls ? known.slot : nowhere);
      const isNear = theirs !== nowhere && slot - theirs <= callReach;
      return { from: isNear ? theirs : (last?.slot ?? nowhere), other: calls };
    }
    if (known !== undefined && slot - known.slot <= reach) return { from: known.slot, other: known.other };
    return { from: last?.slot ?? nowhere, other: undefined };
  }

  function goOn(from: number, slot: number): void {
    let other = after[from] ?? nowhere;
    if (other === nowhere) after[from] = slot;
    for (let n = 2; other !== nowhere && n <= mostAfter; n++) {
      const next = beside[other] ?? nowhere;
      if (next === nowhere) beside[other] = slot;
      other = next;
    }
  }

  return {
    before,
    after,
    beside,
    sitting,
    sittings,

    add(turn) {
      const { slot, at, speaker } = turn;
      for (const list of [before, after, beside, sitting]) while (list.length < slot) list.push(nowhere);
      if (last === undefined || at - last.at > sittingGapSeconds) {
        lastBy.clear();
        together.clear();
        last = undefined;
        inSitting = 0;
      }
      const { from, other } = planBefore(turn);
      const first = inSitting++ % longestSitting === 0 || last === undefined ? slot : (sitting[last.slot] ?? slot);
      before.push(from);
      after.push(nowhere);
      beside.push(nowhere);
      sitting.push(first);
      sittings.set(first, (sittings.get(first) ?? 0) + turn.length);
      speakers[slot] = speaker;
      if (from !== nowhere) goOn(from, slot);
      lastBy.set(speaker, slot);
      if (other !== undefined) {
        together.set(speaker, { slot, other });
        together.set(other, { slot, other: speaker });
      }
      last = turn;
    },
  };
}
