import type { Access } from './access.ts';
import { readBody, refusal } from './answers.ts';
import type { Documents } from './documents.ts';
import type { Entrance } from './entrance.ts';
import type { ConsoleHost } from './host.ts';
import type { LoginLimits } from './login-limits.ts';
import type { PageFiles } from './page-files.ts';
import type { Route, WebContext } from './route.ts';
import { newPerson } from './sessions.ts';
import type { Vendor } from './vendor.ts';
import { redirect } from './web-app.ts';

/** The documents, what they load, and the way in and out. */
interface EntryDeps {
  access: Access;
  entrance: Entrance;
  limits: LoginLimits;
  documents: Documents;
  files: PageFiles;
  vendor: Vendor;
  callerOf: ConsoleHost['callerOf'];
  now(): number;
}

const maxFormBytes = 10_000;

export function entryRoutes({ access, entrance, limits, documents, files, vendor, callerOf, now }: EntryDeps): Route[] {
  async function logIn(c: WebContext): Promise<Response> {
    const form = new URLSearchParams((await readBody(c.req.raw, maxFormBytes)).toString('utf8'));
    const address = callerOf(c.env.incoming).address;
    const refused = limits.attempt(address);
    if (refused !== undefined) {
      const seconds = Math.max(1, Math.ceil((refused.retryAt - now()) / 1000));
      const message = `Too many attempts. Try again in ${seconds} s.`;
      return await documents.login(message, 429, { 'retry-after': String(seconds) });
    }
    const rights = access.rightsFor(form.get('password') ?? '');
    if (rights === undefined) return await documents.login('This is not the password.', 401);
    limits.succeeded(address);
    const person = entrance.visit(c).session?.person ?? newPerson();
    return redirect('/', { 'set-cookie': entrance.toCookie(c, { person, rights }) });
  }

  return [
    { method: 'GET', path: '/', rights: 'console', handle: () => documents.console() },
    { method: 'GET', path: '/usage', rights: 'admin', handle: () => documents.console() },
    {
      method: 'GET',
      path: '/login',
      rights: 'public',
      handle: async () => (access.hasLogin ? await documents.login(undefined, 200) : redirect('/')),
    },
    { method: 'POST', path: '/login', rights: 'public', handle: logIn },
    {
      method: 'POST',
      path: '/logout',
      rights: 'public',
      handle: async (c) => redirect(access.hasLogin ? '/login' : '/', { 'set-cookie': entrance.noCookie(c) }),
    },
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
