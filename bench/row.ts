/** One line of the table. `value` is what is held against the target; `own` and `anchor` say what it was made of. */
export interface Row {
  bar: string;
  what: string;
  own: string;
  anchor: string;
  value: number;
  unit?: 'ms' | '%';
  /** Absent: reported, held against nothing. */
  target?: { most: number } | { least: number };
}

export function isMet({ value, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  return 'most' in target ? value <= target.most : value >= target.least;
}

export function toTable(rows: readonly Row[]): string {
  const head = ['bar', 'what', 'this', 'anchor', 'ratio', 'target', 'met'];
  const cells = rows.map((row) => {
    const { bar, what, own, anchor, value, unit = '', target } = row;
    const met = isMet(row);
    return [
      bar,
      what,
      own,
      anchor,
      `${digits(value)}${unit}`,
      target === undefined ? '' : 'most' in target ? `≤ ${target.most}${unit}` : `≥ ${target.least}${unit}`,
      met === undefined ? '' : met ? 'yes' : 'NO',
    ];
  });
  const widths = head.map((name, n) => Math.max(name.length, ...cells.map((line) => line[n]?.length ?? 0)));
  const toLine = (line: readonly string[]): string =>
    `| ${line.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [toLine(head), rule, ...cells.map(toLine)].join('\n');
}

/** Three significant digits. */
export function digits(value: number): string {
  const abs = Math.abs(value);
  return value.toFixed(abs >= 100 ? 0 : abs >= 10 ? 1 : abs >= 1 ? 2 : 3);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
