import { type AuditRecord, auditKind } from '../operations/audit.ts';
import type { Store } from '../storage/store.ts';

/** Who did what, newest first, for admins. */
export interface AuditTrail {
  entries: (AuditRecord & { id: string })[];
  more: boolean;
}

/** `before`: the id of the last entry of the page above. */
export async function readAudit(store: Store, range: { before?: string; limit: number }): Promise<AuditTrail> {
  const { before, limit } = range;
  const found = await store.list(auditKind, '', {
    reverse: true,
    limit: limit + 1,
    ...(before !== undefined && { after: before }),
  });
  const entries: AuditTrail['entries'] = [];
  for (const one of found.slice(0, limit)) {
    try {
      entries.push({ ...one.read(), id: one.id });
    } catch {
      // One damaged entry hides none of the others.
    }
  }
  return { entries, more: found.length > limit };
}
