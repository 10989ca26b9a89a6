import type { APIError } from 'openai';
import { BotError } from '../errors.ts';
import { string } from './chunk.ts';

/** What a server has against a request, read from a 4xx answer. */
export type Refusal =
  | { what: 'overflow' }
  | { what: 'parameter'; name: string; unsupported: boolean }
  /** The model takes tools only where it does not think. */
  | { what: 'thinking-beside-tools' }
  /** Neighbours of one role, or the wrong role first. */
  | { what: 'alternation' }
  /** No system role, or none but user and assistant. */
  | { what: 'system-role' }
  /** One of the tools as it is described; which of them, where the server says so. */
  | { what: 'tool'; name: string | undefined }
  | { what: 'unknown-model' };

/** A request the server will never take as it is, so that whoever set the model or the parameter can take it back. */
class RefusedByModel extends BotError {
  readonly refusal: { param?: string; unknownModel?: boolean };

  constructor(kind: 'config' | 'input', message: string, refusal: RefusedByModel['refusal'], cause: unknown) {
    super(kind, message, { cause });
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

/** `isOwn`: the operator set the model, and not a person by a command. */
export function toRefusalError(
  refusal: Refusal,
  { sent: { model }, isOwn }: { sent: Pick<Sent, 'model'>; isOwn: boolean },
  cause: unknown,
): BotError {
  switch (refusal.what) {
    case 'overflow':
      return new BotError('overflow', 'the prompt is larger than the model can read', { cause });
    case 'parameter': {
      const param = asPeopleKnowIt.get(refusal.name) ?? refusal.name;
      return new RefusedByModel('input', `the model does not take the setting ${param} as it is`, { param }, cause);
    }
    case 'thinking-beside-tools':
    case 'tool':
      return new BotError('model', 'the model does not take the tools it is offered', { cause });
    case 'alternation':
    case 'system-role':
      return new BotError('model', 'the model does not take the conversation in the form it is sent', { cause });
    case 'unknown-model':
      return new RefusedByModel(
        isOwn ? 'config' : 'input',
        `the chat API does not know the model “${model}”`,
        { unknownModel: true },
        cause,
      );
  }
}

/** In the middle of a stream gateways put the status into the error's code. */
export function statusOf(error: APIError): number | undefined {
  return error.status ?? (Number(error.code) || undefined);
}

/** The parts of a request that can be refused. */
export interface Sent {
  model: string;
  /** The names of its parameters. */
  parameters: readonly string[];
  /** The names of its tools, in their order. */
  tools: readonly string[];
}

export function readRefusal(error: APIError, { model, parameters, tools }: Sent): Refusal | undefined {
  const status = statusOf(error);
  if (status === 413 || overflowCodes.has(string(error.code)) || overflowCodes.has(string(error.type))) {
    return { what: 'overflow' };
  }
  const byTemplate = refusedByTemplate(error, status);
  if (byTemplate !== undefined) return byTemplate;
  if (status !== 400 && status !== 404 && status !== 422) return undefined;
  if (soundsLikeOverflow(error)) return { what: 'overflow' };
  if (tools.length > 0) {
    const refusal = readToolRefusal(error, tools, parameters);
    if (refusal !== undefined) return refusal;
  }
  const name = refusedParameter(error, parameters);
  if (name === 'model' || error.code === 'model_not_found' || error.code === 'invalid_model') {
    return { what: 'unknown-model' };
  }
  if (name !== undefined) return { what: 'parameter', name, unsupported: mayGo.has(name) || isUnsupported(error) };
  // A wrong path is a 404 too, but only an unknown model has its name in the answer.
  return bodyText(error).includes(model) ? { what: 'unknown-model' } : undefined;
}

/** Nobody set these: whatever a server has against them, they are left out. */
const mayGo = new Set(['tools', 'reasoning_effort']);

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
 * The chat templates of open models throw a sentence, which llama.cpp passes on with a 500 and vLLM with a 400; Mistral,
 * Anthropic and Perplexity have sentences of their own. Taken for it in error, messages are merged that need not be.
 */
function refusedByTemplate(error: APIError, status: number | undefined): Refusal | undefined {
  if (status !== undefined && status !== 400 && status !== 422 && status !== 500) return undefined;
  const body = bodyText(error);
  if (systemRoleWords.test(body)) return { what: 'system-role' };
  return alternationWords.test(body) ? { what: 'alternation' } : undefined;
}

const alternationWords =
  /(must|should) (be )?alternat|roles in a row|first message must (be|use|have)|last message must (be|use|have)|expected last role/i;
const systemRoleWords =
  /system role (is )?not supported|only user(,| and) (and )?assistant roles|not support (the )?system (role|message|prompt)|(system|developer) (role|message|prompt|instruction)s? (is|are) not (supported|enabled|allowed)/i;

/** What a server has against the tools of a request: against tools, against one of them, or against thinking beside them. */
function readToolRefusal(
  error: APIError,
  tools: readonly string[],
  parameters: readonly string[],
): Refusal | undefined {
  const body = bodyText(error);
  const param = string(error.param).replace(/^body\./, '');
  const isAboutTools = toolWords.test(body) || /^tools\b/.test(param);
  if (`${param} ${body}`.includes('reasoning_effort') && toolWords.test(body)) return { what: 'thinking-beside-tools' };
  const named = namedTool(error, tools);
  if (named !== undefined || error.code === 'invalid_function_parameters') return { what: 'tool', name: named };
  if (isAboutTools && refusalWords.test(body)) return { what: 'parameter', name: 'tools', unsupported: true };
  if (refusedParameter(error, parameters) === 'tools') {
    const isUnknown = /^(unsupported|unknown)_parameter$/.test(string(error.code));
    return isUnknown ? { what: 'parameter', name: 'tools', unsupported: true } : { what: 'tool', name: undefined };
  }
  return schemaWords.test(body) ? { what: 'tool', name: undefined } : undefined;
}

/**
 * Ollama ("does not support tools"), OpenRouter ("no endpoints … that support tool use"), vLLM ("tool choice requires …")
 * and Gemini ("function calling is not enabled") say it in a sentence only. Taken for it in error, a model goes without
 * tools, and the log says so; not seen, the channel would get no answer at all.
 */
const toolWords = /\btools?\b|\bfunction[ -]call/i;
const refusalWords =
  /not support|unsupported|not (enabled|available|permitted|allowed)|\brequires?\b|no endpoints|extra (inputs|fields)|(unknown|unexpected|unrecognized) (field|parameter|argument|name|key)/i;
const schemaWords = /\bschema\b|failed to parse (tools|grammar)/i;

/** By its place in the request (OpenAI, Anthropic, Gemini, Pydantic), or by its name in quotes. */
function namedTool(error: APIError, tools: readonly string[]): string | undefined {
  const text = `${string(error.param)}\n${bodyText(error)}`;
  const [, place] = /\bfunction_?declarations\[(\d+)\]/i.exec(text) ?? /\btools(?:\[|\.)(\d+)/.exec(text) ?? [];
  const at = place === undefined ? placeIn(error.error, 0) : Number(place);
  if (at !== undefined) return tools[at];
  if (!/\b(function|tool|schema)\b/i.test(text) || /tool[ _]choice/i.test(text)) return undefined;
  return tools.find((name) => quoted(name).some((spelt) => text.includes(spelt)));
}

function quoted(name: string): string[] {
  return ["'", '"', '`'].map((mark) => `${mark}${name}${mark}`);
}

/** Pydantic's `loc`: `["body", "tools", 3, …]`. */
function placeIn(value: unknown, depth: number): number | undefined {
  if (typeof value !== 'object' || value === null || depth > 5) return undefined;
  const items: unknown[] = Object.values(value);
  const after = Array.isArray(value) ? items[items.indexOf('tools') + 1] : undefined;
  if (typeof after === 'number' && items.includes('tools')) return after;
  for (const item of items) {
    const found = placeIn(item, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refusedParameter(error: APIError, sent: readonly string[]): string | undefined {
  const [named = ''] = string(error.param)
    .replace(/^body\./, '')
    .split(/[.[]/);
  if (sent.includes(named)) return named;
  // Pydantic's servers name it in `loc`, others only in a sentence. Names that are ordinary words must stand in quotes.
  const body = bodyText(error);
  const words = new Set(body.match(/\w+/g));
  return sent.find((name) => (name.includes('_') ? words.has(name) : isQuoted(name, body)));
}

function isQuoted(name: string, body: string): boolean {
  return ['"', "'", '`'].some((quote) => body.includes(quote + name + quote));
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
