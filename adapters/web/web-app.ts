import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { type ChannelId, toChannelId } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { isOwnOrigin, mayRead, type Provenance } from './access.ts';
import { refusal, toJson, toProblem } from './answers.ts';
import type { Documents } from './documents.ts';
import type { Entrance, Visit } from './entrance.ts';
import type { ConsoleHost } from './host.ts';
import { isApi, type OwnPlace, type Route, type Visitor, type WebContext } from './route.ts';

/** One guard before all routes: where a request comes from, who sends it, and whether they may. */
export interface WebAppDeps {
  routes: readonly Route[];
  entrance: Entrance;
  callerOf: ConsoleHost['callerOf'];
  /** The address people use, where it is known. */
  publicUrl: string | undefined;
  /** Whether anything is taken in just now. */
  isTaking(): boolean;
  /** As this person may see it. */
  findOwn(key: string, person: string): OwnPlace | undefined;
  /** To be called before something is said or done there. */
  keep(place: OwnPlace, visitor: Visitor): Promise<void>;
  /** A channel of another platform that may be looked into. */
  findForeign(key: string): Promise<ChannelId | undefined>;
  mayUse: ConsoleHost['mayUse'];
  audit: ConsoleHost['audit'];
  documents: Pick<Documents, 'notice'>;
  log: Log;
  now(): number;
}

/** Where a permission is about no channel. */
const consoleItself = toChannelId({ platform: 'web', workspace: 'console', channel: 'console' });
/** Why somebody who is logged in is sent to the login page. */
export const adminsOnly = 'admins';

const guardHeader = 'x-channelore';

const always: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  // With no referrer at all, a browser hides the origin of our own forms.
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

const unlessSaid: Record<string, string> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
};

export function createWebApp(deps: WebAppDeps): Hono<{ Bindings: HttpBindings }> {
  const { entrance, log, now } = deps;
  const app = new Hono<{ Bindings: HttpBindings }>();

  async function answer(c: WebContext, work: (visit: Visit) => Promise<Response>): Promise<Response> {
    const visit = entrance.visit(c);
    const response = await work(visit).catch(async (error: unknown) => {
      const failure = await toFailure(c, error);
      if (failure.status === 403) noteRefusal(c, visit);
      return failure;
    });
    for (const [name, value] of Object.entries(always)) response.headers.set(name, value);
    for (const [name, value] of Object.entries(unlessSaid)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    if (visit.cookie !== undefined && response.ok && !response.headers.has('set-cookie'))
      response.headers.set('set-cookie', visit.cookie);
    return response;
  }

  function noteRefusal(c: WebContext, { visitor }: Visit): void {
    const { address } = deps.callerOf(c.env.incoming);
    const who = visitor === undefined ? address : `web:${visitor.person.id}`;
    deps.audit.note({ what: 'refused', who, from: address, detail: `${c.req.method} ${c.req.routePath}` });
  }

  async function toFailure(c: WebContext, error: unknown): Promise<Response> {
    const { status, problem, known } = toProblem(error, now());
    if (known !== undefined) {
      const level = known.kind === 'bug' ? 'error' : status >= 500 ? 'warn' : 'debug';
      log[level]({ path: c.req.path, kind: known.kind, error }, 'a request to the console ended in an error');
    }
    if (status === 401 && c.req.method === 'GET' && !isApi(c.req.path)) return redirect('/login');
    if (wantsPage(c)) return await deps.documents.notice(problem.problem, status);
    // What is still to come of the request is not read.
    return toJson(problem, status, status === 408 ? { connection: 'close' } : {});
  }

  async function run(route: Route, c: WebContext, visit: Visit): Promise<Response> {
    checkProvenance(deps, c);
    if (route.rights === 'public') return await route.handle(c);
    const { visitor } = visit;
    if (visitor === undefined) throw refusal(401, 'Log in first.');
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && !deps.isTaking())
      throw refusal(503, 'The program is shutting down and takes nothing more in; send it again in a moment.');
    switch (route.rights) {
      case 'console':
        return await route.handle(c, visitor);
      case 'admin':
        if (!visitor.admin) return mustBeAdmin(c, visit);
        mustBeAllowed(route.command, visitor, consoleItself);
        return await route.handle(c, visitor);
      case 'own':
        return await route.handle(c, visitor, await mustBeOwn(c, visitor));
      case 'any': {
        const channel = await mustBeVisible(c, visitor);
        mustBeAllowed(route.command, visitor, channel);
        return await route.handle(c, visitor, channel);
      }
    }
  }

  function mustBeAllowed(command: string | undefined, { person, admin }: Visitor, channel: ChannelId): void {
    if (command === undefined) return;
    const rule = deps.mayUse({ ...person, admin, roles: [], platform: 'web' }, channel, command);
    if (rule !== undefined) throw refusal(403, rule);
  }

  function mustBeAdmin(c: WebContext, visit: Visit): Response {
    if (isApi(c.req.path) || c.req.method !== 'GET') throw refusal(403, 'Only admins may see this.');
    noteRefusal(c, visit);
    return redirect(`/login?for=${adminsOnly}`);
  }

  async function mustBeOwn(c: WebContext, visitor: Visitor): Promise<OwnPlace> {
    const place = deps.findOwn(c.req.param('key') ?? '', visitor.person.id);
    if (place === undefined) throw refusal(404, 'This channel is no longer there.');
    await deps.keep(place, visitor);
    return place;
  }

  async function mustBeVisible(c: WebContext, visitor: Visitor): Promise<ChannelId> {
    const key = c.req.param('key') ?? '';
    const own = deps.findOwn(key, visitor.person.id);
    if (own !== undefined) {
      if (c.req.method !== 'GET' && c.req.method !== 'HEAD') await deps.keep(own, visitor);
      return own.id;
    }
    if (!visitor.admin) throw refusal(403, 'Only admins may look into other channels.');
    const found = await deps.findForeign(key);
    if (found === undefined) throw refusal(404, 'There is no such channel.');
    if (c.req.method === 'GET') {
      const { person, address } = visitor;
      deps.audit.note({
        what: 'read',
        who: `web:${person.id}`,
        from: address,
        channel: found,
        detail: c.req.routePath,
      });
    }
    return found;
  }

  for (const route of deps.routes) {
    app.on(route.method, route.path, (c) => answer(c, (visit) => run(route, c, visit)));
  }
  app.notFound((c) => answer(c, () => Promise.reject(refusal(404, 'There is nothing here.'))));
  return app;
}

function checkProvenance({ callerOf, publicUrl }: WebAppDeps, c: WebContext): void {
  const from: Provenance = {
    host: callerOf(c.env.incoming).host,
    origin: c.req.header('origin'),
    fetchSite: c.req.header('sec-fetch-site'),
  };
  const isReading = c.req.method === 'GET' || c.req.method === 'HEAD';
  const isApiCall = isApi(c.req.path);
  if (isReading) {
    if (isApiCall && !mayRead(from)) throw refusal(403, 'This is for the console’s own page.');
    return;
  }
  if (!isOwnOrigin(from, publicUrl)) throw refusal(403, 'This came from another site’s page.');
  if (isApiCall && c.req.header(guardHeader) !== '1') throw refusal(403, `The header ${guardHeader}: 1 is missing.`);
}

/** A person has typed or followed an address; programs and the page itself ask for anything. */
function wantsPage(c: WebContext): boolean {
  return c.req.method === 'GET' && /\btext\/html\b/.test(c.req.header('accept') ?? '');
}

export function redirect(to: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location: to });
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  return new Response(null, { status: 303, headers });
}
