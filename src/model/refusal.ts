import type { APIError } from 'openai';
import { BotError } from '../errors.ts';
import { string } from './chunk.ts';

/** What a server has against a request, read from a 4xx answer. */
export type Refusal =
  | { what: 'overflow' }
  | { what: 'parameter'; name: string; unsupported: boolean }
  | { what: 'unknown-model' };

/** A request the server will never take as it is, so that whoever set the model or the parameter can take it back. */
class RefusedByModel extends BotError {
  readonly refusal: { param?: string; unknownModel?: boolean };

  constructor(message: string, refusal: RefusedByModel['refusal'], cause: unknown) {
    super('config', message, { cause });
    this.refusal = refusal;
  }
}

/** Which setting the chat API refused, as people call it, or that it does not know the model: nothing for any other error. */
export function modelRefusal(error: BotError): { param?: string; unknownModel?: boolean } | undefined {
  return error instanceof RefusedByModel ? error.refusal : undefined;
}

/** Other settings are named as on the wire. */
const asPeopleKnowIt = new Map([
  ['max_tokens', 'max_reply_tokens'],
  ['max_completion_tokens', 'max_reply_tokens'],
]);

export function toRefusalError(refusal: Refusal, model: string, cause: unknown): BotError {
  switch (refusal.what) {
    case 'overflow':
      return new BotError('overflow', 'the prompt is larger than the model can read', { cause });
    case 'parameter': {
      const param = asPeopleKnowIt.get(refusal.name) ?? refusal.name;
      return new RefusedByModel(`the model does not take the setting ${param} as it is`, { param }, cause);
    }
    case 'unknown-model':
      return new RefusedByModel(`the chat API does not know the model “${model}”`, { unknownModel: true }, cause);
  }
}

/** In the middle of a stream gateways put the status into the error's code. */
export function statusOf(error: APIError): number | undefined {
  return error.status ?? (Number(error.code) || undefined);
}

/** `sent`: the names of the request's parameters; only one of them can be refused. */
export function readRefusal(error: APIError, model: string, sent: readonly string[]): Refusal | undefined {
  const status = statusOf(error);
  if (status === 413 || overflowCodes.has(string(error.code)) || overflowCodes.has(string(error.type))) {
    return { what: 'overflow' };
  }
  if (status !== 400 && status !== 404 && status !== 422) return undefined;
  if (soundsLikeOverflow(error)) return { what: 'overflow' };
  const name = refusedParameter(error, sent);
  if (name === 'model' || error.code === 'model_not_found' || error.code === 'invalid_model') {
    return { what: 'unknown-model' };
  }
  // A tool that an admin did not write may be wrong in any way: no answer must depend on it.
  if (name !== undefined) return { what: 'parameter', name, unsupported: name === 'tools' || isUnsupported(error) };
  if (sent.includes('tools') && refusesTools(error)) return { what: 'parameter', name: 'tools', unsupported: true };
  // A wrong path is a 404 too, but only an unknown model has its name in the answer.
  return bodyText(error).includes(model) ? { what: 'unknown-model' } : undefined;
}

const overflowCodes = new Set([
  'context_length_exceeded',
  'exceed_context_size_error',
  'model_max_prompt_tokens_exceeded',
]);

/**
 * vLLM, Gemini, Anthropic, OpenRouter and others answer an overflow with a bare 400 and no code of their own, so that
 * only the words are left to tell it from any other bad request. Taking it for one costs one shorter prompt; not seeing
 * it would leave the channel without an answer until the fold.
 */
const overflowWords =
  /context (length|window|size)|maximum (context|prompt)|prompt is too long|too many (input )?tokens|input token count/i;

function soundsLikeOverflow(error: APIError): boolean {
  const hasItsOwnCode = typeof error.code === 'string' && Number.isNaN(Number(error.code));
  if (hasItsOwnCode && !vagueCodes.has(error.code ?? '')) return false;
  return overflowWords.test(bodyText(error));
}

const vagueCodes = new Set(['invalid_request_error', 'BadRequestError', 'INVALID_ARGUMENT', 'bad_request']);

/**
 * Ollama ("does not support tools"), OpenRouter ("no endpoints … that support tool use"), vLLM ("tool choice requires …")
 * and Gemini ("function calling is not enabled") say it in a sentence only. Taken for it in error, a model goes without
 * tools, and the log says so; not seen, the channel would get no answer at all.
 */
function refusesTools(error: APIError): boolean {
  const body = bodyText(error);
  return toolWords.test(body) && refusalWords.test(body);
}

const toolWords = /\btools?\b|\bfunction[ -]call/i;
const refusalWords = /not support|unsupported|not (enabled|available)|\brequires?\b|no endpoints/i;

function refusedParameter(error: APIError, sent: readonly string[]): string | undefined {
  const [named = ''] = string(error.param)
    .replace(/^body\./, '')
    .split(/[.[]/);
  if (sent.includes(named)) return named;
  // Pydantic's servers name it in `loc`, others only in a sentence. Names that are ordinary words must stand in quotes.
  const body = bodyText(error);
  return sent.find((name) => new RegExp(name.includes('_') ? `\\b${name}\\b` : `["'\`]${name}["'\`]`).test(body));
}

/** Not taken at all, in contrast to a value that is out of range. */
function isUnsupported(error: APIError): boolean {
  return !/^(invalid_(value|type)|integer_|decimal_|number_|array_|string_)/.test(string(error.code));
}

/** Every text in the body, each in quotes of its own. */
function bodyText(error: APIError): string {
  return [...texts(error.error, 0)].map((text) => `"${text}"`).join('\n');
}

function* texts(value: unknown, depth: number): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null && depth < 6) {
    for (const each of Object.values(value)) yield* texts(each, depth + 1);
  }
}
