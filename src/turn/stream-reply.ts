import { BotError } from '../errors.ts';
import type { Action, Reply } from '../event.ts';
import { createSplitter } from './split.ts';

/**
 * Brings a growing text to the platform: the first of it at once, then edits paced by what the last one took, so that
 * they never fall behind; the last edit always. One write is under way at a time.
 */
export interface StreamReply {
  push(text: string): void;
  /** Everything so far, to the last character, with what is offered under it. Throws what the platform threw. */
  finish(actions: Action[]): Promise<string[]>;
  text(): string;
  /** Ends the writing where it is, for a text that will not stand. */
  abandon(): Promise<void>;
}

interface StreamReplyDeps {
  now(): number;
  /** Offered while it is being written. */
  actions: Action[];
  /** Another message of the answer stands. */
  onPosted(posts: string[]): Promise<void>;
  /** An edit failed that later ones make good. */
  onTrouble(error: unknown): void;
}

/** The share of time a platform may be kept busy with edits of one answer. */
const restPerEditMs = 1.5;

export function createStreamReply(reply: Reply, deps: StreamReplyDeps): StreamReply {
  const splitter = createSplitter(reply.limits.pieceChars);
  const written: { text: string; done: boolean }[] = [];
  const posts: string[] = [];
  let text = '';
  let pieces: readonly string[] = [];
  let ending = false;
  let hopeless = false;
  let notBefore = 0;
  let pump: Promise<void> | undefined;
  let wake: (() => void) | undefined;

  /** The first piece that does not stand as it should; an earlier one is complete before a later one begins. */
  function nextPiece(): { index: number; done: boolean } | undefined {
    for (const [index, piece] of pieces.entries()) {
      const done = ending || index < pieces.length - 1;
      const stands = written[index];
      if (stands?.text !== piece || (done && !stands.done)) return { index, done };
    }
    return undefined;
  }

  async function write(index: number, done: boolean): Promise<void> {
    const piece = pieces[index] ?? '';
    const begun = deps.now();
    const actions = index === pieces.length - 1 ? deps.actions : [];
    const id = await reply.write({ index, text: piece, done, last: false, actions });
    written[index] = { text: piece, done };
    notBefore = deps.now() + Math.max(reply.limits.minEditMs, (deps.now() - begun) * restPerEditMs);
    if (posts[index] === id) return;
    posts[index] = id;
    await deps.onPosted([...posts]);
  }

  async function run(): Promise<void> {
    for (;;) {
      const next = ending ? undefined : nextPiece();
      if (next === undefined) return;
      const isEdit = written[next.index] !== undefined && !next.done;
      if (isEdit) await rest(notBefore - deps.now());
      if (ending) return;
      try {
        await write(next.index, next.done);
      } catch (error) {
        deps.onTrouble(error);
        // What the platform refuses for good it is asked once more, at the end.
        if (isFinal(error)) {
          hopeless = true;
          return;
        }
        notBefore = deps.now() + Math.max(1000, reply.limits.minEditMs);
        await rest(notBefore - deps.now());
      }
    }
  }

  async function rest(ms: number): Promise<void> {
    if (ms <= 0 || ending) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function start(): void {
    pump ??= run().finally(() => {
      pump = undefined;
      if (!ending && !hopeless && nextPiece() !== undefined) start();
    });
  }

  async function settle(): Promise<void> {
    ending = true;
    wake?.();
    await pump;
  }

  return {
    push(added) {
      if (added === '' || ending) return;
      text += added;
      pieces = splitter.push(added);
      if (!hopeless) start();
    },

    async finish(actions) {
      await settle();
      for (const [index, piece] of pieces.entries()) {
        const last = index === pieces.length - 1;
        const stands = written[index];
        if (!last && stands?.done && stands.text === piece) continue;
        posts[index] = await reply.write({ index, text: piece, done: true, last, actions: last ? actions : [] });
      }
      return [...posts];
    },

    text: () => text,
    abandon: settle,
  };
}

function isFinal(error: unknown): boolean {
  return error instanceof BotError && error.kind === 'platform' && error.retryAt === undefined;
}
