import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLimits, type Fault, type Limits, type RestRequest, takeFault } from './discord-limits.ts';
import { type File, perform, type RestState, type Result } from './discord-rest.ts';
import { isRecord } from './discord-validate.ts';
import { acceptSocket, type ServerSocket } from './discord-websocket.ts';
import { machineHeaders } from './machine.ts';

/** The wire: HTTP with Discord's headers, refusals and limits; the gateway's socket and the attachments beside it. */

export interface ServerParts {
  state: RestState;
  token: string;
  limits: Limits;
  faults: Fault[];
  onSocket(socket: ServerSocket): void;
  onRequest(request: RestRequest): void;
  /** Waited for before a request is done, and again before its answer goes out. */
  gate(request: RestRequest, when: 'before' | 'after'): Promise<void>;
}

export async function startServer(parts: ServerParts): Promise<{ origin: string; close(): Promise<void> }> {
  const limits = createLimits(parts.limits, parts.state.now);
  const server = createServer((incoming, response) => {
    response.on('error', () => {}); // The client may go at any time.
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    if (url.pathname.startsWith('/attachments/')) return void sendAttachment(parts.state, url.pathname, response);
    handle(parts, limits, incoming, response, url).catch((error: unknown) => {
      send(response, { status: 500, body: { message: String(error) } }, {});
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

async function handle(
  parts: ServerParts,
  limits: ReturnType<typeof createLimits>,
  incoming: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const bytes = await readBody(incoming);
  const { body, files } = await toBody(bytes, incoming.headers['content-type']);
  const path = decodeURIComponent(url.pathname.replace(/^\/api\/v10/, ''));
  const method = incoming.method ?? 'GET';
  const request: RestRequest = { method, path, body, at: parts.state.now(), status: undefined };
  parts.onRequest(request);
  await parts.gate(request, 'before');
  const answer = (result: Result, headers: Record<string, string> = {}): void => {
    request.status = result.status;
    send(response, result, headers);
  };
  const told = machineHeaders(incoming);
  if (told.length > 0)
    return answer({ status: 400, body: { code: 0, message: `told about the machine: ${told.join(', ')}` } });
  const isPublic = /^\/(interactions|webhooks)\//.test(path);
  if (!isPublic && incoming.headers.authorization !== `Bot ${parts.token}`) {
    return answer({ status: 401, body: { message: '401: Unauthorized', code: 0 } });
  }
  const fault = takeFault(parts.faults, request);
  if (fault?.kind === 'reset') return void response.destroy();
  if (fault?.kind === 'failing') return answer({ status: 502, body: { message: 'scripted' } });
  if (fault?.kind === 'refused') {
    return answer({ status: fault.status ?? 400, body: { code: fault.code ?? 0, message: 'scripted' } });
  }
  if (fault?.kind === 'limited' || fault?.kind === 'limited-globally') return tooMany(answer, fault);
  if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms ?? 100));
  const taken = limits.take(request);
  if (taken.isOver) {
    const result = { status: 429, body: limited(taken.retryMs, false) };
    return answer(result, {
      ...taken.headers,
      'retry-after': String(taken.retryMs / 1000),
      'x-ratelimit-scope': 'user',
    });
  }
  const result = perform(parts.state, method, path, url.searchParams, body, files);
  await parts.gate(request, 'after');
  if (fault?.kind === 'cut') return void response.destroy();
  if (fault?.kind === 'lost') return answer({ status: 502, body: { message: 'scripted' } });
  answer(result, taken.headers);
}

function tooMany(answer: (result: Result, headers: Record<string, string>) => void, fault: Fault): void {
  const ms = fault.ms ?? 200;
  const isGlobal = fault.kind === 'limited-globally';
  const headers = { 'retry-after': String(ms / 1000), 'x-ratelimit-scope': isGlobal ? 'global' : 'user' };
  const own = isGlobal
    ? { 'x-ratelimit-global': 'true' }
    : { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': String(ms / 1000) };
  answer({ status: 429, body: limited(ms, isGlobal) }, { ...headers, ...own });
}

function limited(ms: number, isGlobal: boolean): unknown {
  return { message: 'You are being rate limited.', retry_after: ms / 1000, global: isGlobal };
}

/** A 204 carries no content type: the client would try to read it. */
function send(response: ServerResponse, { status, body }: Result, headers: Record<string, string>): void {
  if (response.headersSent || response.destroyed) return;
  if (status === 204) response.writeHead(204, headers).end();
  else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body ?? {}));
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const part of incoming) found.push(Buffer.from(part));
  return Buffer.concat(found);
}

async function toBody(
  bytes: Buffer,
  type: string | undefined,
): Promise<{ body: Record<string, unknown>; files: File[] }> {
  if (bytes.length === 0) return { body: {}, files: [] };
  if (!type?.startsWith('multipart/form-data'))
    return { body: toRecord(JSON.parse(bytes.toString('utf8'))), files: [] };
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  const files: File[] = [];
  for (const [, value] of form) {
    if (typeof value === 'string') continue;
    files.push({ name: value.name, type: value.type, content: await value.text() });
  }
  const json = form.get('payload_json');
  return { body: typeof json === 'string' ? toRecord(JSON.parse(json)) : {}, files };
}

function toRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : { list: value };
}

async function sendAttachment(state: RestState, path: string, response: ServerResponse): Promise<void> {
  const found = state.attachments.get(path);
  if (found === undefined) return void response.writeHead(404).end();
  await new Promise((resolve) => setTimeout(resolve, found.ms));
  response.writeHead(200, { 'content-type': found.type }).end(found.body);
}
