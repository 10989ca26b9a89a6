import { closerOf, closerWithinLine, type Fence, fenceAfter, openerOf } from './fence.ts';

/** Where a piece of an answer ends. */
export interface Cut {
  at: number;
  /** What closes the fence that is open there. */
  closing: string;
  open: Fence | undefined;
}

export interface Line {
  start: number;
  end: number;
  text: string;
  before: Fence | undefined;
  after: Fence | undefined;
}

/**
 * Where a text may be cut so that its pieces, as they stand, tell what the text was. At most two hundred characters ahead
 * are looked at, and what follows the last one that is known is taken as if it were the worst.
 */
export interface Seams {
  lines: readonly Line[];
  /** The cut at a place in a line; none if the text could not be told from it. */
  inLine(index: number, at: number): Cut | undefined;
  at(at: number): Cut | undefined;
}

export function createSeams(text: string, open: Fence | undefined): Seams {
  const lines = toLines(text, open);

  function inLine(index: number, at: number): Cut | undefined {
    const line = lines[index];
    if (line === undefined) return undefined;
    if (at === line.start) return beforeLine(line, lines[index - 1]);
    if (line.after === line.before) return keepsFences(text, line, at) ? within(line.before, at) : undefined;
    const isAfterCloser = line.after === undefined && at === line.end && at < text.length;
    return isAfterCloser ? { at, closing: '', open: undefined } : undefined;
  }

  function beforeLine({ start, before }: Line, previous: Line | undefined): Cut | undefined {
    if (before !== undefined) return { at: start, closing: closerOf(before), open: before };
    const closed = previous?.before;
    if (closed !== undefined && mayReopen(closed, text, start)) return undefined;
    return { at: start, closing: '', open: undefined };
  }

  const at = (place: number): Cut | undefined =>
    inLine(
      lines.findLastIndex((line) => line.start <= place),
      place,
    );

  return { lines, inLine, at };
}

function within(open: Fence | undefined, at: number): Cut {
  return { at, closing: open === undefined ? '' : closerWithinLine(open), open };
}

function toLines(text: string, open: Fence | undefined): Line[] {
  const lines: Line[] = [];
  let before = open;
  for (let start = 0; start < text.length; ) {
    const lineEnd = text.indexOf('\n', start);
    const end = lineEnd < 0 ? text.length : lineEnd;
    const line = text.slice(start, end);
    const after = fenceAfter(before, line);
    lines.push({ start, end, text: line, before, after });
    before = after;
    start = end + 1;
  }
  return lines;
}

/** Cut between two like blocks, the pieces would look as if the fence had been closed and opened by us. */
function mayReopen(closed: Fence, text: string, start: number): boolean {
  const opener = openerOf(closed);
  return opener.startsWith(text.slice(start, start + opener.length));
}

const maxLookChars = 200;

/** Neither what is left of the line nor what begins the next piece may look like a fence when it is none. */
function keepsFences(text: string, line: Line, at: number): boolean {
  if (fenceAfter(line.before, text.slice(line.start, at)) !== line.before) return false;
  const rest = text.slice(at, Math.min(line.end, at + maxLookChars));
  if (at + rest.length === text.length && /^[ \t]*(`*|~*)$/.test(rest)) return false;
  const [, run, after = ''] = /^[ \t]*(`{3}|~{3})`*~*(.*)/.exec(rest) ?? [];
  if (run === undefined) return true;
  return line.before === undefined ? run === '```' && after.includes('`') : after.trim() !== '';
}
