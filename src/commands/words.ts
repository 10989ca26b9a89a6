/** How a line is cut into words. */

export interface Word {
  /** Without its quotes. */
  text: string;
  quoted: boolean;
  start: number;
  end: number;
}

const closings: Record<string, string> = { '"': '"', '“': '”', '„': '“', '”': '”', "'": "'", '«': '»' };

/** The first word at or after `from`; quotes keep spaces together. Reads no further than it must. */
export function readWord(line: string, from: number): Word | undefined {
  const start = skipSpace(line, from);
  if (start >= line.length) return undefined;
  const quoted = readQuoted(line, start);
  if (quoted !== undefined) return quoted;
  const plain = /\S+/y;
  plain.lastIndex = start;
  const text = plain.exec(line)?.[0] ?? '';
  return { text, quoted: false, start, end: start + text.length };
}

/** A quoted word ends the line or is followed by a space; any other quotation mark is a character like all others. */
function readQuoted(line: string, start: number): Word | undefined {
  const closing = closings[line.charAt(start)];
  if (closing === undefined) return undefined;
  for (let end = line.indexOf(closing, start + 1); end !== -1; end = line.indexOf(closing, end + 1)) {
    if (isEscaped(line, end)) continue;
    if (/\S/.test(line.charAt(end + 1))) return undefined;
    const text = line.slice(start + 1, end).replace(/\\([\\"“”'»])/g, '$1');
    return { text, quoted: true, start, end: end + 1 };
  }
  return undefined;
}

/** An odd number of backslashes stands before it. */
function isEscaped(line: string, end: number): boolean {
  let at = end;
  while (line.charAt(at - 1) === '\\') at--;
  return (end - at) % 2 === 1;
}

function skipSpace(line: string, from: number): number {
  const space = /\s*/y;
  space.lastIndex = from;
  return from + (space.exec(line)?.[0].length ?? 0);
}

/** The whole text, without the quotes where it stands in quotes as a whole. */
export function unquoted(text: string): string {
  const trimmed = text.trim();
  const word = closings[trimmed.charAt(0)] === undefined ? undefined : readQuoted(trimmed, 0);
  return word !== undefined && word.end === trimmed.length ? word.text : trimmed;
}

/** Puts a value so that it is read as it is. */
export function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

export function needsQuotes(value: string): boolean {
  return value === '' || value !== value.trim() || closings[value.charAt(0)] !== undefined;
}

/** What no command needs and some stores and screens cannot bear: control characters, half characters. */
export function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '');
}
