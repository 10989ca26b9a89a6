import type { Turn } from './turn.ts';

/** What goes into a prompt when not everything fits. Pure: costs in, choices out. */

interface Costed {
  tokens: number;
}

export interface WindowInput<F extends Costed> {
  budget: number;
  /** Role, standing instructions, a thread's seed, the reply's primer: always there. */
  fixedTokens: number;
  newestTokens: number;
  /** What the note about left-out turns costs, if it is needed. */
  noteTokens: number;
  folds: readonly F[];
  /** Uncovered turns, oldest first, without the newest message. */
  turns: readonly Turn[];
  /** What turns leave to those that are found again, where not all of them fit: the others are found no other way. */
  recallTokens?: number;
  /** There are older ones that are not even in `turns`. */
  more: boolean;
  rounds: number | undefined;
}

export interface WindowPlan<F extends Costed> {
  folds: F[];
  turns: Turn[];
  leftOut: boolean;
  /** Set where even the newest message alone is too much: what it must be cut to. */
  newestRoom: number | undefined;
  tokens: { fixed: number; folds: number; turns: number; newest: number; total: number };
}

const sum = (items: readonly Costed[]): number => items.reduce((total, item) => total + item.tokens, 0);

/**
 * Role before newest message before folds before turns, newest turns first. Turns are left out in whole rounds, so that
 * what remains begins with somebody's message and no tool call loses its result.
 */
export function planWindow<F extends Costed>(input: WindowInput<F>): WindowPlan<F> {
  const { budget, fixedTokens, folds, turns } = input;
  const afterRole = budget - fixedTokens;
  const newestRoom = input.newestTokens > afterRole ? Math.max(0, afterRole) : undefined;
  const newest = newestRoom ?? input.newestTokens;
  let room = afterRole - newest;
  const keptFolds = newestThatFit(folds, room);
  room -= sum(keptFolds);
  const whole = firstThatFits(turns, room, input.rounds);
  const all = whole === 0 && !input.more;
  const from = all ? 0 : firstBeside(input, room - input.noteTokens);
  const keptTurns = turns.slice(from);
  const leftOut = (!all || keptFolds.length < folds.length) && room - sum(keptTurns) >= input.noteTokens;
  const cost = {
    fixed: fixedTokens,
    folds: sum(keptFolds),
    turns: sum(keptTurns) + (leftOut ? input.noteTokens : 0),
    newest,
  };
  return {
    folds: keptFolds,
    turns: keptTurns,
    leftOut,
    newestRoom,
    tokens: { ...cost, total: cost.fixed + cost.folds + cost.turns + cost.newest },
  };
}

/** The last round is worth more than whatever may be found. */
function firstBeside({ turns, rounds, recallTokens = 0 }: WindowInput<Costed>, room: number): number {
  const from = firstThatFits(turns, room - recallTokens, rounds);
  return from < turns.length ? from : firstThatFits(turns, room, rounds);
}

function newestThatFit<F extends Costed>(folds: readonly F[], room: number): F[] {
  let left = room;
  let from = folds.length;
  for (let n = folds.length - 1; n >= 0; n--) {
    left -= folds[n]?.tokens ?? 0;
    if (left < 0) break;
    from = n;
  }
  return folds.slice(from);
}

/** The first place before somebody's message from which on everything fits. */
function firstThatFits(turns: readonly Turn[], room: number, rounds: number | undefined): number {
  let best = turns.length;
  let left = room;
  let seen = 0;
  for (let n = turns.length - 1; n >= 0; n--) {
    const turn = turns[n];
    if (turn === undefined) break;
    left -= turn.tokens;
    if (left < 0) break;
    if (turn.role !== 'user') continue;
    seen++;
    if (rounds !== undefined && seen > rounds) break;
    best = n;
  }
  return best;
}

export interface FoldLimits {
  high: number;
  low: number;
  rounds: { high: number; low: number } | undefined;
}

/**
 * How many of the turns, from the oldest on, are to be folded now: none under the high mark, else up to the first
 * somebody's message from which at most the low mark remains. The newest round always remains.
 */
export function planFold(turns: readonly Turn[], rawTokens: number, limits: FoldLimits): number {
  const users = turns.flatMap((turn, n) => (turn.role === 'user' ? [n] : []));
  const tooMuch = rawTokens > limits.high;
  const tooMany = limits.rounds !== undefined && users.length > limits.rounds.high;
  if (!tooMuch && !tooMany) return 0;
  let remaining = sum(turns);
  let cut = 0;
  let at = 0;
  for (const [n, user] of users.entries()) {
    for (; at < user; at++) remaining -= turns[at]?.tokens ?? 0;
    cut = user;
    const few = !tooMany || limits.rounds === undefined || users.length - n <= limits.rounds.low;
    if (few && (!tooMuch || remaining <= limits.low)) break;
  }
  return cut;
}
