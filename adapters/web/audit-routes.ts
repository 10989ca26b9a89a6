import { isIP } from 'node:net';
import { refusal, toJson } from './answers.ts';
import type { MemoryViews } from './host.ts';
import type { Route } from './route.ts';
import type { AuditAnswer } from './wire.ts';

/** The audit trail, newest first. */

const mostEntries = 200;
const maxIdChars = 100;

interface AuditDeps {
  views: Pick<MemoryViews, 'audit'>;
  /** Undefined when entries of all platforms may be seen. */
  platform: string | undefined;
}

export function auditRoutes({ views, platform }: AuditDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/audit',
      rights: 'admin',
      command: 'usage',
      async handle(c) {
        const before = c.req.query('before');
        const limit = Number(c.req.query('limit') ?? mostEntries);
        if (!Number.isInteger(limit) || limit < 1 || limit > mostEntries)
          throw refusal(400, `limit is a whole number from 1 to ${mostEntries}.`);
        if (before !== undefined && !isId(before)) throw refusal(400, 'before is the id of an entry.');
        const { entries, more } = await views.audit({ limit, ...(before !== undefined && { before }) });
        const answer: AuditAnswer = { entries: entries.filter((entry) => isOf(entry, platform)), more };
        return toJson(answer);
      },
    },
  ];
}

function isId(text: string): boolean {
  return text.length <= maxIdChars && /^[\w:.-]+$/.test(text);
}

/** Whoever has not logged in is no person of any platform. */
function isOf({ who, channel }: AuditAnswer['entries'][number], platform: string | undefined): boolean {
  if (platform === undefined) return true;
  const isTheirs = isIP(who) !== 0 || who.startsWith(`${platform}:`);
  return isTheirs && (channel === undefined || channel.startsWith(`${platform}/`));
}
