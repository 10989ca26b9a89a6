import { type Links, nowhere } from './recall-links.ts';
import { mostPerSlot, perSlotBits } from './recall-postings.ts';

/** BM25 over a turn, over the talk around it and over its sitting, summed: a turn is found by more than its own words. */

/** Measured over three collections of conversations, of two people and of many. */
const k1 = 0.9;
const b = 0.4;
const aroundWeight = 1.5;
const sittingWeight = 0.5;
/** Two turns before and one after, with the turn itself. */
const turnsAround = 4;

interface Scored {
  /** By slot. */
  scores: Float64Array;
  /** How many of the terms stand in the turn itself. */
  matched: Uint8Array;
}

interface Scoring {
  slots: number;
  /** How many turns take part, and the words of all of them. */
  turns: number;
  words: number;
  lengths: readonly number[];
  links: Links;
  /** Without it a turn's own words alone count. */
  talk: boolean;
}

/** How rare the term is: what it is worth. */
export function worthOf(frequency: number, total: number): number {
  return Math.log(1 + (total - frequency + 0.5) / (frequency + 0.5));
}

/** Lets others run after each list. */
export function* score(lists: readonly (readonly number[])[], scoring: Scoring): Generator<void, Scored> {
  const { slots, turns, words, lengths, links } = scoring;
  const scores = new Float64Array(slots);
  const matched = new Uint8Array(slots);
  const around = new Uint32Array(scoring.talk ? slots : 0);
  const sittingScores = new Map<number, number>();
  const mean = words / Math.max(1, turns);
  const meanSitting = words / Math.max(1, links.sittings.size);
  for (const list of lists) {
    const worth = worthOf(list.length, turns);
    for (const entry of list) {
      const slot = entry >> perSlotBits;
      scores[slot] = (scores[slot] ?? 0) + worth * saturated(entry & mostPerSlot, lengths[slot] ?? 0, mean);
      matched[slot] = Math.min(255, (matched[slot] ?? 0) + 1);
    }
    yield;
    if (!scoring.talk) continue;
    const touched = spread(list, links, around);
    for (const slot of touched) {
      const length = lengthAround(slot, lengths, links);
      const gained = aroundWeight * worth * saturated(around[slot] ?? 0, length, mean * turnsAround);
      scores[slot] = (scores[slot] ?? 0) + gained;
      around[slot] = 0;
    }
    addSittings(list, links, meanSitting, sittingScores);
    yield;
  }
  for (let slot = 0; slot < slots; slot++) {
    const own = scores[slot] ?? 0;
    if (own > 0) scores[slot] = own + sittingWeight * (sittingScores.get(links.sitting[slot] ?? nowhere) ?? 0);
  }
  return { scores, matched };
}

function saturated(count: number, length: number, mean: number): number {
  return (count * (k1 + 1)) / (count + k1 * (1 - b + (b * length) / mean));
}

/** Adds each turn's count to the turns it stands around; answers which these are. */
function spread(list: readonly number[], links: Links, around: Uint32Array): number[] {
  const { before, after, beside } = links;
  const touched: number[] = [];
  const add = (slot: number, count: number): void => {
    const known = around[slot] ?? 0;
    if (known === 0) touched.push(slot);
    around[slot] = known + count;
  };
  for (const entry of list) {
    const slot = entry >> perSlotBits;
    const count = entry & mostPerSlot;
    add(slot, count);
    const from = before[slot] ?? nowhere;
    if (from !== nowhere && after[from] === slot) add(from, count);
    for (let next = after[slot] ?? nowhere; next !== nowhere; next = beside[next] ?? nowhere) {
      add(next, count);
      for (let second = after[next] ?? nowhere; second !== nowhere; second = beside[second] ?? nowhere)
        add(second, count);
    }
  }
  return touched;
}

function lengthAround(slot: number, lengths: readonly number[], { before, after }: Links): number {
  const at = (place: number | undefined): number =>
    place === undefined || place === nowhere ? 0 : (lengths[place] ?? 0);
  const from = before[slot] ?? nowhere;
  return at(slot) + at(from) + at(before[from]) + at(after[slot]);
}

function addSittings(list: readonly number[], links: Links, mean: number, scores: Map<number, number>): void {
  const counts = new Map<number, number>();
  for (const entry of list) {
    const first = links.sitting[entry >> perSlotBits] ?? nowhere;
    counts.set(first, (counts.get(first) ?? 0) + (entry & mostPerSlot));
  }
  const worth = worthOf(counts.size, links.sittings.size);
  for (const [first, count] of counts) {
    const gained = worth * saturated(count, links.sittings.get(first) ?? 0, mean);
    scores.set(first, (scores.get(first) ?? 0) + gained);
  }
}

export interface Hit {
  seq: number;
  score: number;
}

/** The best so many, kept in order as they come, so that nobody waits for a long list to be sorted. */
export function createBest(most: number): { hits: Hit[]; add(hit: Hit): void } {
  const hits: Hit[] = [];
  const isBehind = (one: Hit, other: Hit): boolean =>
    one.score < other.score || (one.score === other.score && one.seq < other.seq);
  return {
    hits,
    add(hit: Hit): void {
      const last = hits.at(-1);
      if (hits.length >= most && (last === undefined || isBehind(hit, last))) return;
      let from = 0;
      let to = hits.length;
      while (from < to) {
        const middle = (from + to) >> 1;
        const other = hits[middle];
        if (other !== undefined && isBehind(hit, other)) from = middle + 1;
        else to = middle;
      }
      hits.splice(from, 0, hit);
      if (hits.length > most) hits.pop();
    },
  };
}
