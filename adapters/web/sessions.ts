import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Passwords } from './access.ts';
import type { Shelf } from './host.ts';

/** Who somebody is stands in a signed cookie; nothing of it is kept here but the key it is signed with. */
export interface Session {
  person: { id: string; name: string };
  /** What a password gave. */
  rights: 'console' | 'admin' | undefined;
  /** When it was signed, ms since 1970. */
  at: number;
}

export interface Sessions {
  cookieName: string;
  /** For other things that must not be guessed. */
  secret: string;
  lifeSeconds: number;
  sign(session: Omit<Session, 'at'>): string;
  read(token: string | undefined): Session | undefined;
  /** Old enough to be signed anew. */
  isAging(session: Session): boolean;
}

const dayMs = 86_400_000;
const lifeDays = 30;
const keyName = 'session-key';
const maxTokenChars = 2000;

const sessionSchema = z.object({
  person: z.object({ id: z.string(), name: z.string() }),
  rights: z.enum(['console', 'admin']).optional(),
  at: z.number(),
});

export async function openSessions(shelf: Shelf, passwords: Passwords, now: () => number): Promise<Sessions> {
  const root = await rootKey(shelf);
  // With another password, whoever came in by the old one is out.
  const key = createHmac('sha256', root)
    .update(JSON.stringify([passwords.app, passwords.admin]))
    .digest();
  const mark = (body: string): Buffer => createHmac('sha256', key).update(body).digest();

  return {
    // Cookies know no port: two consoles of one machine must not take each other's away.
    cookieName: `channelore_${createHmac('sha256', root).update('cookie').digest('hex').slice(0, 8)}`,
    secret: createHmac('sha256', root).update('secret').digest('hex'),
    lifeSeconds: (lifeDays * dayMs) / 1000,
    sign(session) {
      const body = Buffer.from(JSON.stringify({ ...session, at: now() })).toString('base64url');
      return `${body}.${mark(body).toString('base64url')}`;
    },
    read(token) {
      if (token === undefined || token.length > maxTokenChars) return undefined;
      const [body = '', given = ''] = token.split('.');
      const wanted = mark(body);
      const marked = Buffer.from(given, 'base64url');
      if (marked.length !== wanted.length || !timingSafeEqual(marked, wanted)) return undefined;
      const session = sessionSchema.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()));
      if (!session.success || now() - session.data.at > lifeDays * dayMs) return undefined;
      return { ...session.data, rights: session.data.rights };
    },
    isAging: (session) => now() - session.at > dayMs,
  };
}

async function rootKey(shelf: Shelf): Promise<Buffer> {
  const kept = z.string().safeParse(await shelf.get(keyName));
  if (kept.success) return Buffer.from(kept.data, 'base64url');
  const made = randomBytes(32);
  await shelf.put(keyName, made.toString('base64url'));
  return made;
}

export function newPerson(): Session['person'] {
  const id = randomBytes(8).toString('hex');
  return { id, name: `Guest ${(Number.parseInt(id.slice(0, 6), 16) % 900) + 100}` };
}
