import { type BudgetLine, budgetText, dollars } from './budget.ts';
import { hintOf } from './labels.ts';
import type { ReportRow } from './ledger.ts';

/** Usage as a text that fits one chat message on every platform, and a narrow terminal. */

const maxChars = 1900;
const maxColumns = 56;
const minNameColumns = 8;
/** More than fit; what is beyond is only summed. */
const maxLines = 30;
const maxNameChars = 100;

export interface TableOptions {
  by: 'person' | 'channel' | 'model' | 'kind' | 'day';
  /** Such as `today (2026-11-21)`. */
  period: string;
  /** When the prices were true. */
  asOf: string;
  budgets: readonly BudgetLine[];
  timeZone: string;
}

/** `group` says what belongs together, `label` how people know it; a label need not be clean. */
export interface GroupedRow extends ReportRow {
  group: string;
  label: string;
}

interface Sums {
  prompt: number;
  cached: number;
  completion: number;
  /** Tokens of either kind that went into folds. */
  fold: number;
  cost: number;
  isUnknown: boolean;
  isEstimated: boolean;
}

export function usageTable(rows: readonly GroupedRow[], options: TableOptions): string {
  const budgets = options.budgets.map((line) => capitalised(budgetText(line, options.timeZone)));
  if (rows.length === 0) return [`No usage ${options.period}.`, ...budgets].join('\n');
  const groups = toGroups(rows, options.by);
  const named = groups.slice(0, maxLines).map((of) => [nameText(of), ...numbers(sumOf(of))]);
  const total = sumOf(rows);
  const heading = [options.by, 'prompt', 'cache', 'compl.', 'summ.', 'cost'];
  const title = `Usage ${options.period}, by ${options.by}`;
  const estimated = total.isEstimated ? ' ~: partly counted by me, because the server sent no numbers.' : '';
  const note = `Prices as of ${options.asOf}.${estimated}`;
  for (let shown = named.length; ; shown--) {
    const others = othersLine(groups.slice(shown));
    const lines = toLines([heading, ...named.slice(0, shown), ...others, ['total', ...numbers(total)]]);
    const text = [title, '```', ...lines, '```', note, ...budgets].join('\n');
    if (text.length <= maxChars || shown === 0) return text;
  }
}

type Group = GroupedRow[];

/** Largest first; days newest first. */
function toGroups(rows: readonly GroupedRow[], by: TableOptions['by']): Group[] {
  const groups = [...Map.groupBy(rows, (row) => row.group).values()];
  const dayOf = ([first]: Group): string => first?.day ?? '';
  if (by === 'day') return groups.sort((a, b) => (dayOf(a) < dayOf(b) ? 1 : -1));
  const size = (of: Group): number => of.reduce((sum, row) => sum + row.prompt + row.completion, 0);
  return groups.sort((a, b) => size(b) - size(a));
}

function nameText([first]: Group): string {
  return cleaned(first?.label ?? '') || '?';
}

function othersLine(groups: readonly Group[]): string[][] {
  if (groups.length === 0) return [];
  const name = groups.length === 1 ? '1 other' : `${groups.length} others`;
  return [[name, ...numbers(sumOf(groups.flat()))]];
}

function sumOf(rows: readonly ReportRow[]): Sums {
  const sums: Sums = { prompt: 0, cached: 0, completion: 0, fold: 0, cost: 0, isUnknown: false, isEstimated: false };
  for (const row of rows) {
    sums.prompt += row.prompt;
    sums.cached += row.cached;
    sums.completion += row.completion;
    sums.fold += row.kind === 'fold' ? row.prompt + row.completion : 0;
    sums.cost += row.cost ?? 0;
    sums.isUnknown ||= row.cost === undefined;
    sums.isEstimated ||= row.estimatedCalls > 0;
  }
  return sums;
}

function toLines(cells: readonly string[][]): string[] {
  const widths = [1, 2, 3, 4, 5].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const room = maxColumns - widths.reduce((sum, width) => sum + width + 1, 0);
  const nameColumns = Math.max(
    minNameColumns,
    Math.min(room, Math.max(...cells.map(([name = '']) => columnsOf(name)))),
  );
  return cells.map(([name = '', ...rest]) =>
    [padded(clipped(name, nameColumns), nameColumns), ...rest.map((cell, n) => cell.padStart(widths[n] ?? 0))].join(
      ' ',
    ),
  );
}

function numbers(sums: Sums): string[] {
  const mark = sums.isEstimated ? '~' : '';
  const all = sums.prompt + sums.completion;
  return [
    mark + short(sums.prompt),
    short(sums.cached),
    mark + short(sums.completion),
    `${all === 0 ? 0 : Math.round((100 * sums.fold) / all)}%`,
    costText(sums, mark),
  ];
}

function costText({ cost, isUnknown }: Sums, mark: string): string {
  if (isUnknown) return cost === 0 ? 'unknown' : `${mark}${dollars(cost)} + unknown`;
  return cost === 0 ? dollars(cost) : mark + dollars(cost);
}

/** At most five characters. */
function short(count: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit]}`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /\p{Emoji_Presentation}|\uFE0F|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303F\uFF01-\uFF60\uFFE0-\uFFE6]/u;
const narrowKana = /^[\uFF61-\uFFDC]/;

/** On one line, unable to end the block it stands in, and without what is not seen or turns the line around. */
function cleaned(name: string): string {
  const plain = name
    .slice(0, maxNameChars)
    .replace(/[\p{Cf}\p{Co}\p{Cs}]/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll('`', "'");
  // Of a letter under a heap of marks only the letter is kept.
  return Array.from(graphemes.segment(plain), ({ segment }) => (segment.length > 8 ? Array.from(segment)[0] : segment))
    .join('')
    .trim();
}

function columnsOf(text: string): number {
  return Array.from(graphemes.segment(text), ({ segment }) => graphemeColumns(segment)).reduce((a, b) => a + b, 0);
}

function graphemeColumns(segment: string): number {
  return wide.test(segment) && !narrowKana.test(segment) ? 2 : 1;
}

function clipped(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const hint = Array.from(graphemes.segment(hintOf(text)), ({ segment }) => segment);
  const end = firstOf(hint.reverse(), Math.floor((columns - 1) / 2)).reverse();
  const segments = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const begin = firstOf(segments, columns - 1 - columnsOf(end.join('')));
  return `${begin.join('')}…${end.join('')}`;
}

function firstOf(segments: readonly string[], columns: number): string[] {
  let used = 0;
  let count = 0;
  for (const segment of segments) {
    used += graphemeColumns(segment);
    if (used > columns) break;
    count += 1;
  }
  return segments.slice(0, count);
}

function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
