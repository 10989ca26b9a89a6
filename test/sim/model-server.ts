import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { machineHeaders } from './machine.ts';
import { type Answer, type ChatRequest, sendAnswer, type WireMessage } from './model-answer.ts';

/**
 * A chat server spoken to over raw HTTP and server-sent events. Every request is kept; what it is answered is decided
 * by a function, so that a test can play any server, however broken. Without one it answers "answer N".
 */

export interface ModelServerOptions {
  answer?: (request: ChatRequest) => string | Answer | Promise<string | Answer>;
  /** Other paths than the chat's: return false to leave it a 404. */
  other?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface ModelServer {
  /** As OPENAI_BASE_URL takes it. */
  url: string;
  origin: string;
  requests: ChatRequest[];
  /** Exceptions out of `answer`. */
  errors: unknown[];
  /** Chats being answered now, and the most there ever were. */
  open(): { now: number; most: number };
  /** Resolves when so many chats have been asked for. */
  asked(count: number): Promise<void>;
  /** What is answered from now on. */
  answerWith(answer: NonNullable<ModelServerOptions['answer']>): void;
  close(): Promise<void>;
}

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const requests: ChatRequest[] = [];
  const errors: unknown[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  let answer = options.answer ?? ((request: ChatRequest) => `answer ${request.n}`);
  let now = 0;
  let most = 0;

  const chat = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = toChatRequest(incoming, await readBody(incoming), requests.length + 1, response);
    requests.push(request);
    const told = machineHeaders(incoming);
    if (told.length > 0) throw new Error(`told about the machine: ${told.join(', ')}`);
    now += 1;
    most = Math.max(most, now);
    response.once('close', () => {
      now -= 1;
    });
    for (const each of waiting) if (requests.length >= each.count) each.resolve();
    const given = await answer(request);
    await sendAnswer(response, request, typeof given === 'string' ? { text: given } : given);
  };

  const server = createServer((incoming, response) => {
    response.on('error', () => {}); // The client may go at any time.
    const path = (incoming.url ?? '').split('?')[0] ?? '';
    if (incoming.method !== 'POST' || !path.endsWith('/chat/completions')) {
      if (options.other?.(incoming, response)) return;
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
      return;
    }
    chat(incoming, response).catch((error: unknown) => {
      errors.push(error);
      if (!response.headersSent) response.writeHead(500);
      response.end(JSON.stringify({ error: { message: 'the scripted answer threw' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: `${origin}/v1`,
    origin,
    requests,
    errors,
    open: () => ({ now, most }),
    asked: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push({ count, resolve });
          }),
    answerWith(next) {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

function toChatRequest(incoming: IncomingMessage, text: string, n: number, response: ServerResponse): ChatRequest {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const body = toRecord(JSON.parse(text));
  const messages = (Array.isArray(body.messages) ? body.messages : []).map(toWireMessage);
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
  return {
    n,
    body,
    headers: Object.fromEntries(headers),
    model: String(body.model),
    messages,
    last: messages.at(-1)?.text ?? '',
    gone: gone.signal,
  };
}

function toWireMessage(value: unknown): WireMessage {
  const raw = toRecord(value);
  const parts = Array.isArray(raw.content) ? raw.content.map(toText) : [];
  const text = typeof raw.content === 'string' ? raw.content : parts.join('');
  return { role: String(raw.role), text, raw };
}

function toText(part: unknown): string {
  const { text } = toRecord(part);
  return typeof text === 'string' ? text : '';
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
