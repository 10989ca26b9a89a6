import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Outcome, runAttempt } from './attempt.ts';
import { type ApiServer, createClient } from './client.ts';
import { type Clock, sleep } from './clock.ts';
import { type Dialect, firstDialect, isRefusedTool, learnAccepted, learnRefusal } from './dialect.ts';
import type { Failure } from './failure.ts';
import { createGate, type Gate } from './gate.ts';
import { knownContextTokens } from './known-models.ts';
import type { Model, ModelEvent, ModelRequest } from './model.ts';
import { readRateHeaders } from './rate-headers.ts';
import { modelRefusal, type Refusal } from './refusal.ts';
import { planStep } from './retry.ts';
import { toParams } from './wire.ts';

export interface OpenAiConfig extends ApiServer {
  fallbackModels: readonly string[];
  /** Which model the operator set: of any other a person did. */
  ownModel?: string | undefined;
  firstTokenMs: number;
  idleMs: number;
  /** As the operator says; otherwise what is known of the model. */
  contextTokens: number | undefined;
}

export interface OpenAiDeps {
  clock: Clock;
  /** Between 0 and 1. */
  random: () => number;
  log: Pick<Log, 'debug' | 'warn'>;
  countTokens: (text: string, model: string) => number | Promise<number>;
}

/** One call: all its attempts, on all its models. */
interface Call {
  request: ModelRequest;
  signal: AbortSignal;
  /** Whoever came first goes first, also after having been sent away. */
  place: number;
  startedAt: number;
}

/** Nobody waits longer than this for a rate limit; they are told when to come back instead. */
const maxWaitMs = 300_000;

/** With another model at hand nobody is kept waiting longer than this for the first. */
const patienceMs = 5000;

/** So many tools are taken out one by one for one question. */
const mostToolRefusals = 12;
const allTools: Refusal = { what: 'parameter', name: 'tools', unsupported: true };

/** The SDK's own timer ends before the body; ours watch everything, so it only must not be the first. */
const sdkTimeoutMs = 86_400_000;

