import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What a scripted chat server can be told to answer, and how that goes over the wire. */

export interface WireMessage {
  role: string;
  /** Text; the parts of a longer content joined. */
  text: string;
  raw: Record<string, unknown>;
}

export interface ChatRequest {
  /** 1 for the first. */
  n: number;
  body: Record<string, unknown>;
  headers: Record<string, string>;
  model: string;
  messages: WireMessage[];
  /** The text of the newest message. */
  last: string;
  /** Aborts when the client has gone before the end. */
  gone: AbortSignal;
}

export interface WireUsage {
  prompt: number;
  completion: number;
  cached?: number;
  reasoning?: number;
}

/**
 * A piece of a stream: text becomes a content chunk, an object is sent as the chunk's JSON, bytes go out as they are,
 * a number is a pause in milliseconds, a promise is waited for.
 */
export type Piece = string | Record<string, unknown> | Uint8Array | number | Promise<void> | undefined;

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** The whole body, no stream: an object is sent as JSON. */
  body?: unknown;
  /** The answer as text, streamed word by word. */
  text?: string;
  pieces?: Iterable<Piece> | AsyncIterable<Piece>;
  /** Tools to call, after the text; the arguments come in fragments. */
  calls?: { id?: string; name: string; arguments: string }[];
  /** Between pieces. */
  delayMs?: number;
  /** null: the stream says nothing of its end. */
  finish?: string | null;
  /** Default: counted, and sent where the request asks for it. */
  usage?: WireUsage | 'never' | 'every-chunk' | 'always';
  /** Answers in this model's name. */
  model?: string;
  /** The connection is cut after so many bytes of the body. */
  cutAfterBytes?: number;
  /** Nothing more is sent, and the connection stays open: before the headers, after them, or after the pieces. */
  hang?: 'before-headers' | 'after-headers' | 'after-pieces';
  /** The connection is closed without a word. */
  drop?: boolean;
  /** Each chunk's bytes go out one by one. */
  byteWise?: boolean;
}

/** An error as OpenAI sends it. */
export function failure(
  status: number,
  error: { message?: string; type?: string; code?: string | null; param?: string | null } = {},
  headers: Record<string, string> = {},
): Answer {
  const { message = `scripted failure ${status}`, type = 'error', code = null, param = null } = error;
  return { status, headers, body: { error: { message, type, param, code } } };
}

/** 400, the parameter named as OpenAI does. */
export function refusedParameter(param: string): Answer {
  const message = `Unsupported parameter: '${param}' is not supported with this model.`;
  return failure(400, { message, type: 'invalid_request_error', code: 'unsupported_parameter', param });
}

/** A stream that never ends, as fast as it is read. */
export function* endless(piece: Piece): Generator<Piece> {
  for (;;) yield piece;
}

/** One chunk's JSON with this delta. */
export function chunk(delta: unknown, finish: string | null = null): Record<string, unknown> {
  return { choices: [{ index: 0, delta, finish_reason: finish }] };
}

