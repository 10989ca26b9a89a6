import { sentenceEnds } from '../conversation/sentences.ts';
import { closerOf, closerWithinLine, type Fence, fenceAfter, openerOf } from './fence.ts';
import { createLinkMap } from './links.ts';

/** Where a piece of an answer ends. */
export interface Cut {
  at: number;
  /** What closes the fence that is open there. */
  closing: string;
  open: Fence | undefined;
}

interface Line {
  start: number;
  end: number;
  text: string;
  before: Fence | undefined;
  after: Fence | undefined;
}

/** The higher the better. */
const ranks = { paragraph: 5, line: 4, codeLine: 3, sentence: 2, word: 1 };

interface Place extends Cut {
  rank: number;
}

/** A good place early on would make a short piece; then a less good one further on is better. */
const minFill = 0.25;

/**
 * Ends a piece within `room` characters, the closing included, although of what follows only the one character is known
 * with which the text became too long: so the piece never has to change again. What a line or a bracket may yet become is
 * taken as if it did. The next piece begins with something visible, so that none is blank.
 */
export function planCut(text: string, open: Fence | undefined, room: number): Cut {
  const lines = toLines(text, open);
  const links = createLinkMap(text);
  const firstShown = open === undefined ? text.search(/\S/) : 0;

  function isPossible({ at, closing }: Place): boolean {
    const link = links.around(at);
    const isInLink = link !== undefined && !(link[0] === 0 && link[1] > room);
    return at > firstShown && at + closing.length <= room && !isInLink;
  }

  const filled = room * minFill;
  const atLines = [...linePlaces(text, lines)].filter(isPossible);
  const best = bestOf(atLines, filled);
  if (best !== undefined && best.at >= filled) return best;
  const shownLine = lines.findLast((line) => line.text.trim() !== '');
  const within = shownLine === undefined ? [] : withinLine(text, shownLine, room, isPossible);
  const link = links.around(Math.min(room, text.length - 1));
  const beforeLink = link === undefined ? undefined : cutAt(text, lines, link[0]);
  const others = beforeLink === undefined ? [] : [{ ...beforeLink, rank: ranks.word }].filter(isPossible);
  return bestOf([...atLines, ...within, ...others], filled) ?? anywhere(text, lines, shownLine, room);
}

function bestOf(places: Place[], filled: number): Place | undefined {
  const late = places.filter((place) => place.at >= filled);
  const worth = (place: Place): number => (late.length > 0 ? place.rank : 0);
  return (late.length > 0 ? late : places).toSorted((a, b) => worth(b) - worth(a) || b.at - a.at)[0];
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

/** Before each line that shows something. */
function* linePlaces(text: string, lines: Line[]): Generator<Place> {
  for (const [index, line] of lines.entries()) {
    const previous = lines[index - 1];
    if (previous === undefined || line.text.trim() === '') continue;
    const open = line.before;
    if (open !== undefined) {
      const isEmptyBlock = previous.before === undefined || mayClose(open, line.text);
      if (!isEmptyBlock) yield { at: line.start, closing: closerOf(open), open, rank: ranks.codeLine };
      continue;
    }
    const closed = previous.before;
    const isApart = previous.text.trim() === '' || closed !== undefined || line.after !== undefined;
    const at = closed !== undefined && mayReopen(closed, text, line.start) ? line.start - 1 : line.start;
    yield { at, closing: '', open, rank: isApart ? ranks.paragraph : ranks.line };
  }
}

function mayClose(open: Fence, line: string): boolean {
  const run = line.trim();
  return open.run.startsWith(run) || fenceAfter(open, line) === undefined;
}

/** Cut between two like blocks, the pieces would look as if the fence had been closed and opened by us. */
function mayReopen(closed: Fence, text: string, start: number): boolean {
  const opener = openerOf(closed);
  return opener.startsWith(text.slice(start, start + opener.length));
}

function withinLine(text: string, line: Line, room: number, isPossible: (place: Place) => boolean): Place[] {
  if (line.after !== line.before) return [];
  const open = line.before;
  const closing = open === undefined ? '' : closerWithinLine(open);
  const last = Math.min(room - closing.length, line.end - 1);
  const places: Place[] = [];

  function offer(at: number, rank: number): boolean {
    const place = { at, closing, open, rank };
    const isInLine = at > line.start && at <= last && !isBlank(text, at);
    if (!isInLine || !isPossible(place) || !keepsFences(text, line, at)) return false;
    places.push(place);
    return true;
  }

  if (open === undefined) {
    for (const end of sentenceEnds(text, last)) {
      let at = end;
      while (at < last && isBlank(text, at)) at++;
      offer(at, ranks.sentence);
    }
  }
  for (let at = last; at > line.start; at--) {
    if (isBlank(text, at - 1) && offer(at, ranks.word)) break;
  }
  return places;
}

/** Neither what is left of the line nor what begins the next piece may look like a fence when it is none. */
function keepsFences(text: string, line: Line, at: number): boolean {
  if (fenceAfter(line.before, text.slice(line.start, at)) !== line.before) return false;
  const rest = text.slice(at, Math.min(line.end, at + maxLookChars));
  if (at + rest.length === text.length && /^[ \t]*(`*|~*)$/.test(rest)) return false;
  const [, run, after = ''] = /^[ \t]*(`{3}|~{3})`*~*(.*)/.exec(rest) ?? [];
  if (run === undefined) return true;
  return line.before === undefined ? run === '```' && after.includes('`') : after.trim() !== '';
}

const maxLookChars = 200;

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const maxTries = 200;

/** Where there is no good place: between characters as people see them, or at least not within one as computers do. */
function anywhere(text: string, lines: Line[], shownLine: Line | undefined, room: number): Cut {
  const latest = Math.min(room, text.length - 1);
  const isInLine = shownLine !== undefined && shownLine.before === shownLine.after;
  const shown = isInLine ? shownLine.start + shownLine.text.trimEnd().length - 1 : 0;
  const graphemes = segmenter.segment(text);
  let at = shown > 0 ? Math.min(latest, shown) : latest;
  // The second half of the last character has not come yet: it may belong to the one before.
  if (isHighSurrogate(text, at)) at--;
  for (let tries = 0; at > 0 && tries < maxTries; tries++, at--) {
    at = graphemes.containing(at)?.index ?? at;
    const cut = cutAt(text, lines, at);
    if (at > 0 && cut !== undefined && at + cut.closing.length <= room) return cut;
  }
  return { at: isHighSurrogate(text, latest - 1) ? latest - 1 : latest, closing: '', open: undefined };
}

function cutAt(text: string, lines: Line[], at: number): Cut | undefined {
  const line = lines.findLast((one) => one.start <= at);
  if (line === undefined) return undefined;
  const open = line.before;
  if (at === line.start) return { at, closing: open === undefined ? '' : closerOf(open), open };
  if (line.after !== open || !keepsFences(text, line, at)) return undefined;
  return { at, closing: open === undefined ? '' : closerWithinLine(open), open };
}

function isHighSurrogate(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text.charAt(at));
}

function isBlank(text: string, at: number): boolean {
  return text.charAt(at).trim() === '';
}
