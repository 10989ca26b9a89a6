import { BotError } from '../errors.ts';
import type { KeyRange } from './backend.ts';

/** Part of what a kind holds. `after` is left out itself, and is where a reverse listing starts downwards. */
export interface Range {
  after?: string;
  limit?: number;
  reverse?: boolean;
}

/** Postgres refuses NUL, and UTF-8 turns every lone surrogate into the same character: two keys would become one. */
export function toKey(kindName: string, id: string): string {
  if (id.includes('\0') || !id.isWellFormed())
    throw new BotError('bug', 'a record was given an id that no store can hold');
  return `${kindName}:${id}`;
}

export function planRange(kindName: string, idPrefix: string, range: Range): KeyRange {
  const { after, limit, reverse = false } = range;
  const prefix = toKey(kindName, idPrefix);
  const bounds = { from: prefix, to: firstKeyBeyond(prefix) };
  if (after !== undefined) {
    const mark = toKey(kindName, after);
    if (reverse) bounds.to = lower(bounds.to, mark);
    // No key stands between another and the same one with \u0001 at its end, because keys hold no NUL.
    else bounds.from = higher(bounds.from, `${mark}\u0001`);
  }
  return { ...bounds, limit, reverse };
}

/** A text whose order by code units is the order of the key's UTF-8 bytes. */
export function toSortable(key: string): string {
  return Buffer.from(key, 'utf8').toString('latin1');
}

export function fromSortable(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** The smallest key above all that begin with the prefix. A prefix holds at least the `:` of its kind. */
function firstKeyBeyond(prefix: string): string {
  const points = Array.from(prefix, (char) => char.codePointAt(0) ?? 0);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop() ?? 0;
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}

function lower(a: string, b: string): string {
  return toSortable(a) < toSortable(b) ? a : b;
}

function higher(a: string, b: string): string {
  return lower(a, b) === a ? b : a;
}
