import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import { BotError, type ErrorKind, toBotError, userText } from '../../src/errors.ts';
import type { WebContext } from './route.ts';
import type { Problem } from './wire.ts';

/** What goes over the wire, read and written. */

export function toJson(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(value, { status, headers });
}

/** A refusal with one sentence for the person. */
export function refusal(
  status: 400 | 401 | 403 | 404 | 408 | 409 | 413 | 415 | 429 | 503,
  message: string,
): HTTPException {
  return new HTTPException(status, { message });
}

export async function readJson<T>(c: WebContext, schema: z.ZodType<T>, maxBytes: number): Promise<T> {
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    throw refusal(415, 'This must be sent as JSON.');
  const text = (await readBody(c.req.raw, maxBytes)).toString('utf8');
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refusal(400, `${issue?.path.join('.') || 'What was sent'}: ${issue?.message ?? 'cannot be understood'}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(400, 'What was sent is no JSON.');
  }
}

/** No more than so much is ever taken in, and no longer than so long waited for it. */
export async function readBody(request: Request, maxBytes: number, withinMs = bodyMs): Promise<Buffer> {
  const tooLarge = () => refusal(413, `This is too large; at most ${toSize(maxBytes)} can be sent.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined); // Nobody may be waiting when it is too late.
  const timer = setTimeout(() => late.reject(refusal(408, 'This took too long to arrive. Send it again.')), withinMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = unbroken(request);
  try {
    for (;;) {
      const { done, value } = await Promise.race([body.next(), late.promise]);
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
    // Whatever still comes is not waited for.
    void body.return(undefined).catch(() => undefined);
  }
}

/** Enough for a file on a slow line. */
const bodyMs = 120_000;

/** A browser that goes away in the middle is nothing to look into. */
async function* unbroken({ body }: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* body ?? [];
  } catch (cause) {
    throw new BotError('input', 'what was sent broke off', { cause });
  }
}

function toSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.floor(bytes / 1000)} kB` : `${Math.floor(bytes / 1_000_000)} MB`;
}

/** In our own words, whatever was thrown. */
export function toProblem(
  error: unknown,
  now: number,
): { status: number; problem: Problem; known: BotError | undefined } {
  if (error instanceof HTTPException)
    return { status: error.status, problem: { problem: error.message }, known: undefined };
  const known = toBotError(error);
  const problem = userText(known, now).replace(/^[^\p{L}]+/u, '');
  return { status: statusOf(known.kind), problem: { problem }, known };
}

function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case 'input':
      return 400;
    case 'forbidden':
      return 403;
    case 'busy':
      return 429;
    case 'store':
    case 'stopped':
      return 503;
    case 'config':
    case 'damaged':
    case 'credentials':
    case 'overflow':
    case 'model':
    case 'tool':
    case 'broken':
    case 'platform':
    case 'bug':
      return 500;
  }
}
