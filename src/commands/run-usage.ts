import { channelKey, createShownNames, labelsOf } from '../conversation/shown-names.ts';
import type { Notice } from '../event.ts';
import { daysChart, groupsChart } from '../usage/charts.ts';
import { periodRange } from '../usage/days.ts';
import type { ReportRow } from '../usage/ledger.ts';
import { nobody, nobodyLabel, workspaceOf } from '../usage/usage-record.ts';
import { type GroupedRow, usageTable } from '../usage/usage-table.ts';
import { type Context, privately, type Result } from './context.ts';

/** What was spent: everything in the workspace for an admin, one's own for anyone. */

const groupings = ['person', 'channel', 'model', 'kind', 'day'] as const;

export async function showUsage(context: Context): Promise<Result> {
  const { deps, channel, author, isAdmin, direct, values } = context;
  const period = values.period === 'week' || values.period === 'month' ? values.period : 'today';
  const by = groupings.find((one) => one === values.by) ?? (isAdmin ? 'person' : 'model');
  const range = periodRange(period, deps.now(), deps.timeZone);
  const rows = await deps.ledger.report({
    workspace: workspaceOf(channel),
    ...(isAdmin ? {} : { person: author.id }),
    from: range.from,
    to: range.to,
  });
  const labels = await labelsOf(rows, createShownNames(deps.memory.conversations), fixedLabels);
  const labelOf = (row: ReportRow): string => {
    if (by === 'channel') return labels.channel(row.channel);
    if (by === 'kind') return kindNames[row.kind];
    if (by !== 'person') return row[by];
    return direct && row.person === author.id ? 'you' : labels.person(row);
  };
  const grouped = rows.map((row) => ({ ...row, group: groupOf(row, by), label: labelOf(row) }));
  const budgets = await deps.ledger.remaining({ channel, person: author.id, payer: author.payer });
  const table = usageTable(grouped, {
    by,
    period: range.label,
    asOf: deps.pricesAsOf,
    budgets,
    timeZone: deps.timeZone,
  });
  const text = isAdmin ? table : `${table}\nThis is your own usage; admins see everybody's.`;
  return privately(text, { files: await picture(context, grouped, by, range) });
}

const kindNames = { answer: 'answers', fold: 'summaries', recall: 'recall' };
const fixedLabels = new Map([[nobody, nobodyLabel]]);

/** A thread counts as its channel. */
function groupOf(row: ReportRow, by: (typeof groupings)[number]): string {
  return by === 'channel' ? channelKey(row.channel) : row[by];
}

/** Nothing that anybody waits for in vain: without a picture the table says it all. */
async function picture(
  { deps }: Context,
  rows: readonly GroupedRow[],
  by: (typeof groupings)[number],
  range: { from: string; to: string },
): Promise<Notice['files']> {
  if (rows.length === 0) return [];
  const chart = by === 'day' ? daysChart(rows, range.from, range.to) : groupsChart(by, rows);
  try {
    const content = Buffer.from(await deps.draw(chart)).toString('base64');
    return [{ name: `usage-by-${by}.png`, mime: 'image/png', content, encoding: 'base64' }];
  } catch (error) {
    deps.log.warn({ error }, 'a chart could not be drawn');
    return [];
  }
}
