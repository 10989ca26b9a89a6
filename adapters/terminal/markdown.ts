import { widthOf, widthOfText } from './width.ts';

/**
 * Markdown as a terminal shows it: marks become styles, long lines break between words. Pure, and linear in the text. The
 * segments, joined, are what stands on the screen.
 */
export interface Segment {
  text: string;
  styles: readonly TextStyle[];
}

export type TextStyle = 'bold' | 'italic' | 'struck' | 'code' | 'dim' | 'underlined';

export interface MarkdownOptions {
  columns: number;
  /** Column at which the first line begins. */
  startColumn: number;
  /** How a command is typed here, where a piece of code is one. */
  toCommand?: (code: string) => string | undefined;
}

const fence = /^ {0,3}(```+|~~~+) *([\w+#.-]{0,40})/;
const heading = /^ {0,3}#{1,6} +/;
const bullet = /^( {0,12})[-*+] (?=\S)/;
const quote = /^ {0,3}> ?/;
const rule = /^ {0,3}(?:(?:- ?){3,}|(?:\* ?){3,}|(?:_ ?){3,})$/;
const tableRow = /^ {0,3}\|/;
const tableRule = /^[ |:-]{3,}$/;
const ruleWidth = 20;

export function renderMarkdown(text: string, options: MarkdownOptions): Segment[] {
  const { columns, toCommand } = options;
  const lines = text.split('\n');
  const shown: Segment[] = [];
  let open: string | undefined;
  let startColumn = options.startColumn;
  const put = (segments: readonly Segment[], isLast: boolean, wrap = true): void => {
    shown.push(...(wrap ? wrapped(segments, columns, startColumn) : segments));
    if (!isLast) shown.push({ text: '\n', styles: [] });
    startColumn = 0;
  };
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? '';
    const isLast = n === lines.length - 1;
    const fenced = fence.exec(line);
    if (open !== undefined) {
      if (fenced?.[1]?.startsWith(open) && fenced[2] === '') {
        open = undefined;
        put([{ text: '└', styles: ['dim'] }], isLast);
      } else put([{ text: line, styles: ['code'] }], isLast, false);
      continue;
    }
    // A single line may yet become inline code.
    if (fenced !== null && !isLast) {
      open = fenced[1];
      put([{ text: `┌ ${fenced[2] ?? ''}`.trimEnd(), styles: ['dim'] }], isLast);
      continue;
    }
    const rows = tableRow.test(line) && tableRule.test(lines[n + 1] ?? '') ? rowsFrom(lines, n) : 0;
    if (rows > 0) {
      const table = toTable(lines.slice(n, n + rows), columns);
      for (const [at, row] of table.entries()) put(row, isLast || n + at === lines.length - 1, false);
      n += rows - 1;
      continue;
    }
    put(toLine(line, toCommand), isLast);
  }
  return shown;
}

function toLine(line: string, toCommand: MarkdownOptions['toCommand']): Segment[] {
  if (rule.test(line)) return [{ text: '─'.repeat(ruleWidth), styles: ['dim'] }];
  const title = heading.exec(line);
  if (title !== null) return inline(line.slice(title[0].length), ['bold'], toCommand);
  const quoted = quote.exec(line);
  if (quoted !== null) return [{ text: '│ ', styles: ['dim'] }, ...inline(line.slice(quoted[0].length), [], toCommand)];
  const item = bullet.exec(line);
  if (item !== null) {
    return [{ text: `${item[1] ?? ''}• `, styles: [] }, ...inline(line.slice(item[0].length), [], toCommand)];
  }
  return inline(line, [], toCommand);
}

const markStyles: Record<string, TextStyle> = { '**': 'bold', __: 'bold', '~~': 'struck', '*': 'italic', _: 'italic' };
const special = /[*_~`[\\]/g;
const link = /\[([^[\]\n]{1,300})\]\((https?:[^()\s]{1,1000})\)/y;
const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character);
const isBlank = (character: string | undefined): boolean => character === undefined || /\s/.test(character);

/** Marks of one line: those with a partner set a style, all others stand as they are. */
function inline(line: string, base: readonly TextStyle[], toCommand: MarkdownOptions['toCommand']): Segment[] {
  const segments: Segment[] = [];
  const active = new Map<string, TextStyle>();
  const lastAt = new Map<string, number>();
  const lastOf = (mark: string): number => {
    const known = lastAt.get(mark) ?? line.lastIndexOf(mark);
    lastAt.set(mark, known);
    return known;
  };
  let plain = '';
  const flush = (): void => {
    if (plain !== '') segments.push({ text: plain, styles: [...base, ...active.values()] });
    plain = '';
  };
  let at = 0;
  while (at < line.length) {
    special.lastIndex = at;
    const next = special.exec(line)?.index ?? line.length;
    plain += line.slice(at, next);
    at = next;
    const sign = line[at];
    if (sign === undefined) break;
    if (sign === '\\') {
      const escaped = line[at + 1];
      const isMark = escaped !== undefined && '*_~`#|'.includes(escaped);
      plain += isMark ? escaped : sign;
      at += isMark ? 2 : 1;
      continue;
    }
    if (sign === '`') {
      const run = lengthOfRun(line, at);
      const ticks = '`'.repeat(run);
      const end = lastOf(ticks) > at + run ? line.indexOf(ticks, at + run) : -1;
      if (end < 0) plain += ticks;
      else {
        flush();
        const code = line.slice(at + run, end);
        segments.push({ text: toCommand?.(code) ?? code, styles: [...base, 'code'] });
      }
      at = end < 0 ? at + run : end + run;
      continue;
    }
    if (sign === '[') {
      link.lastIndex = at;
      const found = link.exec(line);
      if (found === null) plain += sign;
      else {
        flush();
        const [, label = '', address = ''] = found;
        segments.push({ text: label, styles: [...base, ...active.values(), 'underlined'] });
        if (label !== address) segments.push({ text: ` (${address})`, styles: ['dim'] });
      }
      at += found?.[0].length ?? 1;
      continue;
    }
    const mark = line.startsWith(sign + sign, at) ? sign + sign : sign;
    const style = markStyles[mark];
    if (style !== undefined && toggles(line, at, mark, active.has(mark), lastOf)) {
      flush();
      if (!active.delete(mark)) active.set(mark, style);
    } else plain += mark;
    at += mark.length;
  }
  flush();
  return segments;
}

