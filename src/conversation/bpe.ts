import type { FindToken } from './vocabulary.ts';

/** Where the tokens of the first `size` bytes end: all of them, or at least the first `enough`. */
export type SplitTokens = (bytes: Uint8Array, size: number, enough: number) => Generator<void, number[]>;

const defaultWindowBytes = 2048;

/**
 * Byte pair encoding in linear time, exactly. tiktoken and its ports look through the whole piece for every pair they
 * merge; here a heap knows the next pair, and long bytes are merged a window at a time. Each window begins at a token of
 * the one before, a good way in front of its end. When both make the same token there, their tokens join into what merging
 * all at once gives, because tokens are the right ones as soon as every two neighbours are, and every two neighbours stand
 * in one of the windows. When they do not, something further on reached back as far as that, and all is done again with
 * larger windows.
 */
export function createTokenSplit(find: FindToken, windowBytes = defaultWindowBytes): SplitTokens {
  const smallMerge = createMerge(find, windowBytes);

  function* inWindows(
    bytes: Uint8Array,
    size: number,
    enough: number,
    window: number,
  ): Generator<void, number[] | undefined> {
    const merge = window === windowBytes ? smallMerge : createMerge(find, window);
    const ends: number[] = [];
    for (let from = 0, expected = 0; ; ) {
      const until = Math.min(from + window, size);
      const next = merge(bytes, from, until);
      if (expected > 0 && next[0] !== expected) return undefined;
      const certain = until === size ? size : until - window / 8;
      let at = 0;
      while (from + at < certain) {
        at = next[at] ?? size;
        ends.push(from + at);
      }
      if (until === size || ends.length >= enough) return ends;
      if (from + at >= until) return undefined;
      expected = (next[at] ?? 0) - at;
      from += at;
      yield;
    }
  }

  return function* (bytes, size, enough) {
    for (let window = windowBytes; ; window *= 2) {
      const ends = yield* inWindows(bytes, size, enough, window);
      if (ends !== undefined) return ends;
    }
  };
}

/**
 * Merges the bytes from `from` to `until`; the result says for each place where a token starts where the next one does,
 * and is good until the next call.
 */
function createMerge(
  find: FindToken,
  maxBytes: number,
): (bytes: Uint8Array, from: number, until: number) => Int32Array {
  const next = new Int32Array(maxBytes + 1);
  const previous = new Int32Array(maxBytes + 1);
  /** For the start of a token: the rank of what it makes with the next one; -1 for nothing, and for no start any more. */
  const pairs = new Int32Array(maxBytes + 1);
  /** `rank * rankUnit + start`: the order of numbers is the order of merging. A merge takes one out and puts two in at most. */
  const rankUnit = maxBytes + 1;
  const heap = createHeap(2 * maxBytes);

  return (bytes, from, until) => {
    const size = until - from;

    function setPair(at: number, end: number): void {
      const rank = end <= size ? find(bytes, from + at, from + end) : -1;
      pairs[at] = rank;
      if (rank >= 0) heap.push(rank * rankUnit + at);
    }

    for (let at = 0; at < size; at++) {
      previous[at] = at - 1;
      next[at] = at + 1;
      setPair(at, at + 2);
    }
    for (let entry = heap.pop(); entry >= 0; entry = heap.pop()) {
      const rank = Math.floor(entry / rankUnit);
      const at = entry - rank * rankUnit;
      // A pair's bytes only ever grow: an entry of another rank than it has now is out of date.
      if (pairs[at] !== rank) continue;
      const gone = next[at] ?? size;
      const after = next[gone] ?? size;
      next[at] = after;
      previous[after] = at;
      pairs[gone] = -1;
      setPair(at, after < size ? (next[after] ?? size) : size + 1);
      const before = previous[at] ?? -1;
      if (before >= 0) setPair(before, after);
    }
    return next;
  };
}

interface Heap {
  push(entry: number): void;
  /** The smallest; -1 when there is none. */
  pop(): number;
}

function createHeap(capacity: number): Heap {
  const entries = new Float64Array(capacity);
  let size = 0;
  return {
    push(entry) {
      let at = size++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const above = entries[parent] ?? 0;
        if (above <= entry) break;
        entries[at] = above;
        at = parent;
      }
      entries[at] = entry;
    },
    pop() {
      if (size === 0) return -1;
      const top = entries[0] ?? 0;
      const last = entries[--size] ?? 0;
      let at = 0;
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && (entries[child + 1] ?? 0) < (entries[child] ?? 0)) child++;
        const below = entries[child] ?? 0;
        if (below >= last) break;
        entries[at] = below;
        at = child;
      }
      entries[at] = last;
      return top;
    },
  };
}
