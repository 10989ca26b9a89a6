import { toDefaults } from '../../src/app.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import type { Profile } from '../../src/conversation/profile.ts';
import { type Core, createCore } from '../../src/core.ts';
import { BotError } from '../../src/errors.ts';
import { type Event, type Intake, type Notice, type Reply, type Surface, toChannelId } from '../../src/event.ts';
import { createLog } from '../../src/log.ts';
import type { Model, ModelEvent, ModelRequest } from '../../src/model/model.ts';
import { createMetrics, type Metrics } from '../../src/operations/metrics.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import type { Toolbox } from '../../src/tools/toolbox.ts';
import { slowStore } from './slow-store.ts';

/**
 * The core in this process, with a model that does what it is told and an adapter that keeps what it is given, over a
 * store that takes a random while for everything.
 */

export interface ScriptedModel extends Model {
  requests: ModelRequest[];
  answers(): ModelRequest[];
}

export interface SaidAtLength {
  text: string;
  finish?: 'stop' | 'length' | 'content_filter';
  promptTokens?: number;
  /** Where a fallback answers. */
  model?: string;
  calls?: { id?: string; name: string; arguments: string }[];
}

type Said = string | SaidAtLength;

export function scriptedModel(script: (request: ModelRequest, n: number) => Said | Promise<Said>): ScriptedModel {
  const requests: ModelRequest[] = [];
  return {
    requests,
    answers: () => requests.filter((one) => one.purpose === 'answer'),
    contextTokens: () => undefined,
    async *stream(request, signal): AsyncGenerator<ModelEvent> {
      // As a connection does: nothing is sent for what has ended already.
      signal.throwIfAborted();
      requests.push(request);
      const given = await script(request, requests.length);
      signal.throwIfAborted();
      const said = typeof given === 'string' ? { text: given } : given;
      for (const word of said.text.split(/(?<= )/)) yield { type: 'text', text: word };
      const calls = (said.calls ?? []).map((call, n) => ({ id: `call_${n}`, ...call }));
      for (const call of calls) yield { type: 'tool-call', call };
      const usage = {
        prompt: said.promptTokens ?? request.promptTokens,
        cached: 0,
        completion: 5,
        reasoning: 0,
        estimated: false,
      };
      yield {
        type: 'end',
        finish: said.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
        usage,
        model: said.model ?? request.model,
        asked: said.model ?? request.model,
      };
    },
  };
}

export interface Outcome {
  answer: string | undefined;
  notices: Notice[];
  withdrawn: boolean;
  pieces: string[];
  /** What was shown while the answer was awaited. */
  notes: string[];
  /** What is offered under the answer. */
  actions: string[];
}

const nothing: Outcome = { answer: undefined, notices: [], withdrawn: false, pieces: [], notes: [], actions: [] };

export interface TestCore extends Core {
  store: Store;
  model: ScriptedModel;
  metrics: Metrics;
  outcomes: Map<string, Outcome>;
  /** Resolves when the event has been handled, and what it led to is done. */
  send(event: Event): Promise<Outcome>;
  intake: Intake;
  /** The messages that the last reply was to write anew. */
  replyingOn: readonly string[];
  /** From now on the platform takes no answer. */
  refuseWrites(): void;
  /** Progress notes fail, once or always. */
  refuseNotes(retryAt?: number): void;
  stop(): Promise<void>;
  advance(ms: number): void;
  now(): number;
}

interface Options {
  model: ScriptedModel;
  env?: Record<string, string>;
  store?: Store;
  /** What can be called; all of it, unless the profile says otherwise. */
  toolbox?: Toolbox;
  profile?: Partial<Profile>;
  /** The platform's files. */
  fetch?: Surface['fetch'];
  /** Who may do what, as the configuration has it when it was read. */
  policy?: Partial<Config['policy']>;
}