/** Sends an answer as it is scripted. */
export async function sendAnswer(response: ServerResponse, request: ChatRequest, answer: Answer): Promise<void> {
  if (answer.hang === 'before-headers') return;
  if (answer.drop) return void response.destroy();
  const { status = 200, headers = {} } = answer;
  if ('body' in answer) return sendBody(response, status, headers, answer.body);
  if (request.body.stream !== true) return sendBody(response, status, headers, toCompletion(request, answer));
  response.writeHead(status, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
  response.flushHeaders();
  if (answer.hang === 'after-headers') return;
  let sent = 0;
  for await (const bytes of toStream(request, answer)) {
    if (request.gone.aborted) return;
    const left = (answer.cutAfterBytes ?? Number.POSITIVE_INFINITY) - sent;
    sent += bytes.length;
    if (bytes.length < left) {
      await write(response, bytes);
      continue;
    }
    await write(response, bytes.subarray(0, left));
    response.destroy();
    return;
  }
  if (answer.hang !== 'after-pieces') response.end();
}

async function* toStream(request: ChatRequest, answer: Answer): AsyncGenerator<Uint8Array> {
  const state = { text: '' };
  const everyChunk = answer.usage === 'every-chunk';
  yield* frame(request, answer, chunk({ role: 'assistant', content: '' }));
  for await (const piece of toPieces(answer)) {
    if (answer.delayMs !== undefined) await delay(answer.delayMs);
    if (piece === undefined) continue;
    if (typeof piece === 'number') await delay(piece);
    else if (piece instanceof Uint8Array) yield* bytewise(piece, answer);
    else if (typeof piece === 'string') {
      state.text += piece;
      const usage = everyChunk ? { usage: toWireUsage(request, answer, state.text) } : {};
      yield* frame(request, answer, { ...chunk({ content: piece }), ...usage });
    } else yield* frame(request, answer, piece);
  }
  if (answer.hang === 'after-pieces') return;
  const usual = answer.calls === undefined ? 'stop' : 'tool_calls';
  if (answer.finish !== null) yield* frame(request, answer, chunk({}, answer.finish ?? usual));
  if (wantsUsage(request, answer)) {
    yield* frame(request, answer, { choices: [], usage: toWireUsage(request, answer, state.text) });
  }
  if (answer.finish !== null) yield Buffer.from('data: [DONE]\n\n');
}

function toPieces(answer: Answer): Iterable<Piece> | AsyncIterable<Piece> {
  const words = (answer.text ?? '').match(/\s*\S+\s*$|\s*\S+/g) ?? [];
  return answer.pieces ?? [...words, ...(answer.calls ?? []).flatMap(toCallPieces)];
}

function toCallPieces(call: NonNullable<Answer['calls']>[number], index: number): Piece[] {
  const id = call.id ?? `call_${index}`;
  const opening = { index, id, type: 'function', function: { name: call.name, arguments: '' } };
  const fragments = call.arguments.match(/[\s\S]{1,7}/g) ?? [];
  return [
    chunk({ tool_calls: [opening] }),
    ...fragments.map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
  ];
}

function* frame(request: ChatRequest, answer: Answer, data: Record<string, unknown>): Generator<Uint8Array> {
  const base = { id: `chatcmpl-${request.n}`, object: 'chat.completion.chunk', created: 1_800_000_000 };
  const whole = { ...base, model: answer.model ?? request.model, ...data };
  yield* bytewise(Buffer.from(`data: ${JSON.stringify(whole)}\n\n`), answer);
}

function* bytewise(bytes: Uint8Array, answer: Answer): Generator<Uint8Array> {
  if (!answer.byteWise) yield bytes;
  else for (let at = 0; at < bytes.length; at += 1) yield bytes.subarray(at, at + 1);
}

function wantsUsage(request: ChatRequest, answer: Answer): boolean {
  if (answer.usage === 'never' || answer.usage === 'every-chunk') return false;
  const options = request.body.stream_options;
  const asked = typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage;
  return asked === true || answer.usage === 'always';
}

function toWireUsage(request: ChatRequest, answer: Answer, text: string): Record<string, unknown> {
  const given = typeof answer.usage === 'object' ? answer.usage : undefined;
  const prompt = given?.prompt ?? request.messages.reduce((sum, each) => sum + countTokens(each.text) + 4, 3);
  const completion = given?.completion ?? countTokens(text);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: given?.cached ?? 0 },
    completion_tokens_details: { reasoning_tokens: given?.reasoning ?? 0 },
  };
}

/** As this server counts: four characters a token. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function toCompletion(request: ChatRequest, answer: Answer): Record<string, unknown> {
  const text =
    answer.text ?? [...((answer.pieces ?? []) as Iterable<Piece>)].filter((p) => typeof p === 'string').join('');
  return {
    id: `chatcmpl-${request.n}`,
    object: 'chat.completion',
    created: 1_800_000_000,
    model: answer.model ?? request.model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: answer.finish ?? 'stop' }],
    usage: toWireUsage(request, answer, text),
  };
}

function sendBody(response: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  response.writeHead(status, { 'content-type': raw ? 'text/html' : 'application/json', ...headers });
  response.end(raw ? body : JSON.stringify(body));
}

/** Slow readers are waited for, so that an endless stream does not fill this process. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    if (response.write(bytes)) return setImmediate(resolve);
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
