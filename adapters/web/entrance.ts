import { createHmac } from 'node:crypto';
import { getCookie } from 'hono/cookie';
import { serialize } from 'hono/utils/cookie';
import { type Access, greater, type Rights } from './access.ts';
import type { ConsoleHost } from './host.ts';
import { toNetwork } from './login-limits.ts';
import type { Visitor, WebContext } from './route.ts';
import { type Mark, newMarkId, type Session, type Sessions } from './sessions.ts';

/** Tells who comes in, and gives whoever may come in a session. Cookies are given as headers, to be set. */
export interface Entrance {
  visit(c: WebContext): Visit;
  /** The mark of a browser that has logged in before. */
  markOf(c: WebContext): Mark | undefined;
  /** A session of its own for somebody who gave a password; the one before it opens nothing any more. */
  logIn(c: WebContext, rights: Rights): Promise<{ session: Session; before: Session | undefined; cookies: string[] }>;
  logOut(c: WebContext): Promise<{ before: Session | undefined; cookies: string[] }>;
  rename(c: WebContext, name: string): { person: Session['person']; cookie: string };
}

export interface Visit {
  session: Session | undefined;
  /** Nothing where a password is needed first. */
  visitor: Visitor | undefined;
  /** To be set with the answer. */
  cookie: string | undefined;
}

interface EntranceDeps {
  access: Access;
  sessions: Sessions;
  callerOf: ConsoleHost['callerOf'];
  now(): number;
}

/** Until then what somebody uses is paid by their address: a cookie is thrown away in no time. */
const youngMs = 86_400_000;

export function createEntrance({ access, sessions, callerOf, now }: EntranceDeps): Entrance {
  /** Over TLS by a name that no other host or port, and no page without TLS, can have set. */
  const nameOf = (c: WebContext, name: string): string => (callerOf(c.env.incoming).secure ? `__Host-${name}` : name);

  function toHeader(c: WebContext, name: string, value: string, maxAge: number): string {
    const { secure } = callerOf(c.env.incoming);
    return serialize(nameOf(c, name), value, { path: '/', httpOnly: true, sameSite: 'Strict', secure, maxAge });
  }

  const toCookie = (c: WebContext, session: Session): string =>
    toHeader(c, sessions.cookieName, sessions.sign(session), sessions.lifeSeconds);

  const read = (c: WebContext) => sessions.read(getCookie(c, nameOf(c, sessions.cookieName)));

  function markOf(c: WebContext): Mark | undefined {
    return sessions.readMark(getCookie(c, nameOf(c, sessions.markName)));
  }

  function toVisitor(c: WebContext, session: Session, rights: Rights): Visitor {
    const { address } = callerOf(c.env.incoming);
    const network = createHmac('sha256', sessions.secret).update(toNetwork(address)).digest('hex').slice(0, 16);
    return {
      person: session.person,
      admin: rights === 'admin',
      address,
      session: session.id,
      payer: now() - session.born < youngMs ? `address-${network}` : undefined,
      holds: () => sessions.holds(session),
    };
  }

  return {
    markOf,
    visit(c) {
      const found = read(c);
      const rights = greater(found?.rights, access.open);
      if (rights === undefined) return { session: found, visitor: undefined, cookie: undefined };
      const session = found ?? sessions.begin(undefined, undefined);
      const cookie = found === undefined || sessions.isAging(found) ? toCookie(c, session) : undefined;
      return { session, visitor: toVisitor(c, session, rights), cookie };
    },
    async logIn(c, rights) {
      const before = read(c);
      // Somebody new: whoever may have put the cookie there before must not share what comes now.
      const session = sessions.begin(before?.person.name, rights);
      const known = markOf(c);
      const mark: Mark = { id: known?.id ?? newMarkId(), rights: greater(known?.rights, rights) ?? rights };
      if (before !== undefined) await sessions.end(before);
      const marked = toHeader(c, sessions.markName, sessions.signMark(mark), sessions.markSeconds);
      return { session, before, cookies: [toCookie(c, session), marked] };
    },
    async logOut(c) {
      const before = read(c);
      if (before !== undefined) await sessions.end(before);
      return { before, cookies: [toHeader(c, sessions.cookieName, '', 0)] };
    },
    rename(c, name) {
      const session = read(c) ?? sessions.begin(undefined, undefined);
      const person = { ...session.person, name };
      return { person, cookie: toCookie(c, { ...session, person }) };
    },
  };
}
