import type { Memory } from '../conversation/memory.ts';
import {
  channelKey,
  createShownNames,
  type Labels,
  labelsOf,
  lastFirst,
  personKey,
  type ShownNames,
} from '../conversation/shown-names.ts';
import type { Store } from '../storage/store.ts';
import { type BudgetLine, isMoneyBudget, isTotal } from '../usage/budget.ts';
import { type Chart, costChart, daysChart, groupsChart } from '../usage/charts.ts';
import { dayOf, momentText } from '../usage/days.ts';
import { toLabels } from '../usage/labels.ts';
import type { Ledger, ReportRow } from '../usage/ledger.ts';
import { nanosPerDollar } from '../usage/prices.ts';
import { nobody, nobodyLabel, workspaceOf, workspacesWithUsage } from '../usage/usage-record.ts';

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
  /** Where it was used; of a thread the thread's own id. */
  channel: string;
  /** What belongs together as one channel: a thread counts as its channel. */
  channelKey: string;
  /** Different for each `channelKey`. */
  channelName: string;
  person: string;
  /** What belongs together as one person: `platform:id`, in every workspace. */
  personKey: string;
  /** The latest name; different for each `personKey`. */
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
  /** Of whom or what it is the budget. */
  id: string;
  /** Different for each `id`. */
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

export interface UsagePeriod {
  from: string;
  to: string;
  /** Of this platform alone. */
  platform?: string | undefined;
}

export async function reportUsage(deps: UsageDeps, period: UsagePeriod): Promise<UsageReport> {
  const { ledger, timeZone, pricesAsOf } = deps;
  const { from, to, platform } = period;
  const workspaces = await workspacesWithUsage(deps.store, platform);
  const found = (await Promise.all(workspaces.map((workspace) => ledger.report({ workspace, from, to })))).flat();
  const names = createShownNames(deps.memory.conversations);
  const labels = await labelsOf(found, names, new Map([[nobody, nobodyLabel]]));
  const rows = found.map((row) => toRow(row, labels));
  const charted = (group: 'personKey' | 'channelKey' | 'model', label: 'personName' | 'channelName' | 'model') =>
    found.map((row, n) => ({ ...row, group: rows[n]?.[group] ?? '', label: rows[n]?.[label] ?? '' }));
  const cost = costChart(found, from, to);
  return {
    from,
    to,
    today: dayOf(deps.now(), timeZone),
    timeZone,
    pricesAsOf,
    rows,
    budgets: await budgetsNow(deps, names, platform),
    charts: [
      daysChart(found, from, to),
      ...(cost === undefined ? [] : [cost]),
      groupsChart('person', charted('personKey', 'personName')),
      groupsChart('channel', charted('channelKey', 'channelName')),
      groupsChart('model', charted('model', 'model')),
    ],
  };
}

function toRow(row: ReportRow, labels: Labels): UsageReportRow {
  const { day, channel, person, model, kind, calls, prompt, cached, completion, cost, estimatedCalls } = row;
  return {
    day,
    workspace: workspaceOf(channel),
    channel,
    channelKey: channelKey(channel),
    channelName: labels.channel(channel),
    person,
    personKey: person === nobody ? nobody : personKey(row),
    personName: labels.person(row),
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

/** The workspaces' own budgets, and those of whoever used something this month: one for each that has one. */
async function budgetsNow(deps: UsageDeps, names: ShownNames, platform: string | undefined): Promise<UsageBudget[]> {
  const { ledger, timeZone } = deps;
  const today = dayOf(deps.now(), timeZone);
  const budgets = new Map<string, { line: BudgetLine; name: string }>();
  for (const workspace of await workspacesWithUsage(deps.store, platform)) {
    const rows = lastFirst(await ledger.report({ workspace, from: today.slice(0, 7), to: today }));
    // Budgets do not differ between the days and models of the same person in the same channel.
    const distinct = new Map(rows.map((row) => [`${channelKey(row.channel)} ${row.person} ${row.payer}`, row]));
    for (const row of distinct.values()) {
      for (const line of await ledger.remaining(row)) {
        // What everything together used is not shown to whoever sees a part of it only.
        if (platform !== undefined && isTotal(line)) continue;
        const id = budgetId(line, row);
        if (!budgets.has(id)) budgets.set(id, { line, name: await budgetName(line, row, rows, names) });
      }
      if (budgets.size > mostBudgets) break;
    }
  }
  const labels = toLabels([...budgets].map(([key, { name }]) => ({ key, name, hints: [] })));
  return [...budgets].map(([id, { line, name }]) => toBudget(id, labels.get(id) ?? name, line, timeZone));
}

const mostBudgets = 500;

function budgetId({ subject, per }: BudgetLine, { channel, person, payer }: ReportRow): string {
  const workspace = workspaceOf(channel);
  switch (subject) {
    case 'person':
      return payer === undefined ? `${per} ${workspace} ${person}` : `${per} ${workspace} shared ${payer}`;
    case 'channel':
      return `${per} ${channelKey(channel)}`;
    case 'workspace':
    case 'money':
      return `${per} ${workspace}`;
    case 'total':
    case 'total-money':
      return per;
  }
}

/** `all`: where else the person was seen, and who else shares a budget. */
async function budgetName(
  { subject }: BudgetLine,
  row: ReportRow,
  all: readonly ReportRow[],
  names: ShownNames,
): Promise<string> {
  const where = decodeURIComponent(workspaceOf(row.channel));
  switch (subject) {
    case 'person':
      return `${await spenderName(row, all, names)} (${where}), today`;
    case 'channel':
      return `${await names.channel(channelKey(row.channel))} (${where}), today`;
    case 'workspace':
      return `${where}, today`;
    case 'money':
      return `${where}, this month`;
    case 'total':
      return 'Everything together, today';
    case 'total-money':
      return 'Everything together, this month';
  }
}

async function spenderName(
  { person, payer }: ReportRow,
  all: readonly ReportRow[],
  names: ShownNames,
): Promise<string> {
  if (person === nobody) return nobodyLabel;
  const seenIn = all.filter((one) => one.person === person).map(({ channel }) => channel);
  const name = await names.person(person, [...new Set(seenIn)]);
  if (payer === undefined) return name;
  const others = new Set(all.filter((one) => one.payer === payer).map((one) => one.person)).size - 1;
  return others === 0 ? name : `${name} and ${others} more who share a budget`;
}

function toBudget(id: string, name: string, line: BudgetLine, timeZone: string): UsageBudget {
  const isMoney = isMoneyBudget(line);
  const unit = isMoney ? nanosPerDollar : 1;
  return {
    id,
    name,
    used: (line.used + line.reserved) / unit,
    limit: line.limit / unit,
    unit: isMoney ? 'USD' : 'tokens',
    until: momentText(line.resetAt, timeZone),
  };
}
