import type { UsageRowView } from '../views.ts';

/** Rows of the ledger, added up by what somebody asks for. */

export const groupings = ['day', 'person', 'channel', 'model', 'kind'] as const;

export type Grouping = (typeof groupings)[number];

export interface Sum {
  name: string;
  calls: number;
  prompt: number;
  cached: number;
  completion: number;
  fold: number;
  /** Of the calls whose price was known. */
  cost: number;
  /** Calls whose price was not. */
  unpriced: number;
  estimated: number;
}

export type Column = Exclude<keyof Sum, 'unpriced' | 'estimated'>;

export function sumBy(rows: readonly UsageRowView[], grouping: Grouping): Sum[] {
  const groups = Map.groupBy(rows, (row) => keyOf(row, grouping));
  return [...groups.values()].map((group) => sumOf(group, group[0] === undefined ? '' : nameOf(group[0], grouping)));
}

export function sumOf(rows: readonly UsageRowView[], name: string): Sum {
  const sum: Sum = {
    name,
    calls: 0,
    prompt: 0,
    cached: 0,
    completion: 0,
    fold: 0,
    cost: 0,
    unpriced: 0,
    estimated: 0,
  };
  for (const row of rows) {
    sum.calls += row.calls;
    sum.prompt += row.prompt;
    sum.cached += row.cached;
    sum.completion += row.completion;
    if (row.kind === 'fold') sum.fold += row.prompt + row.completion;
    if (row.cost === undefined || row.cost === null) sum.unpriced += row.calls;
    else sum.cost += row.cost;
    sum.estimated += row.estimatedCalls;
  }
  return sum;
}

export function sorted(sums: readonly Sum[], column: Column, falling: boolean): Sum[] {
  const sign = falling ? -1 : 1;
  return sums.toSorted((a, b) => sign * (column === 'name' ? a.name.localeCompare(b.name) : a[column] - b[column]));
}

function keyOf(row: UsageRowView, grouping: Grouping): string {
  switch (grouping) {
    case 'day':
      return row.day;
    case 'person':
      return row.personKey;
    case 'channel':
      return row.channelKey;
    case 'model':
      return row.model;
    case 'kind':
      return row.kind;
  }
}

function nameOf(row: UsageRowView, grouping: Grouping): string {
  switch (grouping) {
    case 'day':
      return row.day;
    case 'person':
      return row.personName;
    case 'channel':
      return row.channelName;
    case 'model':
      return row.model;
    case 'kind':
      return { answer: 'Answers', fold: 'Summaries', recall: 'Search' }[row.kind];
  }
}
