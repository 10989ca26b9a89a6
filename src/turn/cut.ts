import { sentenceEnds } from '../conversation/sentences.ts';
import { beginsCloser, closerWithinLine, type Fence } from './fence.ts';
import { createLinkMap } from './links.ts';
import { type Cut, createSeams, type Line, type Seams } from './seams.ts';

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
 * taken as if it did. The next piece begins with something visible, so that none is blank. Every cut is one of the seams,
 * unless a single line has none.
 */
export function planCut(text: string, open: Fence | undefined, room: number): Cut {
  const seams = createSeams(text, open);
  const links = createLinkMap(text);
  const firstShown = open === undefined ? Math.max(0, text.search(/\S/)) : 0;
  const filled = room * minFill;

  const fits = ({ at, closing }: Cut): boolean => at > firstShown && at + closing.length <= room;

  function keepsLinks({ at }: Cut): boolean {
    const link = links.around(at);
    return link === undefined || (link[0] === 0 && link[1] > room);
  }

  function best(isPossible: (cut: Cut) => boolean): Cut | undefined {
    const atLines = [...linePlaces(seams)].filter(isPossible);
    const atLine = bestOf(atLines, filled);
    if (atLine !== undefined && atLine.at >= filled) return atLine;
    const link = links.around(Math.min(room, text.length - 1));
    const beforeLink = link === undefined ? undefined : seams.at(link[0]);
    const others = beforeLink === undefined ? [] : [{ ...beforeLink, rank: ranks.word }].filter(isPossible);
    return bestOf([...atLines, ...withinLines(seams, room, isPossible), ...others], filled);
  }

  return best((cut) => fits(cut) && keepsLinks(cut)) ?? best(fits) ?? anywhere(text, seams, room, fits);
}

function bestOf(places: Place[], filled: number): Place | undefined {
  const late = places.filter((place) => place.at >= filled);
  const worth = (place: Place): number => (late.length > 0 ? place.rank : 0);
  return (late.length > 0 ? late : places).toSorted((a, b) => worth(b) - worth(a) || b.at - a.at)[0];
}

/** Before each line that shows something. */
function* linePlaces(seams: Seams): Generator<Place> {
  for (const [index, line] of seams.lines.entries()) {
    const previous = seams.lines[index - 1];
    if (previous === undefined || line.text.trim() === '') continue;
    const isEmptyBlock = line.before !== undefined && (previous.before === undefined || mayClose(line));
    if (isEmptyBlock) continue;
    const cut = seams.inLine(index, line.start) ?? seams.inLine(index - 1, previous.end);
    if (cut !== undefined) yield { ...cut, rank: lineRank(line, previous) };
  }
}

function lineRank(line: Line, previous: Line): number {
  if (line.before !== undefined) return ranks.codeLine;
  const isApart = previous.text.trim() === '' || previous.before !== undefined || line.after !== undefined;
  return isApart ? ranks.paragraph : ranks.line;
}

/** Also a line that the text has only begun: cut before it, what is left of the block might be empty. */
function mayClose({ before, after, text }: Line): boolean {
  return before !== undefined && (after === undefined || beginsCloser(before, text));
}

/** In the last line that has any. */
function withinLines(seams: Seams, room: number, isPossible: (cut: Cut) => boolean): Place[] {
  for (let index = seams.lines.length - 1; index >= 0; index--) {
    const line = seams.lines[index];
    const places =
      line === undefined || line.before !== line.after ? [] : withinLine(line, index, seams, room, isPossible);
    if (places.length > 0) return places;
  }
  return [];
}

function withinLine(
  { start, text, before }: Line,
  index: number,
  seams: Seams,
  room: number,
  isPossible: (cut: Cut) => boolean,
): Place[] {
  const last = Math.min(room - start - (before === undefined ? 0 : closerWithinLine(before).length), text.length - 1);
  const places: Place[] = [];

  function offer(at: number, rank: number): boolean {
    if (at <= 0 || at > last || isBlank(text, at)) return false;
    const cut = seams.inLine(index, start + at);
    if (cut === undefined || !isPossible(cut)) return false;
    places.push({ ...cut, rank });
    return true;
  }

  if (before === undefined) {
    for (const end of sentenceEnds(text, last)) {
      let at = end;
      while (at < last && isBlank(text, at)) at++;
      offer(at, ranks.sentence);
    }
  }
  for (let at = last; at > 0; at--) {
    if (isBlank(text, at - 1) && offer(at, ranks.word)) break;
  }
  return places;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const maxTries = 200;

/** Where there is no good place: between characters as people see them, or at least not within one as computers do. */
function anywhere(text: string, seams: Seams, room: number, fits: (cut: Cut) => boolean): Cut {
  const shown = seams.lines.findLast((line) => line.before === line.after && line.text.trim() !== '');
  const beforeShown = shown === undefined ? 0 : shown.start + shown.text.trimEnd().length - 1;
  const latest = Math.min(room, text.length - 1);
  const graphemes = segmenter.segment(text);

  function lastSeam(from: number, startOf: (at: number) => number): Cut | undefined {
    // The second half of the last character has not come yet: it may belong to the one before.
    let at = isHighSurrogate(text, from) ? from - 1 : from;
    for (let tries = 0; at > 0 && tries < maxTries; tries++, at--) {
      at = startOf(at);
      const cut = seams.at(at);
      if (cut !== undefined && fits(cut)) return cut;
    }
    return undefined;
  }

  const graphemeAt = (at: number): number => graphemes.containing(at)?.index ?? at;
  const seam =
    lastSeam(Math.min(latest, beforeShown), graphemeAt) ??
    lastSeam(latest, graphemeAt) ??
    lastSeam(latest, (at) => characterAt(text, at));
  if (seam !== undefined) return seam;
  const open = seams.lines.findLast((line) => line.start <= latest)?.before;
  const closing = open === undefined ? '' : closerWithinLine(open);
  return { at: characterAt(text, Math.min(latest, room - closing.length)), closing, open };
}

function characterAt(text: string, at: number): number {
  return isHighSurrogate(text, at - 1) ? at - 1 : at;
}

function isHighSurrogate(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text.charAt(at));
}

function isBlank(text: string, at: number): boolean {
  return text.charAt(at).trim() === '';
}
