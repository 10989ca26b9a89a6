import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import { type RecordKind, record, type Store } from '../storage/store.ts';

/**
 * A trace of who did what: one line in the log and one record in the store each. It holds ids, addresses and words of
 * the program's own, and no text that anybody wrote.
 */
export interface Audit {
  /** Never fails and is not waited for: a trace that cannot be written stops nobody, and the log says so. */
  note(entry: AuditEntry): void;
  /** Resolves when what was noted is written, or could not be. */
  idle(): Promise<void>;
  /** Erases what was noted before that time, and the oldest where there is too much. */
  sweep(before: number): Promise<void>;
}

const auditActions = [
  'login',
  'login-refused',
  /** Too many wrong passwords: the address has to wait. */
  'locked-out',
  'logout',
  /** A command or a page that the person may not use. */
  'refused',
  /** An admin read another person's or platform's channel. */
  'read',
  'export',
  'erasure',
  'setting',
  'role',
  'reset',
  'undo',
  /** Summaries were written anew. */
  'rewrite',
] as const;

export type AuditAction = (typeof auditActions)[number];

export interface AuditEntry {
  what: AuditAction;
  /** `platform:id`; of a failed login the address. */
  who: string;
  /** The platform, or the address of the client. */
  from: string;
  channel?: ChannelId | undefined;
  /** Name of a command, a setting or a route. */
  detail?: string | undefined;
}

const maxFieldChars = 300;
const field = z.string().max(maxFieldChars);

const auditSchema = z.object({
  at: z.number(),
  what: z.enum(auditActions),
  who: field,
  from: field,
  channel: z.string().optional(),
  detail: field.optional(),
  /** How often the same was noted, until `lastAt`. */
  times: z.number(),
  lastAt: z.number(),
});

export type AuditRecord = z.infer<typeof auditSchema>;

/** The ids are in the order of time. */
export const auditKind: RecordKind<AuditRecord> = { name: 'audit', version: 1, schema: auditSchema, upgrades: {} };

/** Whoever repeats these within a while is noted with a count, so that nobody fills the store with refusals. */
const repeatable: readonly AuditAction[] = ['login-refused', 'locked-out', 'refused', 'read'];
const repeatMs = 10 * 60_000;
const maxRecent = 1000;
/** More than this wait to be written only where the store is down: the newest are then in the log alone. */
const maxPending = 5000;
const maxKept = 100_000;
const sweepBatch = 500;

interface AuditDeps {
  store: Store;
  log: Log;
  now(): number;
}

export function createAudit({ store, log, now }: AuditDeps): Audit {
  const run = randomBytes(4).toString('hex');
  /** What is repeated, with the record that counts it. The oldest first. */
  const recent = new Map<string, { id: string; value: AuditRecord }>();
  const pending = new Map<string, AuditRecord>();
  let noted = 0;
  let writing: Promise<void> | undefined;

  function toEntry(value: AuditRecord): { id: string; value: AuditRecord } {
    const key = JSON.stringify([value.what, value.who, value.from, value.channel, value.detail]);
    const before = recent.get(key);
    if (before !== undefined && value.at - before.value.at < repeatMs) {
      before.value = { ...before.value, times: before.value.times + 1, lastAt: value.at };
      return before;
    }
    noted += 1;
    const entry = { id: `${toIdStart(value.at)}-${String(noted).padStart(9, '0')}-${run}`, value };
    if (!repeatable.includes(value.what)) return entry;
    recent.delete(key);
    recent.set(key, entry);
    const [oldest] = recent.keys();
    if (recent.size > maxRecent && oldest !== undefined) recent.delete(oldest);
    return entry;
  }

  async function write(): Promise<void> {
    while (pending.size > 0) {
      const batch = [...pending];
      pending.clear();
      try {
        await store.commit(batch.map(([id, value]) => record(auditKind, id, value)));
      } catch (error) {
        // The next entry tries again; a later count of the same entry stays.
        for (const [id, value] of batch) if (!pending.has(id)) keep(id, value);
        log.error({ error, waiting: pending.size }, 'the audit trail could not be written');
        break;
      }
    }
    writing = undefined;
  }

  function keep(id: string, value: AuditRecord): void {
    if (pending.size < maxPending) pending.set(id, value);
  }

  async function flush(): Promise<void> {
    if (pending.size > 0) writing ??= write();
    await writing;
  }

  async function allIds(): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const after = ids.at(-1);
      const found = await store.list(auditKind, '', { limit: sweepBatch, ...(after !== undefined && { after }) });
      ids.push(...found.map(({ id }) => id));
      if (found.length < sweepBatch) return ids;
    }
  }

  return {
    note({ what, who, from, channel, detail }) {
      const at = now();
      const shown = {
        at,
        what,
        who: clipped(who),
        from: clipped(from),
        ...(channel !== undefined && { channel }),
        ...(detail !== undefined && { detail: clipped(detail) }),
      };
      log.info({ audit: shown }, 'audit');
      const entry = toEntry({ ...shown, times: 1, lastAt: at });
      keep(entry.id, entry.value);
      void flush();
    },

    idle: flush,

    async sweep(before) {
      await flush();
      const ids = await allIds();
      const old = ids.filter((id) => id < toIdStart(before)).length;
      const gone = ids.slice(0, Math.max(old, ids.length - maxKept));
      for (let at = 0; at < gone.length; at += sweepBatch) {
        await store.erase(gone.slice(at, at + sweepBatch).map((id) => `${auditKind.name}:${id}`));
      }
    },
  };
}

function toIdStart(at: number): string {
  return new Date(at).toISOString();
}

function clipped(text: string): string {
  return text.slice(0, maxFieldChars).toWellFormed();
}
