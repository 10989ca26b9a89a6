import { z } from 'zod';
import type { Shelf } from './host.ts';

/** Sessions that were ended before their time, on the shelf: a cookie that somebody kept opens nothing any more. */
export interface RevokedSessions {
  has(session: Revocable): boolean;
  /** Resolves when it is kept. `until`: after that its cookies are void anyway. */
  revoke(id: string, until: number): Promise<void>;
  /** Every session that a password opened up to now. */
  revokeAll(): Promise<void>;
}

interface Revocable {
  id: string;
  /** When the password was given; nothing where none was. */
  since: number | undefined;
}

const prefix = 'revoked/';
const allKey = 'sessions-ended';
/** Logins are limited, so that nobody fills it; the one that is void first makes room. */
const maxRevoked = 10_000;

export async function openRevokedSessions(shelf: Shelf, now: () => number): Promise<RevokedSessions> {
  const until = new Map<string, number>();
  for (const { key, value } of await shelf.list(prefix)) {
    const end = z.number().safeParse(value);
    if (end.success) until.set(key.slice(prefix.length), end.data);
  }
  const kept = z.number().safeParse(await shelf.get(allKey));
  let endedBefore = kept.success ? kept.data : 0;

  async function makeRoom(): Promise<void> {
    const byEnd = [...until].sort(([, one], [, other]) => one - other);
    const gone = byEnd.filter(([, end], n) => end <= now() || byEnd.length - n > maxRevoked).map(([id]) => id);
    for (const id of gone) until.delete(id);
    if (gone.length > 0) await shelf.remove(gone.map((id) => `${prefix}${id}`));
  }

  return {
    has: ({ id, since }) => until.has(id) || (since !== undefined && since <= endedBefore),
    async revoke(id, end) {
      await shelf.put(`${prefix}${id}`, end);
      until.set(id, end);
      await makeRoom();
    },
    async revokeAll() {
      const at = now();
      await shelf.put(allKey, at);
      endedBefore = at;
    },
  };
}