export async function startCore({
  model,
  env = {},
  store: given = createStore(createMemoryBackend()),
  toolbox,
  profile = {},
  fetch = async () => new Uint8Array(),
  policy = {},
}: Options): Promise<TestCore> {
  const store = slowStore(given);
  const parsed = parseConfig(env);
  const config = { ...parsed, policy: { ...parsed.policy, ...policy } };
  const defaults: Profile = { ...toDefaults(config, 'gpt-4o'), tools: 'all', ...profile };
  const stopped = new AbortController();
  let time = Date.UTC(2026, 10, 3, 12);
  const log = createLog({ level: 'silent', format: 'json', secrets: [] });
  const metrics = createMetrics();
  const core = await createCore({
    config,
    defaults,
    store,
    model,
    metrics,
    log,
    signal: stopped.signal,
    now: () => time,
    ...(toolbox && { toolbox }),
  });
  const outcomes = new Map<string, Outcome>();

  let replyingOn: readonly string[] = [];
  let refusing = false;
  let refusedNotes: BotError | undefined;

  function reply(event: Event, posted: readonly string[]): Reply {
    if (posted.length > 0) replyingOn = posted;
    // A second reply to the same event goes on with the same outcome.
    const outcome: Outcome = outcomes.get(event.id) ?? { ...nothing, notices: [], pieces: [], notes: [] };
    outcomes.set(event.id, outcome);
    return {
      limits: { pieceChars: 100_000, minEditMs: 0 },
      async progress(note) {
        if (note !== '' && refusedNotes !== undefined) throw refusedNotes;
        if (note !== '') outcome.notes.push(note);
      },
      async write(piece) {
        if (refusing) throw new BotError('platform', 'it takes no answers here');
        outcome.pieces[piece.index] = piece.text;
        outcome.actions = piece.actions.map((action) => action.label);
        if (piece.last) outcome.answer = outcome.pieces.slice(0, piece.index + 1).join('');
        return `${event.id}.${piece.index}`;
      },
      async say(_key, notice) {
        outcome.notices.push(notice);
      },
      async end() {},
      async withdraw() {
        outcome.withdrawn = true;
        outcome.answer = undefined;
      },
    };
  }

  const intake = await core.open('t', {
    reply,
    fetch,
    link: (channel, id) => `test://${channel}/${id}`,
  });
  const idle = async (): Promise<void> => {
    for (let turn = 0; core.inbox.waiting() + core.inbox.running() > 0; turn++) {
      // A store in a thread of its own takes its time: whoever waits for it leaves the core to others.
      await new Promise<void>((resolve) => (turn < 100 ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
    await core.memory.idle();
  };

  return {
    ...core,
    store,
    model,
    metrics,
    outcomes,
    intake,
    get replyingOn() {
      return replyingOn;
    },
    refuseWrites() {
      refusing = true;
    },
    refuseNotes(retryAt) {
      const again = retryAt === undefined ? {} : { retryAt };
      refusedNotes = new BotError('platform', 'it takes no notes here', again);
    },
    now: () => time,
    advance(ms) {
      time += ms;
    },
    async send(event) {
      time += 1000;
      if ((await intake.accept(event)) === 'ignored') return nothing;
      await idle();
      const outcome = outcomes.get(event.id);
      if (outcome === undefined) throw new Error(`nothing became of ${event.id}`);
      return outcome;
    },
    async stop() {
      await core.inbox.close(0);
      stopped.abort();
      await core.memory.idle();
    },
  };
}

export const room = toChannelId({ platform: 't', workspace: 'w', channel: 'room' });

export function person(name: string, admin = false) {
  return { id: `id-${name}`, name, admin, roles: [] };
}

/** Real time does not matter; the order does. */
export function message(n: number, text: string, more: Partial<Extract<Event, { kind: 'message' }>> = {}): Event {
  return {
    kind: 'message',
    id: `e${n}`,
    channel: room,
    at: Date.UTC(2026, 10, 3, 12) + n * 1000,
    messageId: `m${n}`,
    author: person('Ann'),
    text,
    to: 'mention',
    attachments: [],
    origin: {},
    ...more,
  };
}

export function command(n: number, line: string, more: Partial<Extract<Event, { kind: 'command' }>> = {}): Event {
  return {
    kind: 'command',
    id: `e${n}`,
    channel: room,
    at: Date.UTC(2026, 10, 3, 12) + n * 1000,
    author: person('Ann', true),
    command: { line },
    direct: false,
    origin: {},
    ...more,
  };
}
