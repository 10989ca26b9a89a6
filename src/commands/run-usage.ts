import { createShownNames } from '../conversation/shown-names.ts';
import { type Notice, parentChannel } from '../event.ts';
import { daysChart, groupsChart } from '../usage/charts.ts';
import { periodRange } from '../usage/days.ts';
import type { ReportRow } from '../usage/ledger.ts';
import { nobody, workspaceOf } from '../usage/usage-record.ts';
import { usageTable } from '../usage/usage-table.ts';
import { type CommandDeps, type Context, privately, type Result } from './context.ts';

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
  const nameOf = await namesIn(deps, rows);
  const budgets = await deps.ledger.remaining(channel, author.id);
  const table = usageTable(rows, {
    by,
    nameOf: (id) => (direct && id === author.id ? 'you' : nameOf(id)),
    period: range.label,
    asOf: deps.pricesAsOf,
    budgets,
    timeZone: deps.timeZone,
  });
  const text = isAdmin ? table : `${table}\nThis is your own usage; admins see everybody's.`;
  return privately(text, { files: await picture(context, rows, { by, range, nameOf }) });
}

interface Drawn {
  by: (typeof groupings)[number];
  range: { from: string; to: string };
  nameOf: (id: string) => string;
}

/** Nothing that anybody waits for in vain: without a picture the table says it all. */
async function picture(
  { deps }: Context,
  rows: readonly ReportRow[],
  { by, range, nameOf }: Drawn,
): Promise<Notice['files']> {
  if (rows.length === 0) return [];
  const chart =
    by === 'day'
      ? daysChart(rows, range.from, range.to)
      : groupsChart(
          by,
          rows.map((row) => ({
            ...row,
            group: nameOf(by === 'channel' ? (parentChannel(row.channel) ?? row.channel) : row[by]),
          })),
        );
  try {
    const content = Buffer.from(await deps.draw(chart)).toString('base64');
    return [{ name: `usage-by-${by}.png`, mime: 'image/png', content, encoding: 'base64' }];
  } catch (error) {
    deps.log.warn({ error }, 'a chart could not be drawn');
    return [];
  }
}

/** People by the names they are shown by, channels by theirs. */
async function namesIn(deps: CommandDeps, rows: readonly ReportRow[]): Promise<(id: string) => string> {
  const names = createShownNames(deps.memory.conversations);
  const known = new Map<string, string>([[nobody, 'upkeep']]);
  for (const { channel, person } of rows) {
    const above = parentChannel(channel) ?? channel;
    if (!known.has(above)) known.set(above, await names.channel(above));
    if (!known.has(person)) known.set(person, await names.person(channel, person));
  }
  return (id) => known.get(id) ?? id;
}
