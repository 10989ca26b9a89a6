/** Rows as text for the model: a line of JSON each, the names of the columns first. */

export interface RowLimits {
  rows: number;
  chars: number;
}

const maxCellChars = 1000;
const maxNameChars = 100;

export function rowsText(columns: readonly string[], rows: Iterable<unknown>, limits: RowLimits): string {
  const header = JSON.stringify(columns.map((name) => name.slice(0, maxNameChars).toWellFormed()));
  if (header.length > limits.chars) return `[${columns.length} columns are too many to show; choose some]`;
  const lines = [header];
  let chars = header.length;
  for (const row of rows) {
    if (lines.length > limits.rows) return withNote(lines, `only the first ${limits.rows} rows are shown`);
    const line = JSON.stringify(Array.isArray(row) ? row.map(toCell) : []);
    chars += line.length;
    if (chars > limits.chars)
      return withNote(lines, `there is more, but it would be too long; ${lines.length - 1} rows are shown`);
    lines.push(line);
  }
  return lines.length === 1 ? `${lines[0]}\n[no rows]` : lines.join('\n');
}

function withNote(lines: readonly string[], note: string): string {
  return `${lines.join('\n')}\n[${note}. Count, group, choose fewer columns, or use LIMIT and OFFSET]`;
}

function toCell(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`;
  if (typeof value === 'string' && value.length > maxCellChars) {
    return `${value.slice(0, maxCellChars).toWellFormed()}… (${value.length} characters)`;
  }
  return value;
}
