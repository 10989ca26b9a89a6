import type { SplitTokens } from './bpe.ts';
import type { FindToken } from './vocabulary.ts';

/** Text into tokens, as generators that pause now and then so that others can run. */
export interface Encoder {
  /** The number of tokens; the tokens themselves go to `out`. */
  encode(text: string, out?: number[]): Generator<void, number>;
  /** How many characters the first tokens cover, never half a surrogate pair; looks at no more than those. */
  fit(text: string, maxTokens: number): Generator<void, number>;
}

const piecesPerPause = 200;
const shortBytes = 512;

/** Text that names a special token is text like any other here: nobody can say `<|endoftext|>` by writing it. */
export function createEncoder(pattern: string, find: FindToken, split: SplitTokens): Encoder {
  // Every character belongs to a piece, so that each piece begins where the one before ended.
  const regex = new RegExp(pattern.replace(/(?<!\\)\((?!\?)/g, '(?:'), 'uy');
  const shared = new Uint8Array(shortBytes);

  function pieceEnd(text: string, start: number): number {
    regex.lastIndex = start;
    return regex.test(text) ? regex.lastIndex : text.length;
  }

  function* encode(text: string, out?: number[]): Generator<void, number> {
    let count = 0;
    for (let start = 0, pieces = 1; start < text.length; pieces++) {
      const end = pieceEnd(text, start);
      const bytes = bytesFor(end - start, shared);
      const size = toUtf8(text, start, end, bytes);
      // Nearly every piece is one token: those need no list of where their tokens end.
      const whole = find(bytes, 0, size);
      if (whole >= 0) {
        count++;
        out?.push(whole);
      } else {
        const ends = yield* split(bytes, size, size);
        count += ends.length;
        for (const [index, until] of ends.entries()) out?.push(find(bytes, ends[index - 1] ?? 0, until));
      }
      start = end;
      if (pieces % piecesPerPause === 0) yield;
    }
    return count;
  }

  function* fit(text: string, maxTokens: number): Generator<void, number> {
    let left = maxTokens;
    for (let start = 0, pieces = 1; start < text.length; pieces++) {
      const end = pieceEnd(text, start);
      const bytes = bytesFor(end - start, shared);
      const size = toUtf8(text, start, end, bytes);
      const isWhole = find(bytes, 0, size) >= 0;
      const ends = isWhole ? undefined : yield* split(bytes, size, left + 1);
      const tokens = ends?.length ?? 1;
      if (tokens > left) return start + charsWithin(text, start, ends?.[left - 1] ?? 0);
      left -= tokens;
      start = end;
      if (pieces % piecesPerPause === 0) yield;
    }
    return text.length;
  }

  return { encode, fit };
}

function bytesFor(chars: number, shared: Uint8Array): Uint8Array {
  return chars * 3 <= shared.length ? shared : new Uint8Array(chars * 3);
}

/** A lone surrogate becomes U+FFFD, as everywhere where text is sent. */
function toUtf8(text: string, start: number, end: number, bytes: Uint8Array): number {
  let size = 0;
  for (let at = start; at < end; at++) {
    let code = text.charCodeAt(at);
    if (code < 0x80) {
      bytes[size++] = code;
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      code = text.codePointAt(at) ?? code;
      if (code < 0x10000) code = 0xfffd;
      else at++;
    }
    if (code < 0x800) bytes[size++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) bytes[size++] = 0xe0 | (code >> 12);
      else {
        bytes[size++] = 0xf0 | (code >> 18);
        bytes[size++] = 0x80 | ((code >> 12) & 63);
      }
      bytes[size++] = 0x80 | ((code >> 6) & 63);
    }
    bytes[size++] = 0x80 | (code & 63);
  }
  return size;
}

/** The characters from `start` on that lie whole within so many UTF-8 bytes. */
function charsWithin(text: string, start: number, bytes: number): number {
  let at = start;
  for (let left = bytes; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (left < 0) break;
    at += code < 0x10000 ? 1 : 2;
  }
  return at - start;
}
