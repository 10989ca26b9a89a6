import { toDefaults } from '../src/app.ts';
import { parseConfig } from '../src/config.ts';
import type { Profile } from '../src/conversation/profile.ts';
import { type Core, createCore } from '../src/core.ts';
import { type ChannelId, type Intake, type MessageEvent, type Reply, toChannelId } from '../src/event.ts';
import { createLog } from '../src/log.ts';
import type { Model, ModelEvent } from '../src/model/model.ts';
import { createMetrics } from '../src/operations/metrics.ts';
import type { Backend } from '../src/storage/backend.ts';
import { createStore } from '../src/storage/store.ts';

/** The core in this process, over any backend and any model, with an adapter that does nothing but wait. */
export interface BenchCore extends Core {
  profile: Profile;
  model: Model;
  /** Says something and resolves when it is answered and kept; folds may still be under way. */
  ask(channel: ChannelId, text: string): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  backend: Backend;
  model: Model;
  role: string;
  /** Absent: the program's own default. */
  recallTokens?: number;
}

const minuteMs = 60_000;

/** Distinct through all cores of this process: one of them may go on with the records of another. */
let said = 0;

export async function startCore({ backend, model, role, recallTokens }: Options): Promise<BenchCore> {
  const RECALL_TOKENS = recallTokens === undefined ? undefined : String(recallTokens);
  const config = parseConfig({ SYSTEM_ROLE: role, RECALL_TOKENS });
  const profile = toDefaults(config, 'gpt-4o');
  const stopped = new AbortController();
  const store = createStore(backend);
  let at = Date.UTC(2026, 10, 3, 12);
  const core = await createCore({
    config,
    defaults: profile,
    store,
    model,
    metrics: createMetrics(),
    log: createLog({ level: 'silent', format: 'json', secrets: [] }),
    signal: stopped.signal,
    now: () => at,
  });
  const problems: string[] = [];
  const intake: Intake = await core.open('bench', {
    reply: (event) => toReply(event.id, problems),
    fetch: async () => new Uint8Array(),
    link: () => undefined,
  });

  return {
    ...core,
    profile,
    model,
    async ask(channel, text) {
      at += minuteMs;
      await intake.accept(toMessage(channel, ++said, at, text));
      while (core.inbox.waiting() + core.inbox.running() > 0) await new Promise((resolve) => setImmediate(resolve));
      const [problem] = problems;
      if (problem !== undefined) throw new Error(`no answer: ${problem}`);
    },
    async stop() {
      await core.inbox.close(0);
      stopped.abort();
      await core.memory.idle();
      await store.close();
    },
  };
}

export function room(name: string): ChannelId {
  return toChannelId({ platform: 'bench', workspace: 'w', channel: name });
}

function toMessage(channel: ChannelId, n: number, at: number, text: string): MessageEvent {
  return {
    kind: 'message',
    id: `e${n}`,
    channel,
    at,
    messageId: `m${n}`,
    author: { id: 'u1', name: 'Ann', admin: false, roles: [] },
    text,
    to: 'mention',
    attachments: [],
    origin: {},
  };
}

function toReply(id: string, problems: string[]): Reply {
  return {
    limits: { pieceChars: 4000, minEditMs: 250 },
    async progress() {},
    write: async (piece) => `${id}.${piece.index}`,
    async say(key, { text }) {
      if (key === 'outcome') problems.push(text);
    },
    async end() {},
    async withdraw() {
      problems.push('withdrawn');
    },
  };
}

/** Answers at once, in one piece, in the words it is given. */
export function instantModel(words: (purpose: 'answer' | 'fold') => string): Model {
  return {
    contextTokens: () => undefined,
    async *stream(request): AsyncGenerator<ModelEvent> {
      yield { type: 'text', text: words(request.purpose) };
      const usage = { prompt: request.promptTokens, cached: 0, completion: 200, reasoning: 0, estimated: false };
      yield { type: 'end', finish: 'stop', usage, model: request.model, asked: request.model };
    },
  };
}
