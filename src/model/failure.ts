import { APIConnectionError, APIError } from 'openai';
import { BotError } from '../errors.ts';
import { string } from './chunk.ts';
import { readRateHeaders } from './rate-headers.ts';
import { type Refusal, readRefusal, type Sent, statusOf, toRefusalError } from './refusal.ts';
import { BodyTooLarge } from './transport.ts';

/** What can still be done about a failed attempt. */
type Remedy =
  | 'none' // nobody else would answer either
  | 'other-model' // the same again would end the same
  | 'again' // a passing fault
  | 'faster-model' // it took too long: another model at once, the same only where there is no other
  | 'later'; // the server said when

export interface Failure {
  error: BotError;
  remedy: Remedy;
  refusal?: Refusal;
}

export interface FailureContext {
  sent: Sent;
  /** The model is one that the operator set. */
  isOwn: boolean;
  /** Of the chat API; never the whole address, which may hold a secret. */
  host: string;
  /** Prompt and reply together. */
  neededTokens: number;
  now: number;
}

/** Gives a failure before the first word its kind. */
export function toFailure(error: unknown, context: FailureContext): Failure {
  if (error instanceof APIConnectionError) return toConnectionFailure(error, context.host);
  if (error instanceof APIError) return toApiFailure(error, context);
  if (error instanceof SyntaxError) {
    return {
      error: new BotError('model', 'the chat API sent something unreadable', { cause: error }),
      remedy: 'again',
    };
  }
  if (error instanceof BodyTooLarge) {
    const text = 'the chat API sent far more than was asked for';
    return { error: new BotError('model', text, { cause: error }), remedy: 'other-model' };
  }
  return toConnectionFailure(error, context.host);
}

function toApiFailure(error: APIError, context: FailureContext): Failure {
  const status = statusOf(error);
  if (isQuota(error)) {
    const text = 'the account at the chat API has no quota left; an admin must look at its billing';
    return { error: new BotError('busy', text, { cause: error }), remedy: 'other-model' };
  }
  if (status === 429 || status === 503) return toLimitFailure(error, context);
  if (status === 401) {
    return { error: new BotError('credentials', 'the chat API refused the key', { cause: error }), remedy: 'none' };
  }
  if (status === 403) {
    const text = 'the chat API does not let this key use the model';
    return { error: new BotError('credentials', text, { cause: error }), remedy: 'other-model' };
  }
  if (status === 407) return proxyRefused(error);
  if (status !== undefined && status >= 300 && status < 400) return redirected(error, context.host);
  const refusal = readRefusal(error, context.sent);
  if (refusal !== undefined) {
    const remedy = refusal.what === 'overflow' ? 'none' : 'other-model';
    return { error: toRefusalError(refusal, context, error), remedy, refusal };
  }
  return toServerFailure(error, context.host);
}

function redirected(cause: APIError, host: string): Failure {
  const text = `${host} redirects to another address, which I do not follow; an admin must check OPENAI_BASE_URL`;
  return { error: new BotError('model', text, { cause }), remedy: 'other-model' };
}

function toServerFailure(error: APIError, host: string): Failure {
  const status = statusOf(error);
  if (status === 404) {
    const text = `there is no chat API at ${host}; an admin must check OPENAI_BASE_URL`;
    return { error: new BotError('model', text, { cause: error }), remedy: 'other-model' };
  }
  const passing = status === undefined || status >= 500 || status === 408 || status === 409;
  const again = passing && error.headers?.get('x-should-retry') !== 'false';
  const text = passing ? 'the chat API failed' : 'the chat API refused the request';
  const detail = status === undefined ? '' : ` (${status})`;
  return {
    error: new BotError('model', `${text}${detail}`, { cause: error }),
    remedy: again ? 'again' : 'other-model',
  };
}

function toLimitFailure(error: APIError, context: FailureContext): Failure {
  const status = statusOf(error) ?? 429;
  const limited = status === 429;
  const news = readRateHeaders(error.headers ?? new Headers(), status, context.now);
  // More than the account may send in a whole minute: no waiting helps, a shorter prompt does.
  if (limited && news.tokenLimit !== undefined && news.tokenLimit > 0 && news.tokenLimit < context.neededTokens) {
    return { error: toRefusalError({ what: 'overflow' }, context, error), remedy: 'none' };
  }
  const text = limited ? 'the chat API is at its rate limit' : 'the chat API is overloaded';
  const at = news.blockedMs === undefined ? {} : { retryAt: context.now + news.blockedMs };
  return {
    error: new BotError(limited ? 'busy' : 'model', text, { cause: error, ...at }),
    remedy: news.blockedMs === undefined ? 'again' : 'later',
  };
}

const quotaCodes = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'insufficient_balance']);

/** OpenAI says 429 to an empty account, as if waiting helped. */
function isQuota(error: APIError): boolean {
  return statusOf(error) === 402 || quotaCodes.has(string(error.code)) || quotaCodes.has(string(error.type));
}

function toConnectionFailure(error: unknown, host: string): Failure {
  const codes = [...errorCodes(error)];
  const has = (pattern: RegExp) => codes.some((code) => pattern.test(code));
  const say = (text: string, remedy: Remedy): Failure => ({
    error: new BotError('model', text, { cause: error }),
    remedy,
  });
  if (has(/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/)) {
    const text = `the certificate of ${host} is not trusted; an admin can name the issuer's certificate in NODE_EXTRA_CA_CERTS`;
    return say(text, 'none');
  }
  if (has(/^(ERR_SSL|EPROTO)/)) {
    return say(`${host} does not speak TLS as expected; an admin must check OPENAI_BASE_URL and the proxy`, 'none');
  }
  if (has(/^(ENOTFOUND|EAI_)/))
    return say(`the name ${host} could not be found; an admin must check OPENAI_BASE_URL`, 'again');
  if (has(/^(UND_ERR_ABORTED|UND_ERR_PRX_TLS|ERR_PROXY_TUNNEL)/)) return proxyRefused(error);
  if (has(/^ECONNREFUSED$/)) return say(`nothing answers at ${host}, or at the proxy where one is set`, 'again');
  return say(`the connection to ${host} failed`, 'again');
}

function proxyRefused(cause: unknown): Failure {
  const text = 'the proxy refused the connection to the chat API; an admin must check HTTPS_PROXY and HTTP_PROXY';
  return { error: new BotError('model', text, { cause }), remedy: 'none' };
}

/** The codes of an error and of all that caused it: fetch wraps the one that matters twice. */
function* errorCodes(error: unknown, depth = 0): Generator<string> {
  if (depth > 5 || typeof error !== 'object' || error === null) return;
  const code = 'code' in error ? string(error.code) : '';
  if (code !== '') yield code;
  if ('cause' in error) yield* errorCodes(error.cause, depth + 1);
}
