import { APIError, type OpenAI } from 'openai';
import { Stream } from 'openai/core/streaming';
import { BotError } from '../errors.ts';
import { record } from './chunk.ts';
import type { Clock } from './clock.ts';
import { type Failure, toFailure } from './failure.ts';
import type { FinishReason, ModelEvent, ModelRequest, Usage } from './model.ts';
import { createProgress, estimateUsage, type Progress, toFinish } from './progress.ts';
import type { Sent } from './refusal.ts';
import { limitBody, maxBodyBytes } from './transport.ts';

/** One streamed request, from the first byte to the last, with everything that can happen in between. */

export interface AttemptInput {
  client: OpenAI;
  params: OpenAI.Chat.ChatCompletionCreateParamsStreaming;
  /** The model is one that the operator set. */
  isOwn: boolean;
  request: ModelRequest;
  host: string;
  firstTokenMs: number;
  idleMs: number;
  clock: Clock;
  countTokens: (text: string, model: string) => number | Promise<number>;
  /** Told once, as soon as the server has answered with more than silence. */
  onResponse: (headers: Headers, status: number) => void;
}

type Answered = Extract<ModelEvent, { type: 'text' | 'tool-call' }>;

export type Outcome =
  | { ok: true; finish: FinishReason; usage: Usage; model: string }
  /** `usage` where the server had begun to work, and so to charge. */
  | { ok: false; failure: Failure; usage: Usage | undefined; model: string };

/** Why we ended the request ourselves. */
type Halt = 'stopped' | 'first-token' | 'idle' | 'enough';

/** After its last word a server owes nothing but the usage. */
const afterFinishMs = 4000;

/** No model gets this many characters out of a token for long: whoever sends more pays no heed to the limit. */
const maxChars = (maxTokens: number) => maxTokens * 8 + 2000;

export async function* runAttempt(input: AttemptInput, signal: AbortSignal): AsyncGenerator<Answered, Outcome> {
  const progress = createProgress();
  const control = new AbortController();
  let halted: Halt | undefined;
  const halt = (reason: Halt) => {
    halted ??= reason;
    control.abort();
  };
  const stop = () => halt('stopped');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const firstTokenBy = input.clock.now() + input.firstTokenMs;
  let cancelLimit = input.clock.after(input.firstTokenMs, () => halt('first-token'));
  let thrown: unknown;
  try {
    for await (const value of openStream(input, control, progress)) {
      cancelLimit();
      const text = progress.add(value);
      if (text !== '') yield { type: 'text', text };
      if (progress.chars() > maxChars(input.request.maxTokens)) halt('enough');
      // The time the reader takes to show what came is not the server's.
      const [limitMs, reason] = nextLimit(input, progress, firstTokenBy);
      cancelLimit = input.clock.after(limitMs, () => halt(reason));
    }
    const rest = progress.end();
    if (rest !== '') yield { type: 'text', text: rest };
  } catch (error) {
    thrown = error;
  } finally {
    cancelLimit();
    signal.removeEventListener('abort', stop);
    control.abort();
  }
  const outcome = await conclude(input, progress, halted, thrown);
  if (outcome.ok) for (const call of progress.calls) yield { type: 'tool-call', call };
  return outcome;
}

function nextLimit(input: AttemptInput, progress: Progress, firstTokenBy: number): [ms: number, reason: Halt] {
  if (progress.finish() !== undefined) return [Math.min(input.idleMs, afterFinishMs), 'enough'];
  if (progress.begun()) return [input.idleMs, 'idle'];
  return [Math.max(0, firstTokenBy - input.clock.now()), 'first-token'];
}

