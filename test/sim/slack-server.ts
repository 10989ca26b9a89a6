import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { acceptSocket, type ServerSocket } from './discord-websocket.ts';
import { machineHeaders } from './machine.ts';
import { type Arguments, type MethodState, perform, type Result, scopes } from './slack-methods.ts';
import { toRecord } from './slack-world.ts';

/** The wire: the Web API over HTTP with its faults, the sockets, files and response addresses beside it. */

export interface ApiRequest {
  method: string;
  body: Arguments;
  at: number;
  /** What it was answered; nothing where the connection was cut. */
  answer: string | undefined;
}

export interface Fault {
  match(request: ApiRequest): boolean;
  /** How often; by default once. */
  times?: number;
  /**
   * `limited`: 429, retry after `ms`. `refused`: `ok: false` with `error`. `failing`: a 503. `lost`: done, but the
   * answer is a 503. `slow`: done after `ms`. `reset`: the connection is cut before, `cut` after it is done.
   */
  kind: 'limited' | 'refused' | 'failing' | 'lost' | 'slow' | 'reset' | 'cut';
  ms?: number;
  error?: string;
}

/** Before a request is done, and before its answer goes out; `drop` ends it there. */
export type Gate = (request: ApiRequest, when: 'before' | 'after') => Promise<'pass' | 'drop'>;

export interface ServerParts {
  state: MethodState;
  botToken: string;
  appToken: string;
  faults: Fault[];
  files: Map<string, { type: string; body: Uint8Array; token: string | undefined; movedTo: string | undefined }>;
  tokens: { bot: 'valid' | 'token_revoked' | 'invalid_auth'; app: 'valid' | 'token_revoked' | 'invalid_auth' };
  scopes: { granted: ReadonlySet<string> | undefined };
  hello: { said: boolean };
  onSocket(socket: ServerSocket): void;
  onRequest(request: ApiRequest): void;
  onResponseUrl(id: string, body: Record<string, unknown>): number;
  gate: Gate;
}

export async function startServer(parts: ServerParts): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer((incoming, response) => {
    response.on('error', () => {}); // The client may go at any time.
    route(parts, incoming, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.on('upgrade', (request, stream) => parts.onSocket(acceptSocket(request, stream)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function route(parts: ServerParts, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const [, kind = '', id = ''] = url.pathname.split('/');
  const bytes = await readBody(incoming);
  if (kind === 'api') return await answer(parts, id, bytes, incoming, response);
  if (kind === 'files') {
    const file = parts.files.get(id);
    const isAllowed = file !== undefined && incoming.headers.authorization === `Bearer ${file.token}`;
    if (!isAllowed) return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>');
    if (file.movedTo !== undefined) return void response.writeHead(302, { location: file.movedTo }).end();
    return void response.writeHead(200, { 'content-type': file.type }).end(file.body);
  }
  if (kind === 'upload') {
    const file = parts.state.uploads.get(id);
    if (file === undefined) return void response.writeHead(404).end();
    file.bytes = bytes;
    file.body = bytes.toString();
    return void response.writeHead(200).end(`OK - ${file.body.length}`);
  }
  if (kind === 'response')
    return void response.writeHead(parts.onResponseUrl(id, toRecord(JSON.parse(String(bytes))))).end('ok');
  response.writeHead(404).end();
}

async function answer(
  parts: ServerParts,
  method: string,
  bytes: Buffer,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request: ApiRequest = { method, body: toArguments(bytes), at: parts.state.now(), answer: undefined };
  parts.onRequest(request);
  const told = machineHeaders(incoming);
  if (told.length > 0)
    return send(request, response, 400, { ok: false, error: `told about the machine: ${told.join(', ')}` });
  if ((await parts.gate(request, 'before')) === 'drop') return void response.destroy();
  const fault = takeFault(parts.faults, request);
  if (fault?.kind === 'reset') return void response.destroy();
  if (fault?.kind === 'failing') return send(request, response, 503, { ok: false, error: 'unavailable' });
  if (fault?.kind === 'limited') {
    const headers = { 'retry-after': String(Math.ceil((fault.ms ?? 1000) / 1000)) };
    return send(request, response, 429, { ok: false, error: 'ratelimited' }, headers);
  }
  if (fault?.kind === 'refused') {
    return send(request, response, 200, { ok: false, error: fault.error ?? 'internal_error' });
  }
  if (fault?.kind === 'slow') await delay(fault.ms ?? 1000);
  const result = run(parts, method, request.body, incoming.headers.authorization ?? '');
  if ((await parts.gate(request, 'after')) === 'drop') return void response.destroy();
  if (fault?.kind === 'cut') return void response.destroy();
  if (fault?.kind === 'lost') return send(request, response, 503, { ok: false, error: 'unavailable' });
  send(request, response, 200, result);
}

function run(parts: ServerParts, method: string, given: Arguments, authorization: string): Result {
  const { state, tokens } = parts;
  if (method === 'apps.connections.open') {
    if (authorization !== `Bearer ${parts.appToken}`) return { ok: false, error: 'invalid_auth' };
    if (tokens.app !== 'valid') return { ok: false, error: tokens.app };
    return { ok: true, url: `${state.origin().replace('http', 'ws')}/link` };
  }
  if (authorization !== `Bearer ${parts.botToken}`) return { ok: false, error: 'invalid_auth' };
  if (tokens.bot !== 'valid') return { ok: false, error: tokens.bot };
  const needed = scopes[method] ?? [];
  const { granted } = parts.scopes;
  const missing = needed.filter((scope) => granted !== undefined && !granted.has(scope));
  if (missing.length > 0) {
    return { ok: false, error: 'missing_scope', needed: missing.join(','), provided: [...(granted ?? [])].join(',') };
  }
  return perform(state, method, given);
}

function send(
  request: ApiRequest,
  response: ServerResponse,
  status: number,
  result: Result,
  headers: Record<string, string> = {},
): void {
  request.answer = result.ok ? 'ok' : result.error;
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(result));
}

/** Form fields; what is JSON in them is read as such. */
function toArguments(bytes: Buffer): Arguments {
  const fields = [...new URLSearchParams(String(bytes))];
  return Object.fromEntries(fields.map(([name, value]) => [name, /^[[{]/.test(value) ? parsed(value) : value]));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function takeFault(faults: Fault[], request: ApiRequest): Fault | undefined {
  const found = faults.find((fault) => fault.match(request));
  if (found === undefined) return undefined;
  found.times = (found.times ?? 1) - 1;
  if (found.times <= 0) faults.splice(faults.indexOf(found), 1);
  return found;
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
