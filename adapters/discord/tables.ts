/**
 * Discord draws no tables: they become aligned text in a code block, or a list a row where that would be too wide. What
 * is drawn is never longer than a message may be, and what stands in a code block stays as it is. Pure.
 */

export interface Drawn {
  text: string;
  /** The table that the text ends in: the rows that the next message begins with belong to it. */
  open: Columns | undefined;
}

export interface Columns {
  titles: readonly string[];
  atRight: readonly boolean[];
}

/** On a phone a code block is hardly wider. */
const mostColumns = 56;
const gap = '  ';

export function drawTables(text: string, maxChars: number, before?: Columns): Drawn {
  const lines = text.split('\n');
  const drawn: string[] = [];
  let room = maxChars - text.length;
  let fence: string | undefined;
  let open: Columns | undefined;
  let at = 0;

  function draw(columns: Columns, isWhole: boolean): void {
    const start = at;
    at += isWhole ? 2 : 0;
    const rows: string[][] = [];
    for (let line = lines[at]; line !== undefined && isRow(line); line = lines[++at]) rows.push(cellsOf(line));
    const raw = lines.slice(start, at);
    const chosen = formsOf(columns, rows, isWhole).find((form) => form.length - raw.join('\n').length <= room);
    room -= (chosen?.length ?? 0) - (chosen === undefined ? 0 : raw.join('\n').length);
    drawn.push(...(chosen === undefined ? raw : [chosen]));
    open = at >= lines.length || (at === lines.length - 1 && lines[at] === '') ? columns : undefined;
  }

  if (before !== undefined && isRow(lines[0] ?? '')) draw(before, false);
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const columns = fence === undefined ? columnsAt(line, lines[at + 1]) : undefined;
    if (columns !== undefined) {
      draw(columns, true);
      continue;
    }
    fence = fenceAfter(fence, line);
    drawn.push(line);
    at++;
  }
  return { text: drawn.join('\n'), open };
}

/** Best first. */
function formsOf({ titles, atRight }: Columns, rows: readonly string[][], isWhole: boolean): string[] {
  const list = rows.map((row) => asList(titles, row)).join('\n');
  const plain = [...(isWhole ? [titles] : []), ...rows].map((row) => titles.map((_, n) => asPlain(row[n] ?? '')));
  const widths = titles.map((_, n) => Math.max(1, ...plain.map((row) => widthOf(row[n] ?? ''))));
  const isNarrow = widths.reduce((sum, width) => sum + width + gap.length, -gap.length) <= mostColumns;
  // In a code block nobody can be called and no link be followed.
  const isLinked = rows.some((row) => row.some((cell) => /\]\(|https?:\/\/|<[@#]/.test(cell)));
  if (rows.length > 0 && (!isNarrow || isLinked)) return [list];
  const rule = widths.map((width) => '─'.repeat(width)).join(gap);
  const aligned = plain.map((row) => row.map((cell, n) => padded(cell, widths[n] ?? 1, atRight[n] === true)).join(gap));
  if (isWhole) aligned.splice(1, 0, rule);
  const block = ['```', ...aligned.map((line) => line.trimEnd()), '```'].join('\n');
  return rows.length === 0 ? [block] : [block, list];
}

/** The first cell, and below it each other one that says something. */
function asList(titles: readonly string[], row: readonly string[]): string {
  const [first = '', ...others] = row;
  const values = others.flatMap((cell, n) => {
    const title = asPlain(titles[n + 1] ?? '');
    if (cell === '') return [];
    return [title === '' ? `- ${cell}` : `- ${title}: ${cell}`];
  });
  const head = first === '' ? [] : [/\*\*|\]\(/.test(first) ? first : `**${first}**`];
  return [...head, ...values].join('\n');
}

/** What would be Markdown is read as it stands in a code block. */
function asPlain(cell: string): string {
  return cell.replaceAll('**', '').replaceAll('`', '').trim();
}

function padded(cell: string, width: number, atRight: boolean): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return atRight ? blanks + cell : cell + blanks;
}

/** A row of titles, and below it as many cells of dashes. */
function columnsAt(line: string, next: string | undefined): Columns | undefined {
  if (next === undefined || !isRow(line) || !next.includes('-') || !(next.includes('|') || next.includes(':'))) {
    return undefined;
  }
  const titles = cellsOf(line);
  const dashes = cellsOf(next);
  if (dashes.length !== titles.length || !dashes.every((cell) => /^:?-+:?$/.test(cell))) return undefined;
  return { titles, atRight: dashes.map((cell) => cell.endsWith(':') && !cell.startsWith(':')) };
}

function isRow(line: string): boolean {
  return line.includes('|') && line.trim() !== '|' && !isFence(line);
}

/** The cells between the bars; a bar after a backslash is a character of its cell. */
function cellsOf(line: string): string[] {
  const trimmed = line.trim();
  const cells: string[] = [];
  let cell = '';
  for (let at = trimmed.startsWith('|') ? 1 : 0; at < trimmed.length; at++) {
    const character = trimmed.charAt(at);
    if (character === '\\' && trimmed[at + 1] === '|') {
      cell += '|';
      at++;
    } else if (character === '|') {
      cells.push(cell.trim());
      cell = '';
    } else cell += character;
  }
  return cell.trim() === '' && trimmed.endsWith('|') ? cells : [...cells, cell.trim()];
}

const fenceStart = /^[ \t]{0,12}(`{3,}(?!`)|~{3,}(?!~))/;

function isFence(line: string): boolean {
  return fenceStart.test(line);
}

function fenceAfter(open: string | undefined, line: string): string | undefined {
  const [indented = '', run] = fenceStart.exec(line) ?? [];
  if (run === undefined) return open;
  const rest = line.slice(indented.length);
  if (open === undefined) return run.startsWith('`') && rest.includes('`') ? undefined : run;
  return run.startsWith(open) && rest.trim() === '' ? undefined : open;
}

const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const unseen = /[\p{Mn}\p{Me}\p{Cf}]/u;

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) if (!unseen.test(character)) width += wide.test(character) ? 2 : 1;
  return width;
}