async function* openStream(
  input: AttemptInput,
  control: AbortController,
  progress: Progress,
): AsyncGenerator<unknown, void> {
  const { signal } = control;
  const response = await input.client.chat.completions
    .create(input.params, { signal })
    .asResponse()
    .catch((error: unknown) => {
      if (error instanceof APIError && error.headers !== undefined) input.onResponse(error.headers, error.status ?? 0);
      throw error;
    });
  input.onResponse(response.headers, response.status);
  const kind = response.headers.get('content-type') ?? '';
  if (/\bhtml\b/i.test(kind)) throw new NoChatApi(input.host);
  progress.accept(response.headers.get('openai-model'));
  if (response.body === null) return;
  const bounded = new Response(limitBody(response.body, maxBodyBytes(input.request.maxTokens), 'fail'), response);
  if (!/\bjson\b/i.test(kind)) return yield* Stream.fromSSEResponse<unknown>(bounded, control, input.client);
  // A server that does not stream: one message, as if it were one chunk.
  const body: unknown = await bounded.json();
  const { error } = record(body);
  if (error) throw new APIError(undefined, record(error), undefined, response.headers);
  yield body;
}

/** A web page where an API should be: a proxy's login, a parked domain, the wrong path. */
class NoChatApi extends Error {
  readonly host: string;

  constructor(host: string) {
    super('HTML instead of a stream');
    this.host = host;
  }
}

async function conclude(
  input: AttemptInput,
  progress: Progress,
  halted: Halt | undefined,
  thrown: unknown,
): Promise<Outcome> {
  const { accepted, text, usage, model: answered, fingerprint } = progress.state();
  const model = answered ?? input.params.model;
  const estimate = () => estimateUsage(progress, input.request.promptTokens, (all) => input.countTokens(all, model));
  const marked = (one: Usage): Usage => (fingerprint === undefined ? one : { ...one, fingerprint });
  const counted = usage ?? (accepted ? await estimate() : undefined);
  const spent = counted && marked(counted);
  const given = text !== '' || progress.calls.length > 0;
  const finish = toFinish(progress.finish(), halted === 'enough', progress.calls.length > 0);
  if (finish !== undefined && given) return { ok: true, finish, usage: spent ?? marked(await estimate()), model };
  const shown = text !== '';
  const failure = toAttemptFailure({ input, halted, thrown, shown, finish });
  return { ok: false, failure, usage: spent, model };
}

interface Ending {
  input: AttemptInput;
  halted: Halt | undefined;
  thrown: unknown;
  shown: boolean;
  finish: FinishReason | undefined;
}

function toAttemptFailure({ input, halted, thrown, shown, finish }: Ending): Failure {
  if (halted === 'stopped') return { error: new BotError('stopped', 'this answer was stopped'), remedy: 'none' };
  if (shown) {
    return { error: new BotError('broken', 'the answer broke off before its end', { cause: thrown }), remedy: 'none' };
  }
  if (halted === 'first-token' || halted === 'idle')
    return tooSlow(halted === 'idle' ? input.idleMs : input.firstTokenMs);
  if (thrown instanceof NoChatApi) {
    const text = `${thrown.host} answered with a web page, not as a chat API; an admin must check OPENAI_BASE_URL`;
    return { error: new BotError('model', text, { cause: thrown }), remedy: 'other-model' };
  }
  if (thrown !== undefined) {
    const { params, isOwn, request, host, clock } = input;
    const neededTokens = request.promptTokens + request.maxTokens;
    return toFailure(thrown, { sent: toSent(params), isOwn, host, neededTokens, now: clock.now() });
  }
  return emptyAnswer(finish, input.request.maxTokens);
}

function toSent(params: AttemptInput['params']): Sent {
  const tools = (params.tools ?? []).map((tool) => (tool.type === 'function' ? tool.function.name : ''));
  return { model: params.model, parameters: Object.keys(params), tools };
}

function tooSlow(limitMs: number): Failure {
  const text = `the chat API said nothing for ${Math.round(limitMs / 1000)} seconds`;
  return { error: new BotError('model', text), remedy: 'faster-model' };
}

function emptyAnswer(finish: FinishReason | undefined, maxTokens: number): Failure {
  if (finish === 'content_filter') {
    return { error: new BotError('model', "the provider's content filter withheld the answer"), remedy: 'other-model' };
  }
  if (finish === 'length') {
    const text = `the model used all of its ${maxTokens} reply tokens before the first word; an admin can raise MAX_REPLY_TOKENS`;
    return { error: new BotError('model', text), remedy: 'other-model' };
  }
  const text =
    finish === undefined ? 'the chat API ended its answer before the first word' : 'the model answered nothing';
  return { error: new BotError('model', text), remedy: 'again' };
}