/** A Model over any server that speaks OpenAI's Chat Completions. */
export function createOpenAiModel(config: OpenAiConfig, deps: OpenAiDeps): Model {
  const { clock, log } = deps;
  const client = createClient(config, sdkTimeoutMs);
  const host = new URL(client.baseURL).host;
  // Both are bounded by the models that settings name: what is idle, or learnt again in one request, may go.
  const gates = new Map<string, Gate>();
  const dialects = new Map<string, Dialect>();
  let calls = 0;

  return {
    // A prompt must fit whichever of them answers.
    contextTokens: (model) => config.contextTokens ?? smallestWindow([model, ...config.fallbackModels]),
    async *stream(request, signal) {
      calls += 1;
      const call: Call = { request, signal, place: calls, startedAt: clock.now() };
      const models = [...new Set([request.model, ...config.fallbackModels])];
      let first: Failure | undefined;
      for (const [index, model] of models.entries()) {
        const failure = yield* askModel(call, model, index + 1 < models.length);
        if (failure === undefined) return;
        first ??= failure;
        if (failure.remedy === 'none') throw failure.error;
        const isLast = index + 1 === models.length;
        if (!isLast && modelRefusal(failure.error) !== undefined) yield { type: 'passed-over', error: failure.error };
      }
      throw first?.error ?? new BotError('bug', 'no model was asked');
    },
  };

  /** Returns nothing when the model has answered. */
  async function* askModel(
    call: Call,
    model: string,
    otherModelLeft: boolean,
  ): AsyncGenerator<ModelEvent, Failure | undefined> {
    for (let attempts = 1; ; attempts += 1) {
      const outcome = yield* admit(call, model, otherModelLeft);
      if (outcome.ok) {
        const { finish, usage } = outcome;
        yield { type: 'end', finish, usage, model: outcome.model, asked: model };
        return undefined;
      }
      const { failure, usage } = outcome;
      if (usage !== undefined) yield { type: 'attempt', model: outcome.model, usage };
      const step = planStep(failure, { attempts, otherModelLeft }, deps.random());
      if (failure.error.kind !== 'stopped') {
        log.warn({ model, attempts, next: step.do, err: failure.error }, 'a request to the chat API failed');
      }
      if (step.do !== 'retry') return failure;
      await sleep(clock, step.waitMs, call.signal);
    }
  }

  /** Waits for the rate limit, then makes one attempt, putting the request anew where the server does not know a part. */
  async function* admit(call: Call, model: string, otherModelLeft: boolean): AsyncGenerator<ModelEvent, Outcome> {
    for (let toolRefusals = 0; ; ) {
      const gate = gateOf(model);
      const deadline = otherModelLeft ? clock.now() + patienceMs : call.startedAt + maxWaitMs;
      const admitted = yield* gate.enter(call.place, deadline, call.signal);
      if (!admitted) return unsent(model, call.signal.aborted ? stopped() : limited(gate));
      const dialect = dialectOf(model);
      const outcome = yield* send(call, model, gate, dialect);
      if (outcome.ok) {
        // What others learnt meanwhile is newer.
        if (dialects.get(model) === dialect) keepLearnt(call, model, dialect, learnAccepted(dialect, call.request));
        return outcome;
      }
      const { refusal } = outcome.failure;
      if (refusal === undefined) return outcome;
      if (refusal.what === 'tool') toolRefusals += 1;
      // Whoever refuses one after the other gets none of them.
      const learnt = learnRefusal(dialect, toolRefusals > mostToolRefusals ? allTools : refusal, call.request);
      if (learnt === undefined) return outcome;
      keepLearnt(call, model, dialect, learnt, outcome.failure);
    }
  }

  function keepLearnt({ request }: Call, model: string, before: Dialect, after: Dialect, failure?: Failure): void {
    if (after === before) return;
    dialects.set(model, after);
    const err = failure?.error;
    for (const tool of request.tools ?? []) {
      if (!isRefusedTool(tool, after) || isRefusedTool(tool, before)) continue;
      log.warn({ model, tool: tool.name, err }, 'the chat API refuses this tool as it is described: it is left out');
    }
    if (after.refused.has('tools') && !before.refused.has('tools')) {
      log.warn({ model, err }, 'the model takes no tools: it is asked without them from now on');
    }
    log.debug({ model, refusal: failure?.refusal }, 'requests to the chat API are put differently from now on');
  }

  async function* send(call: Call, model: string, gate: Gate, dialect: Dialect): AsyncGenerator<ModelEvent, Outcome> {
    let settled = false;
    const onResponse = (headers: Headers, status: number) => {
      settled = true;
      log.debug({ model, status, ...headerFields(headers) }, 'the chat API answered');
      gate.settle(readRateHeaders(headers, status, clock.now()));
    };
    const params = toParams(call.request, model, dialect);
    const { firstTokenMs, idleMs } = config;
    const { countTokens } = deps;
    const isOwn = model === config.ownModel || config.fallbackModels.includes(model);
    const input = {
      client,
      params,
      isOwn,
      request: call.request,
      host,
      firstTokenMs,
      idleMs,
      clock,
      countTokens,
      onResponse,
    };
    try {
      return yield* runAttempt(input, call.signal);
    } finally {
      if (!settled) gate.settle(undefined);
      if (gate.idle()) gates.delete(model);
    }
  }

  function gateOf(model: string): Gate {
    const gate = gates.get(model) ?? createGate(clock);
    gates.set(model, gate);
    return gate;
  }

  function dialectOf(model: string): Dialect {
    const dialect = dialects.get(model) ?? firstDialect(config.baseUrl, model);
    dialects.set(model, dialect);
    return dialect;
  }

  function limited(gate: Gate): Failure {
    const retryAt = Math.max(gate.opensAt(), clock.now());
    return { error: new BotError('busy', 'the chat API is at its rate limit', { retryAt }), remedy: 'other-model' };
  }
}

function unsent(model: string, failure: Failure): Outcome {
  return { ok: false, failure, usage: undefined, model };
}

function stopped(): Failure {
  return { error: new BotError('stopped', 'this answer was stopped'), remedy: 'none' };
}

/** Which request it was, who answered, and what is left: never a key, which is in no response. */
function headerFields(headers: Headers): Record<string, unknown> {
  const limits = [...headers].filter(([name]) => name.startsWith('x-ratelimit-') || name.startsWith('retry-after'));
  return {
    requestId: headers.get('x-request-id') ?? undefined,
    answeredBy: headers.get('openai-model') ?? undefined,
    limits: Object.fromEntries(limits),
  };
}

function smallestWindow(models: readonly string[]): number | undefined {
  const known = models.map(knownContextTokens).filter((tokens) => tokens !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
