import type { Access } from './access.ts';
import { readBody, refusal } from './answers.ts';
import type { Documents } from './documents.ts';
import type { Entrance } from './entrance.ts';
import type { ConsoleHost } from './host.ts';
import type { Live } from './live.ts';
import type { LoginLimits } from './login-limits.ts';
import type { PageFiles } from './page-files.ts';
import type { Route, Visitor, WebContext } from './route.ts';
import type { Sessions } from './sessions.ts';
import type { Vendor } from './vendor.ts';
import { adminsOnly, redirect } from './web-app.ts';

/** The documents, what they load, and the way in and out. */
interface EntryDeps {
  access: Access;
  entrance: Entrance;
  limits: LoginLimits;
  documents: Documents;
  files: PageFiles;
  vendor: Vendor;
  sessions: Pick<Sessions, 'endAll'>;
  live: Pick<Live, 'recheck'>;
  /** What belongs to a person is theirs under the new name. */
  handOver(from: string, to: string): Promise<void>;
  audit: ConsoleHost['audit'];
  callerOf: ConsoleHost['callerOf'];
  now(): number;
}

const maxFormBytes = 10_000;
/** A password is a line: whoever takes longer holds a connection for nothing. */
const formMs = 10_000;

export function entryRoutes(deps: EntryDeps): Route[] {
  const { access, entrance, limits, documents, files, vendor, sessions, handOver, live, audit, callerOf, now } = deps;

  async function logIn(c: WebContext): Promise<Response> {
    const form = new URLSearchParams((await readBody(c.req.raw, maxFormBytes, formMs)).toString('utf8'));
    const { address } = callerOf(c.env.incoming);
    const { retryAt, most, succeeded } = limits.attempt({ address, mark: entrance.markOf(c) });
    const rights = most === undefined ? undefined : access.rightsFor(form.get('password') ?? '');
    if (rights !== undefined && (most === 'admin' || rights === most)) {
      succeeded();
      const { session, before, cookies } = await entrance.logIn(c, rights);
      if (before !== undefined) await handOver(before.person.id, session.person.id);
      live.recheck();
      audit.note({ what: 'login', who: `web:${session.person.id}`, from: address, detail: rights });
      return redirect('/', cookies);
    }
    if (retryAt === undefined) {
      audit.note({ what: 'login-refused', who: address, from: address });
      return await documents.login('This is not the password.', 401);
    }
    audit.note({ what: 'locked-out', who: address, from: address });
    const seconds = Math.max(1, Math.ceil((retryAt - now()) / 1000));
    const message = `Too many attempts. Try again in ${seconds} s.`;
    return await documents.login(message, 429, { 'retry-after': String(seconds) });
  }

  /** Pages that are open end with it. */
  async function logOut(c: WebContext): Promise<Response> {
    const { before, cookies } = await entrance.logOut(c);
    live.recheck();
    const { address } = callerOf(c.env.incoming);
    if (before?.since !== undefined) audit.note({ what: 'logout', who: `web:${before.person.id}`, from: address });
    return redirect(access.hasLogin ? '/login' : '/', cookies);
  }

  async function logOutEverybody(c: WebContext, { person, address }: Visitor): Promise<Response> {
    await sessions.endAll();
    live.recheck();
    audit.note({ what: 'logout', who: `web:${person.id}`, from: address, detail: 'everybody' });
    return await logOut(c);
  }

  return [
    { method: 'GET', path: '/', rights: 'console', handle: () => documents.console() },
    { method: 'GET', path: '/usage', rights: 'admin', command: 'usage', handle: () => documents.console() },
    {
      method: 'GET',
      path: '/login',
      rights: 'public',
      async handle(c) {
        if (!access.hasLogin) return redirect('/');
        const why =
          c.req.query('for') === adminsOnly ? 'That page is for admins. Log in with the admin password.' : undefined;
        return await documents.login(why, 200);
      },
    },
    { method: 'POST', path: '/login', rights: 'public', handle: logIn },
    {
      method: 'POST',
      path: '/logout',
      rights: 'public',
      handle: logOut,
    },
    { method: 'POST', path: '/logout/everybody', rights: 'admin', command: undefined, handle: logOutEverybody },
    {
      method: 'GET',
      path: '/assets/*',
      rights: 'public',
      async handle(c) {
        const file = await files.get(c.req.path.slice('/assets/'.length));
        if (file === undefined) throw refusal(404, 'There is nothing here.');
        return await file.respond(c.req.raw);
      },
    },
    {
      method: 'GET',
      path: '/vendor/*',
      rights: 'public',
      async handle(c) {
        const file = await vendor.get(c.req.path.slice('/vendor/'.length));
        if (file === undefined) throw refusal(404, 'There is nothing here.');
        return await file.respond(c.req.raw, { 'cache-control': 'public, max-age=31536000, immutable' });
      },
    },
  ];
}
