import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Passwords, Rights } from './access.ts';
import type { Shelf } from './host.ts';
import { openRevokedSessions } from './revoked-sessions.ts';

/**
 * Who somebody is stands in a signed cookie; kept here are the key it is signed with, and which sessions were ended
 * before their time.
 */
export interface Session {
  /** The same in every cookie of the session. */
  id: string;
  person: { id: string; name: string };
  /** What a password gave, as long as it holds. */
  rights: Rights | undefined;
  /** When the password was given; stays when the rights are over. */
  since: number | undefined;
  /** When the session began; all times are ms since 1970. */
  born: number;
}

/** Of a browser that has logged in before: a signed mark, of no other use. */
export interface Mark {
  id: string;
  rights: Rights;
}

export interface Sessions {
  cookieName: string;
  markName: string;
  /** For other things that must not be guessed. */
  secret: string;
  lifeSeconds: number;
  markSeconds: number;
  /** Somebody new, and what a password gave. */
  begin(name: string | undefined, rights: Rights | undefined): Session;
  sign(session: Session): string;
  read(token: string | undefined): SignedSession | undefined;
  /** Old enough to be signed anew. */
  isAging(session: SignedSession): boolean;
  /** Whether it is what it was when it was read: not ended, and its rights not over. */
  holds(session: Session): boolean;
  /** Resolves when no cookie of it opens anything any more, after a restart too. */
  end(session: Session): Promise<void>;
  /** The same for every session that a password opened. */
  endAll(): Promise<void>;
  signMark(mark: Mark): string;
  readMark(token: string | undefined): Mark | undefined;
}

interface SignedSession extends Session {
  /** When this cookie was signed. */
  at: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A cookie that is not used for so long is void. */
const cookieMs = 30 * dayMs;
/** However often it is used: browsers keep no cookie for longer. */
const sessionMs = 400 * dayMs;
/** After so long the password is asked for again, whatever was done meanwhile. */
const rightsMs: Record<Rights, number> = { console: 30 * dayMs, admin: 12 * hourMs };
const markMs = 180 * dayMs;
const keyName = 'session-key';
const maxTokenChars = 2000;

const rightsSchema = z.enum(['console', 'admin']);

/** Cookies of the first version have no id and no beginning. */
const sessionSchema = z.object({
  id: z.string().optional(),
  person: z.object({ id: z.string(), name: z.string() }),
  rights: rightsSchema.optional(),
  since: z.number().optional(),
  born: z.number().optional(),
  at: z.number(),
});

const markSchema = z.object({ mark: z.string(), rights: rightsSchema, at: z.number() });

export async function openSessions(shelf: Shelf, passwords: Passwords, now: () => number): Promise<Sessions> {
  const root = await rootKey(shelf);
  const revoked = await openRevokedSessions(shelf, now);
  // With another password, whoever came in by the old one is out.
  const key = createHmac('sha256', root)
    .update(JSON.stringify([passwords.app, passwords.admin]))
    .digest();
  const seal = createSeal(key);
  // Cookies know no port: two consoles of one machine must not take each other's away.
  const cookieName = `channelore_${createHmac('sha256', root).update('cookie').digest('hex').slice(0, 8)}`;

  const isOver = ({ since, rights }: Pick<Session, 'since' | 'rights'>): boolean =>
    rights !== undefined && now() - (since ?? 0) > rightsMs[rights];

  return {
    cookieName,
    markName: `${cookieName}_known`,
    secret: createHmac('sha256', root).update('secret').digest('hex'),
    lifeSeconds: cookieMs / 1000,
    markSeconds: markMs / 1000,
    begin(name, rights) {
      const { id, name: own } = newPerson();
      const at = now();
      const since = rights === undefined ? undefined : at;
      return { id: randomBytes(12).toString('hex'), person: { id, name: name ?? own }, rights, since, born: at };
    },
    sign: (session) => seal.close({ ...session, at: now() }),
    read(token) {
      const opened = sessionSchema.safeParse(seal.open(token));
      if (!opened.success) return undefined;
      const { person, at, rights } = opened.data;
      const { id = digestOf(token ?? ''), born = at, since = rights && at } = opened.data;
      if (now() - at > cookieMs || now() - born > sessionMs || revoked.has({ id, since })) return undefined;
      return { id, person, rights: isOver({ since, rights }) ? undefined : rights, since, born, at };
    },
    isAging: ({ at }) => now() - at > dayMs,
    holds: (session) => !revoked.has(session) && !isOver(session),
    async end({ id, since }) {
      // Who gave no password has nothing that others could want, and there is no end of such sessions.
      if (since !== undefined) await revoked.revoke(id, now() + sessionMs);
    },
    endAll: revoked.revokeAll,
    signMark: ({ id, rights }) => seal.close({ mark: id, rights, at: now() }),
    readMark(token) {
      const opened = markSchema.safeParse(seal.open(token));
      if (!opened.success || now() - opened.data.at > markMs) return undefined;
      return { id: opened.data.mark, rights: opened.data.rights };
    },
  };
}

export function newMarkId(): string {
  return randomBytes(12).toString('hex');
}

/** Values that only we can have written. */
function createSeal(key: Buffer): { close(value: object): string; open(token: string | undefined): unknown } {
  const signatureOf = (body: string): Buffer => createHmac('sha256', key).update(body).digest();
  return {
    close(value) {
      const body = Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${body}.${signatureOf(body).toString('base64url')}`;
    },
    open(token) {
      if (token === undefined || token.length > maxTokenChars) return undefined;
      const [body = '', given = ''] = token.split('.');
      const wanted = signatureOf(body);
      const signature = Buffer.from(given, 'base64url');
      if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)) return undefined;
      return JSON.parse(Buffer.from(body, 'base64url').toString());
    },
  };
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 24);
}

async function rootKey(shelf: Shelf): Promise<Buffer> {
  const kept = z.string().safeParse(await shelf.get(keyName));
  if (kept.success) return Buffer.from(kept.data, 'base64url');
  const made = randomBytes(32);
  await shelf.put(keyName, made.toString('base64url'));
  return made;
}

function newPerson(): Session['person'] {
  const id = randomBytes(8).toString('hex');
  return { id, name: `Guest ${(Number.parseInt(id.slice(0, 6), 16) % 900) + 100}` };
}
