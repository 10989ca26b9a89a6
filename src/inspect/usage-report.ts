import type { Memory } from '../conversation/memory.ts';
import { createShownNames, type ShownNames } from '../conversation/shown-names.ts';
import type { ChannelId } from '../event.ts';
import { parentChannel } from '../event.ts';
import type { Store } from '../storage/store.ts';
import type { BudgetLine } from '../usage/budget.ts';
import { type Chart, costChart, daysChart, groupsChart } from '../usage/charts.ts';
import { dayOf, momentText } from '../usage/days.ts';
import type { Ledger, ReportRow } from '../usage/ledger.ts';
import { nanosPerDollar } from '../usage/prices.ts';
import { nobody, usageKind, workspaceOf } from '../usage/usage-record.ts';

/** What everybody used in all workspaces, for whoever pays. */
export interface UsageReport {
  from: string;
  to: string;
  today: string;
  timeZone: string;
  pricesAsOf: string;
  rows: UsageReportRow[];
  budgets: UsageBudget[];
  charts: Chart[];
}

interface UsageReportRow {
  day: string;
  workspace: string;
  channel: string;
  channelName: string;
  person: string;
  personName: string;
  model: string;
  kind: ReportRow['kind'];
  calls: number;
  prompt: number;
  cached: number;
  completion: number;
  cost: number | undefined;
  estimatedCalls: number;
}

interface UsageBudget {
  name: string;
  used: number;
  limit: number;
  unit: 'tokens' | 'USD';
  until: string;
}

export interface UsageDeps {
  store: Store;
  memory: Pick<Memory, 'conversations'>;
  ledger: Ledger;
  timeZone: string;
  pricesAsOf: string;
  now(): number;
}

export async function reportUsage(deps: UsageDeps, period: { from: string; to: string }): Promise<UsageReport> {
  const { ledger, timeZone, pricesAsOf } = deps;
  const { from, to } = period;
  const workspaces = await workspacesWithUsage(deps.store);
  const found = await Promise.all(workspaces.map((workspace) => ledger.report({ workspace, from, to })));
  const names = createShownNames(deps.memory.conversations);
  const rows: UsageReportRow[] = [];
  for (const row of found.flat()) rows.push(await toRow(row, names));
  const cost = costChart(found.flat(), from, to);
  return {
    from,
    to,
    today: dayOf(deps.now(), timeZone),
    timeZone,
    pricesAsOf,
    rows,
    budgets: await budgetsNow(deps, names),
    charts: [
      daysChart(found.flat(), from, to),
      ...(cost === undefined ? [] : [cost]),
      groupsChart('person', grouped(found.flat(), rows, 'personName')),
      groupsChart('channel', grouped(found.flat(), rows, 'channelName')),
      groupsChart('model', grouped(found.flat(), rows, 'model')),
    ],
  };
}

function grouped(
  found: readonly ReportRow[],
  rows: readonly UsageReportRow[],
  by: 'personName' | 'channelName' | 'model',
): (ReportRow & { group: string })[] {
  return found.map((row, n) => ({ ...row, group: rows[n]?.[by] ?? '?' }));
}

async function toRow(row: ReportRow, names: ShownNames): Promise<UsageReportRow> {
  const { day, channel, person, model, kind, calls, prompt, cached, completion, cost, estimatedCalls } = row;
  return {
    day,
    workspace: workspaceOf(channel),
    channel,
    channelName: await names.channel(parentChannel(channel) ?? channel),
    person,
    personName: person === nobody ? 'upkeep' : await names.person(channel, person),
    model,
    kind,
    calls,
    prompt,
    cached,
    completion,
    cost: cost === undefined ? undefined : cost / nanosPerDollar,
    estimatedCalls,
  };
}

/** The workspaces' own budgets, and those of whoever used something today. */
async function budgetsNow(deps: UsageDeps, names: ShownNames): Promise<UsageBudget[]> {
  const { ledger, timeZone } = deps;
  const today = dayOf(deps.now(), timeZone);
  const budgets = new Map<string, UsageBudget>();
  for (const workspace of await workspacesWithUsage(deps.store)) {
    const rows = await ledger.report({ workspace, from: today.slice(0, 7), to: today });
    for (const { channel, person } of rows.toReversed()) {
      for (const line of await ledger.remaining(channel, person)) {
        const name = await budgetName(line, workspace, channel, person, names);
        if (!budgets.has(name)) budgets.set(name, toBudget(name, line, timeZone));
      }
      if (budgets.size > mostBudgets) break;
    }
  }
  return [...budgets.values()];
}

const mostBudgets = 500;

async function budgetName(
  line: BudgetLine,
  workspace: string,
  channel: ChannelId,
  person: string,
  names: ShownNames,
): Promise<string> {
  const where = decodeURIComponent(workspace);
  switch (line.subject) {
    case 'person':
      return `${await names.person(channel, person)} (${where}), today`;
    case 'channel':
      return `${await names.channel(parentChannel(channel) ?? channel)} (${where}), today`;
    case 'workspace':
      return `${where}, today`;
    case 'money':
      return `${where}, this month`;
  }
}

function toBudget(name: string, line: BudgetLine, timeZone: string): UsageBudget {
  const isMoney = line.subject === 'money';
  const unit = isMoney ? nanosPerDollar : 1;
  return {
    name,
    used: (line.used + line.reserved) / unit,
    limit: line.limit / unit,
    unit: isMoney ? 'USD' : 'tokens',
    until: momentText(line.resetAt, timeZone),
  };
}

/** Skips from one workspace to the next: their days are not read. */
async function workspacesWithUsage(store: Store): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined; ; ) {
    const [next] = await store.list(usageKind, '', after === undefined ? { limit: 1 } : { limit: 1, after });
    if (next === undefined) return found;
    const workspace = next.id.slice(0, next.id.indexOf(':'));
    found.push(workspace);
    after = `${workspace}:\u{10ffff}`;
  }
}
