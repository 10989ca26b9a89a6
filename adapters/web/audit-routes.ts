import { refusal, toJson } from './answers.ts';
import type { MemoryViews } from './host.ts';
import type { Route } from './route.ts';
import type { AuditAnswer } from './wire.ts';

/** Who did what, newest first. */

const mostEntries = 200;
const maxIdChars = 100;

export function auditRoutes(views: Pick<MemoryViews, 'audit'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/audit',
      rights: 'admin',
      async handle(c) {
        const before = c.req.query('before');
        const limit = Number(c.req.query('limit') ?? mostEntries);
        if (!Number.isInteger(limit) || limit < 1 || limit > mostEntries)
          throw refusal(400, `limit is a whole number from 1 to ${mostEntries}.`);
        if (before !== undefined && !isId(before)) throw refusal(400, 'before is the id of an entry.');
        const answer: AuditAnswer = await views.audit({ limit, ...(before !== undefined && { before }) });
        return toJson(answer);
      },
    },
  ];
}

function isId(text: string): boolean {
  return text.length <= maxIdChars && /^[\w:.-]+$/.test(text);
}
