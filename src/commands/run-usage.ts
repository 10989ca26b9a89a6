import { nobody } from '../conversation/memory.ts';
import type { ChannelId } from '../event.ts';
import { periodRange } from '../usage/days.ts';
import type { ReportRow } from '../usage/ledger.ts';
import { workspaceOf } from '../usage/usage-record.ts';
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
  const nameOf = await names(deps, rows);
  const budgets = await deps.ledger.remaining(channel, author.id);
  const table = usageTable(rows, {
    by,
    nameOf: (id) => (direct && id === author.id ? 'you' : nameOf(id)),
    period: range.label,
    asOf: deps.pricesAsOf,
    budgets,
    timeZone: deps.timeZone,
  });
  return privately(isAdmin ? table : `${table}\nThis is your own usage; admins see everybody's.`);
}

/** People by the names they are shown by, channels by theirs. */
async function names(deps: CommandDeps, rows: readonly ReportRow[]): Promise<(id: string) => string> {
  const known = new Map<string, string>();
  for (const channel of new Set(rows.map((row) => row.channel))) {
    known.set(channel, channelName(channel));
    const { people } = (await deps.memory.conversations.read(channel)).head;
    for (const [id, person] of Object.entries(people)) known.set(id, person.shown);
  }
  return (id) => (id === nobody ? 'upkeep' : (known.get(id) ?? id));
}

function channelName(channel: ChannelId): string {
  return channel.split('/').slice(2).map(decodeURIComponent).join(' › ');
}
