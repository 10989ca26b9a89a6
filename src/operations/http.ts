import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BotError } from '../errors.ts';
import { type Metrics, metricsContentType } from './metrics.ts';

export interface Health {
  ready: boolean;
  parts: { name: string; ready: boolean; detail: string }[];
}

/** Takes a request that is its own and says so; leaves any other for the next handler. */
type Handler = (request: IncomingMessage, response: ServerResponse) => boolean;

interface OperationsDeps {
  health: () => Promise<Health>;
  metrics: Pick<Metrics, 'render'>;
}

/** Longer than any part should need to tell its state, shorter than the usual prober's patience. */
const healthMs = 3_000;

/** `/healthz`: the process lives. `/readyz`: what it needs does, part by part. `/metrics`: for Prometheus. */
export function operationsHandler({ health, metrics }: OperationsDeps): Handler {
  const pages = new Map<string, () => Promise<Page>>([
    ['/healthz', async () => ({ status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' })],
    ['/readyz', async () => toReadyPage(await withinLimit(health))],
    ['/metrics', async () => ({ status: 200, type: metricsContentType, body: await metrics.render() })],
  ]);
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const page = pages.get(path);
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

/** Listens on one address for all the handlers; the first that takes a request answers it. */
export async function startOperations(
  deps: OperationsDeps & { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const { host, port } = deps;
  const handle = operationsHandler(deps);
  const server = createServer((request, response) => {
    if (!handle(request, response)) send(response, { status: 404, type: 'text/plain', body: 'nothing here\n' });
  });
  await listen(server, host, port);
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new BotError('config', listenProblem(cause.code ?? '', host, port), { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function listenProblem(code: string, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `PORT ${port} on ${host} is in use by another program; end that one or set another PORT`;
    case 'EACCES':
      return `PORT ${port} may not be opened by this user; set a PORT above 1023`;
    default:
      return `HOST ${host} is no address this machine can listen on`;
  }
}
