import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BotError } from '../errors.ts';
import type { Callers } from './callers.ts';
import { type Metrics, metricsContentType } from './metrics.ts';

export interface Health {
  ready: boolean;
  parts: { name: string; ready: boolean; detail: string }[];
}

/** Takes a request that is its own and says so; leaves any other for the next handler. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

interface HealthDeps {
  health: () => Promise<Health>;
}

interface MetricsDeps {
  metrics: Pick<Metrics, 'render'>;
}

interface OperationsDeps extends HealthDeps, MetricsDeps {
  host: string;
  port: number;
  /** Where numbers are served: on `port` where nothing else is said, on another port of the same host, or nowhere. */
  metricsPort?: number | 'none';
  /** Asked before anything is answered. */
  callers: Callers;
  /** Told whose request was refused. */
  onRefused?: ((address: string) => void) | undefined;
  /** What else is served on `port`. */
  more?: Handler | undefined;
}

/** Longer than any part should need to tell its state, shorter than the usual prober's patience. */
const healthMs = 3_000;

/** `/healthz`: the process lives. `/readyz`: what it needs does, part by part. */
function healthHandler({ health }: HealthDeps): Handler {
  return toHandler({
    '/healthz': async () => ({ status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' }),
    '/readyz': async () => toReadyPage(await withinLimit(health)),
  });
}

/** `/metrics`: for Prometheus. */
function metricsHandler({ metrics }: MetricsDeps): Handler {
  return toHandler({
    '/metrics': async () => ({ status: 200, type: metricsContentType, body: await metrics.render() }),
  });
}

/** Takes what is not to be answered, whatever it asks for. */
function refusing(callers: Callers, onRefused: (address: string) => void): Handler {
  return (request, response) => {
    const refused = callers.refusal(request);
    if (refused === undefined) return false;
    onRefused(callers.caller(request).address);
    send(response, { status: 403, type: 'text/plain; charset=utf-8', body: `${refused}\n` });
    return true;
  };
}

function toHandler(pages: Record<string, () => Promise<Page>>): Handler {
  const byPath = new Map(Object.entries(pages));
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const page = byPath.get(path);
    if (page === undefined) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, { status: 405, type: 'text/plain', body: 'GET or HEAD only\n' }, { allow: 'GET, HEAD' });
      return true;
    }
    page().then(
      (made) => send(response, made),
      () => send(response, { status: 500, type: 'text/plain', body: 'this could not be read just now\n' }),
    );
    return true;
  };
}

/** Listens for all the handlers; the first that takes a request answers it. */
export async function startOperations(
  deps: OperationsDeps,
): Promise<{ port: number; metricsPort: number | undefined; close(): Promise<void> }> {
  const { host, port, callers, onRefused = () => {}, metricsPort = port, more } = deps;
  const isShared = metricsPort === port;
  const own = [healthHandler(deps), ...(isShared ? [metricsHandler(deps)] : []), ...(more === undefined ? [] : [more])];
  const guard = refusing(callers, onRefused);
  const main = await serve([guard, ...own], host, port, 'PORT');
  if (isShared) return { ...main, metricsPort: main.port };
  if (metricsPort === 'none') return { ...main, metricsPort: undefined };
  const numbersOnly = [guard, metricsHandler(deps)];
  const numbers = await serve(numbersOnly, host, metricsPort, 'METRICS_PORT').catch(async (error: unknown) => {
    await main.close();
    throw error;
  });
  return {
    port: main.port,
    metricsPort: numbers.port,
    close: async () => void (await Promise.all([main.close(), numbers.close()])),
  };
}

async function serve(
  handlers: readonly Handler[],
  host: string,
  port: number,
  variable: string,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (handlers.some((handle) => handle(request, response))) return;
    send(response, { status: 404, type: 'text/plain', body: 'nothing here\n' });
  });
  await listen(server, host, port, variable);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Page {
  status: number;
  type: string;
  body: string;
}

function toReadyPage(health: Health): Page {
  const body = `${JSON.stringify(health, null, 2)}\n`;
  return { status: health.ready ? 200 : 503, type: 'application/json', body };
}

/** A check that fails or hangs is itself the answer: not ready. */
async function withinLimit(health: () => Promise<Health>): Promise<Health> {
  const notReady = (detail: string): Health => ({ ready: false, parts: [{ name: 'health', ready: false, detail }] });
  const { promise: late, resolve } = Promise.withResolvers<Health>();
  const timer = setTimeout(() => resolve(notReady(`no answer within ${healthMs / 1000} s`)), healthMs);
  const asked = Promise.try(health).catch(() => notReady('the check itself failed'));
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function send(response: ServerResponse, page: Page, headers: Record<string, string> = {}): void {
  const common = { 'content-type': page.type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(page.status, { ...common, ...headers, 'content-length': Buffer.byteLength(page.body) });
  response.end(response.req.method === 'HEAD' ? undefined : page.body);
}

function listen(server: Server, host: string, port: number, variable: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new BotError('config', listenProblem(cause.code ?? '', host, `${variable} ${port}`), { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function listenProblem(code: string, host: string, port: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${port} on ${host} is in use by another program; end that one or set another`;
    case 'EACCES':
      return `${port} may not be opened by this user; set one above 1023`;
    default:
      return `HOST ${host} is no address this machine can listen on`;
  }
}
