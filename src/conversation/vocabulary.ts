/** js-tiktoken's rank file as its package exports it. */
export interface RankFile {
  pat_str: string;
  bpe_ranks: string;
}

/** Finds the token that a range of bytes is; -1 when it is none. */
export type FindToken = (bytes: Uint8Array, start: number, end: number) => number;

const tokensPerStep = 2000;

/**
 * Reads a rank file into flat arrays: some 4 MB and a few dozen milliseconds for 200,000 tokens, where js-tiktoken's maps
 * take 200 MB and more than a second. A generator, so that the caller can let others run in between.
 */
export function* readVocabulary(file: RankFile): Generator<void, FindToken> {
  const { bytes, ends } = yield* readTokens(file.bpe_ranks);
  return yield* createIndex(bytes, ends);
}

interface Tokens {
  /** The bytes of all tokens, one after the other. */
  bytes: Uint8Array;
  /** Where each token ends in them; a rank that is not given has no bytes. */
  ends: Uint32Array;
}

/** The format: lines of `! <rank of the first> <base64> <base64> …`. */
function* readTokens(text: string): Generator<void, Tokens> {
  const bytes = new Uint8Array(Math.ceil(text.length * 0.75));
  const ends: number[] = [];
  let size = 0;
  let at = 0;
  while (at < text.length) {
    const rankStart = text.indexOf(' ', at) + 1;
    const rankEnd = text.indexOf(' ', rankStart);
    const first = Number(text.slice(rankStart, rankEnd));
    while (ends.length < first) ends.push(size);
    at = rankEnd + 1;
    for (let inLine = true; inLine; at++) {
      let bits = 0;
      let held = 0;
      for (; at < text.length; at++) {
        const six = sixBits[text.charCodeAt(at)] ?? -1;
        if (six === -1) break;
        bits = ((bits << 6) | six) & 0xffff;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes[size++] = bits >> held;
      }
      while (text.charCodeAt(at) === padding) at++;
      ends.push(size);
      inLine = text.charCodeAt(at) === space;
      if (ends.length % tokensPerStep === 0) yield;
    }
  }
  return { bytes: bytes.slice(0, size), ends: Uint32Array.from(ends) };
}

const padding = 61;
const space = 32;
const sixBits = new Int8Array(128).fill(-1);
const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
for (let value = 0; value < base64.length; value++) sixBits[base64.charCodeAt(value)] = value;

const rankBits = 18;
const rankMask = 2 ** rankBits - 1;

/**
 * An open hash table; it never grows, so no text can make it slow. A slot holds rank + 1 and above it the hash's upper bits,
 * because most of what is looked up is no token and should not cost a look at the tokens' bytes.
 */
function* createIndex(all: Uint8Array, ends: Uint32Array): Generator<void, FindToken> {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(ends.length * 2)));
  const mask = slots.length - 1;
  let longest = 0;
  for (let rank = 0, start = 0; rank < ends.length; rank++) {
    const end = ends[rank] ?? 0;
    if (end > start) {
      const key = hash(all, start, end);
      let slot = key & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = (key & ~rankMask) | (rank + 1);
      longest = Math.max(longest, end - start);
    }
    start = end;
    if (rank % tokensPerStep === 0) yield;
  }

  return (bytes, start, end) => {
    const length = end - start;
    if (length > longest) return -1;
    const key = hash(bytes, start, end);
    for (let slot = key & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] ?? 0;
      if (held === 0) return -1;
      if ((held ^ key) >>> rankBits !== 0) continue;
      const rank = (held & rankMask) - 1;
      const from = rank === 0 ? 0 : (ends[rank - 1] ?? 0);
      if ((ends[rank] ?? 0) - from !== length) continue;
      let same = 0;
      while (same < length && all[from + same] === bytes[start + same]) same++;
      if (same === length) return rank;
    }
  };
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ (bytes[at] ?? 0), 0x01000193);
  return value ^ (value >>> 15);
}
