import { getCookie } from 'hono/cookie';
import { serialize } from 'hono/utils/cookie';
import type { Access, Rights } from './access.ts';
import type { ConsoleHost } from './host.ts';
import type { Visitor, WebContext } from './route.ts';
import { newPerson, type Session, type Sessions } from './sessions.ts';

/** Tells who comes in, and gives whoever may come in a session. */
export interface Entrance {
  visit(c: WebContext): Visit;
  /** As a header, for a session that begins or changes. */
  toCookie(c: WebContext, session: Omit<Session, 'at'>): string;
  /** As a header: there is no session any more. */
  noCookie(c: WebContext): string;
}

export interface Visit {
  session: Omit<Session, 'at'> | undefined;
  /** Nothing where a password is needed first. */
  visitor: Visitor | undefined;
  /** To be set with the answer. */
  cookie: string | undefined;
}

interface EntranceDeps {
  access: Access;
  sessions: Sessions;
  callerOf: ConsoleHost['callerOf'];
}

export function createEntrance({ access, sessions, callerOf }: EntranceDeps): Entrance {
  function toHeader(c: WebContext, value: string, maxAge: number): string {
    const { secure } = callerOf(c.env.incoming);
    return serialize(sessions.cookieName, value, { path: '/', httpOnly: true, sameSite: 'Strict', secure, maxAge });
  }

  const toCookie = (c: WebContext, session: Omit<Session, 'at'>): string =>
    toHeader(c, sessions.sign(session), sessions.lifeSeconds);

  return {
    toCookie,
    noCookie: (c) => toHeader(c, '', 0),
    visit(c) {
      const found = sessions.read(getCookie(c, sessions.cookieName));
      const rights = greater(found?.rights, access.open);
      if (rights === undefined) return { session: found, visitor: undefined, cookie: undefined };
      const session = found ?? { person: newPerson(), rights: undefined };
      const cookie = found === undefined || sessions.isAging(found) ? toCookie(c, session) : undefined;
      return { session, visitor: { person: session.person, admin: rights === 'admin' }, cookie };
    },
  };
}

function greater(one: Rights | undefined, other: Rights | undefined): Rights | undefined {
  return one === 'admin' || other === 'admin' ? 'admin' : (one ?? other);
}