function toggles(line: string, at: number, mark: string, isOpen: boolean, lastOf: (mark: string) => number): boolean {
  const before = line[at - 1];
  const after = line[at + mark.length];
  // `snake_case` and `2 * 3` are no marks.
  if (mark.startsWith('_') && isWord(before) && isWord(after)) return false;
  if (isOpen) return !isBlank(before);
  return !isBlank(after) && lastOf(mark) > at + mark.length;
}

function lengthOfRun(line: string, at: number): number {
  let end = at;
  while (line[end] === '`') end++;
  return end - at;
}

/** Plain text with its lines broken between words. */
export function wrapText(text: string, columns: number): string {
  const lines = text.split('\n').flatMap((line) => wrapped([{ text: line, styles: [] }], columns, 0));
  return lines.map((line) => line.text).join('\n');
}

/** Breaks between words, in the place of the blanks between them; a word longer than a row is left to the terminal. */
function wrapped(segments: readonly Segment[], columns: number, startColumn: number): Segment[] {
  const gaps = blanksToBreak(segments.map(({ text }) => text).join(''), columns, startColumn);
  if (gaps.length === 0) return [...segments];
  let start = 0;
  let next = 0;
  return segments.map(({ text, styles }) => {
    let shown = '';
    let at = 0;
    for (let gap = gaps[next]; gap !== undefined && gap.from < start + text.length; gap = gaps[next]) {
      // A gap may have begun in the segment before.
      if (gap.from >= start) shown += `${text.slice(at, gap.from - start)}\n`;
      at = Math.min(gap.to - start, text.length);
      if (gap.to > start + text.length) break;
      next++;
    }
    start += text.length;
    return { text: shown + text.slice(at), styles };
  });
}

function blanksToBreak(line: string, columns: number, startColumn: number): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let column = startColumn;
  let blank: { from: number; to: number } | undefined;
  for (const { 0: token, index } of line.matchAll(/\s+|\S+/g)) {
    const width = widthOfText(token);
    // What a line is indented by is no gap between words.
    if (isBlank(token[0])) blank = index === 0 ? undefined : { from: index, to: index + token.length };
    else if (blank !== undefined && column + width > columns) {
      found.push(blank);
      column = 0;
    }
    column += width;
    if (column > columns && !isBlank(token[0])) column %= Math.max(1, columns);
  }
  return found;
}

function rowsFrom(lines: readonly string[], first: number): number {
  let end = first;
  while (end < lines.length && tableRow.test(lines[end] ?? '')) end++;
  return end - first;
}

/** Columns of one width each; where the screen is too narrow, the rows as they were written. */
function toTable(rows: readonly string[], columns: number): Segment[][] {
  const cells = rows.map((row) => {
    const trimmed = row.trim();
    return trimmed.slice(1, trimmed.endsWith('|') && trimmed.length > 1 ? -1 : undefined).split('|');
  });
  const shown = cells.map((row) => row.map((cell) => inline(cell.trim(), [], undefined)));
  const widths: number[] = [];
  for (const [n, row] of shown.entries()) {
    if (n === 1) continue;
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOfCell(cell));
  }
  const total = widths.reduce((sum, width) => sum + width + 3, -3);
  if (total > columns) return rows.map((row) => [{ text: row, styles: [] }]);
  return shown.map((row, n) => {
    if (n === 1) return [{ text: widths.map((width) => '─'.repeat(width)).join('─┼─'), styles: ['dim'] }];
    return widths.flatMap((width, at): Segment[] => {
      const cell = row[at] ?? [];
      const isLast = at === widths.length - 1;
      const pad = isLast ? '' : ' '.repeat(width - widthOfCell(cell));
      const edge: Segment[] = isLast ? [] : [{ text: ' │ ', styles: ['dim'] }];
      const styled = n === 0 ? cell.map((one): Segment => ({ ...one, styles: [...one.styles, 'bold'] })) : cell;
      return [...styled, { text: pad, styles: [] }, ...edge];
    });
  });
}

function widthOfCell(cell: readonly Segment[]): number {
  let width = 0;
  for (const { text } of cell) for (const character of text) width += widthOf(character);
  return width;
}
