import { hintOf } from './labels.ts';
import { nanosPerDollar } from './prices.ts';
import type { UsageRow } from './usage-record.ts';

/**
 * Usage as charts: plain data, so that one definition draws in a browser and, as a picture, in a chat channel. The
 * words come from ids and names that people chose: they are data, never markup.
 */
export interface Chart {
  name: string;
  title: string;
  /** As ECharts takes it. */
  option: Record<string, unknown>;
}

/** A row of usage. In charts by group, `group` says what belongs together and `label` how people know it. */
export type Charted = Pick<UsageRow, 'kind' | 'prompt' | 'cached' | 'completion' | 'cost'>;

interface Series {
  name: string;
  color: string;
  of(row: Charted): number;
}

/** Each token is in one of them. Blue, teal, orange and purple are told apart by colour-blind people as well. */
const series: readonly Series[] = [
  { name: 'prompt', color: '#4477aa', of: (row) => (row.kind === 'answer' ? row.prompt - row.cached : 0) },
  { name: 'prompt, cached', color: '#88ccee', of: (row) => (row.kind === 'answer' ? row.cached : 0) },
  { name: 'completion', color: '#cc8033', of: (row) => (row.kind === 'answer' ? row.completion : 0) },
  { name: 'summaries', color: '#aa4499', of: (row) => (row.kind === 'fold' ? row.prompt + row.completion : 0) },
  { name: 'recall', color: '#999933', of: (row) => (row.kind === 'recall' ? row.prompt + row.completion : 0) },
];

const barMaxWidth = 40;
/** Of more groups the smallest are drawn as one. */
const mostBars = 12;
const mostNameChars = 24;
const mostHintChars = 16;

/** One bar a day, empty days included, so that a pause looks like one. */
export function daysChart(rows: readonly (Charted & { day: string })[], from: string, to: string): Chart {
  const days = daysBetween(from, to);
  const byDay = Map.groupBy(rows, (row) => row.day);
  const groups = days.map((day) => byDay.get(day) ?? []);
  return {
    name: 'days',
    title: 'Tokens per day',
    option: {
      ...frame,
      xAxis: { type: 'category', data: days.map((day) => day.slice(5)) },
      yAxis: { type: 'value' },
      series: toSeries(groups),
    },
  };
}

/** One bar a group, the largest on top. */
export function groupsChart(by: string, rows: readonly (Charted & { group: string; label: string })[]): Chart {
  const all = [...Map.groupBy(rows, (row) => row.group).values()]
    .map((of) => [of[0]?.label ?? '', of] as const)
    .sort(([, a], [, b]) => tokensOf(b) - tokensOf(a));
  const rest = all.slice(mostBars).flatMap(([, of]) => of);
  const shown = [
    ...all.slice(0, mostBars),
    ...(rest.length > 0 ? [[`${all.length - mostBars} others`, rest] as const] : []),
  ];
  // The axis grows upwards.
  const bars = shown.reverse();
  return {
    name: by,
    title: `Tokens by ${by}`,
    option: {
      ...frame,
      xAxis: { type: 'value' },
      yAxis: { type: 'category', data: bars.map(([name]) => shortName(name)) },
      series: toSeries(bars.map(([, of]) => of)),
    },
  };
}

/** Nothing where no price is known. */
export function costChart(
  rows: readonly (Charted & { day: string; model: string })[],
  from: string,
  to: string,
): Chart | undefined {
  const priced = rows.filter((row) => row.cost !== undefined && row.cost > 0);
  if (priced.length === 0) return undefined;
  const days = daysBetween(from, to);
  const models = [...Map.groupBy(priced, (row) => row.model)].slice(0, mostBars);
  return {
    name: 'cost',
    title: 'Cost per day, in dollars',
    option: {
      ...frame,
      xAxis: { type: 'category', data: days.map((day) => day.slice(5)) },
      yAxis: { type: 'value' },
      series: models.map(([name, of]) => ({
        type: 'bar',
        stack: 'all',
        barMaxWidth,
        name: shortName(name),
        data: days.map((day) => dollarsOf(of.filter((row) => row.day === day))),
      })),
    },
  };
}

const frame = {
  animation: false,
  grid: { left: 16, right: 24, top: 56, bottom: 16, outerBoundsMode: 'same' },
  legend: { top: 8 },
  tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, renderMode: 'richText' },
};

function toSeries(groups: readonly (readonly Charted[])[]): Record<string, unknown>[] {
  return series.flatMap(({ name, color, of }) => {
    const data = groups.map((rows) => rows.reduce((sum, row) => sum + of(row), 0));
    if (data.every((value) => value === 0)) return [];
    return [{ type: 'bar', stack: 'all', barMaxWidth, name, data, itemStyle: { color } }];
  });
}

function tokensOf(rows: readonly Charted[]): number {
  return rows.reduce((sum, row) => sum + row.prompt + row.completion, 0);
}

function dollarsOf(rows: readonly Charted[]): number {
  return rows.reduce((sum, row) => sum + (row.cost ?? 0), 0) / nanosPerDollar;
}

/** ECharts reads braces in a label as its own. */
function shortName(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}{}|]/gu, '').trim() || '?';
  if (plain.length <= mostNameChars) return plain;
  const end = hintOf(plain).slice(-mostHintChars);
  return `${plain.slice(0, mostNameChars - end.length)}…${end}`.toWellFormed();
}

const dayMs = 86_400_000;
/** Of a longer stretch only the last days are drawn. */
const mostDays = 400;

function daysBetween(from: string, to: string): string[] {
  const last = Date.parse(`${to}T00:00:00Z`);
  const first = Math.max(Date.parse(`${from}T00:00:00Z`), last - (mostDays - 1) * dayMs);
  const days: string[] = [];
  for (let at = first; at <= last; at += dayMs) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
