import { refusal, toJson } from './answers.ts';
import { toDownload } from './file-routes.ts';
import type { ConsoleHost, UsageView } from './host.ts';
import type { Route, Visitor, WebContext } from './route.ts';
import { toCsv } from './usage-csv.ts';
import type { UsageReport } from './views.ts';

/** What everybody used, to be looked at and to be taken along. */

const mostDays = 800;
const dayMs = 86_400_000;

interface UsageDeps {
  usage: UsageView;
  /** Undefined when entries of all platforms may be seen. */
  platform: string | undefined;
  audit: ConsoleHost['audit'];
}

export function usageRoutes({ usage, platform, audit }: UsageDeps): Route[] {
  async function report(c: WebContext): Promise<UsageReport> {
    const from = mustBeDay(c.req.query('from'));
    const to = mustBeDay(c.req.query('to'));
    const days = (Date.parse(to) - Date.parse(from)) / dayMs;
    if (days < 0 || days > mostDays)
      throw refusal(400, `The days go from the first to the last, at most ${mostDays} of them.`);
    return await usage.report({ from, to, platform });
  }

  function noteExport({ person, address }: Visitor, detail: string): void {
    audit.note({ what: 'export', who: `web:${person.id}`, from: address, detail });
  }

  const toFileName = ({ from, to }: Pick<UsageReport, 'from' | 'to'>, ending: string): string =>
    `usage-${from}-${to}.${ending}`;

  return [
    {
      method: 'GET',
      path: '/api/usage',
      rights: 'admin',
      command: 'usage',
      handle: async (c) => toJson(await report(c)),
    },
    {
      method: 'GET',
      path: '/api/usage.csv',
      rights: 'admin',
      command: 'usage',
      async handle(c, visitor) {
        const made = await report(c);
        noteExport(visitor, 'usage.csv');
        return toDownload(toFileName(made, 'csv'), 'text/csv; charset=utf-8', toCsv(made.rows));
      },
    },
    {
      method: 'GET',
      path: '/api/usage.json',
      rights: 'admin',
      command: 'usage',
      async handle(c, visitor) {
        const { charts: _, ...made } = await report(c);
        noteExport(visitor, 'usage.json');
        return toDownload(toFileName(made, 'json'), 'application/json', `${JSON.stringify(made, null, 2)}\n`);
      },
    },
  ];
}

function mustBeDay(text: string | undefined): string {
  const isDay = text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isDay || new Date(text).toISOString().slice(0, 10) !== text)
    throw refusal(400, 'from and to are days such as 2026-11-21.');
  return text;
}
