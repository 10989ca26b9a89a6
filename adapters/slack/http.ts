import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { BotError, toBotError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';
import { createDeliver, type Deliver, type Line } from './line.ts';
import { isSlacks } from './signature.ts';

/** Events, commands and clicks as signed requests of Slack's. */

export interface HttpDeps {
  signingSecret: string;
  host: string;
  port: number;
  log: Log;
  now(): number;
}

const path = '/slack/events';
const maxBytes = 1_000_000;
/** Whoever sends a request slowly does not keep its place. */
const requestMs = 10_000;

export function createHttpLine(deps: HttpDeps): Line {
  const { log } = deps;
  let state: 'closed' | 'open' | 'paused' = 'closed';
  const { init, deliver } = createDeliver(log);
  const server = createServer({ requestTimeout: requestMs }, (incoming, response) => {
    response.on('error', () => {}); // Slack may go at any time.
    handle(incoming, response).catch((error: unknown) => {
      log.warn({ error: toBotError(error) }, 'a request of Slack’s could not be taken; it will come again');
      end(response, 503);
    });
  });

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.url?.split('?')[0] !== path) return end(response, 404);
    if (incoming.method !== 'POST') return end(response, 405);
    if (state !== 'open') return end(response, 503);
    const bytes = await readAtMost(incoming, maxBytes);
    if (bytes === undefined) return end(response, 413);
    const headers = { timestamp: headerOf(incoming, 'timestamp'), signature: headerOf(incoming, 'signature') };
    if (!isSlacks({ ...headers, body: bytes }, deps.signingSecret, deps.now())) {
      log.warn(
        {},
        'a request was refused: its signature or its time is not right (see SLACK_SIGNING_SECRET and the clock)',
      );
      return end(response, 401);
    }
    const body = toBody(bytes.toString('utf8'), incoming.headers['content-type'] ?? '');
    if (body === undefined) return end(response, 400);
    await answer(body, response, deliver);
  }

  return {
    init,
    start: async () => undefined,
    stop: async () => undefined,

    async open() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause) =>
          reject(new BotError('config', `SLACK_PORT: cannot listen on ${deps.host}:${deps.port}`, { cause })),
        );
        server.listen(deps.port, deps.host, resolve);
      });
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : deps.port;
      log.info({ port }, `waiting for Slack on http://${deps.host}:${port}${path}`);
      state = 'open';
    },
    reopen() {},
    health: () => ({ ready: state === 'open', detail: state === 'open' ? 'waiting for Slack’s requests' : state }),
    async pause() {
      if (state === 'open') state = 'paused';
    },
    async close() {
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function answer(body: Record<string, unknown>, response: ServerResponse, deliver: Deliver): Promise<void> {
  if (body.ssl_check !== undefined) return end(response, 200);
  if (body.type === 'url_verification') return end(response, 200, { challenge: body.challenge });
  end(response, 200, await deliver(body));
}

function end(response: ServerResponse, status: number, body?: unknown): void {
  if (response.headersSent || response.destroyed) return;
  // What was not read of a refused body must not be taken for the next request.
  if (status === 413) response.shouldKeepAlive = false;
  if (body === undefined || body === '') return void response.writeHead(status).end();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function headerOf(incoming: IncomingMessage, name: 'timestamp' | 'signature'): string | undefined {
  const value = incoming.headers[name === 'timestamp' ? 'x-slack-request-timestamp' : 'x-slack-signature'];
  return typeof value === 'string' ? value : undefined;
}

async function readAtMost(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) return undefined;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > limit) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** JSON, a form that has JSON in it, or a form. */
function toBody(text: string, contentType: string): Record<string, unknown> | undefined {
  if (contentType.startsWith('application/json')) return toObject(text);
  const fields = Object.fromEntries(new URLSearchParams(text));
  return fields.payload === undefined ? fields : toObject(fields.payload);
}

function toObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
