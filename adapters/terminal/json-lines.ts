import type { Readable, Writable } from 'node:stream';
import { toBotError, userText } from '../../src/errors.ts';
import { type Adapter, channelParts, type Event, type OpenIntake, type Reply } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { createIds } from './ids.ts';
import { type InputLine, parseLine } from './json-line.ts';
import { readLines } from './lines.ts';
import { createOpenEvents, expectsEnd } from './open-events.ts';

/**
 * The bridge for any other program: one JSON object a line, in and out; any number of channels and people. What may go
 * in stands in json-line.ts. What comes out names its event by `channel`, `thread` and `id`:
 *
 * - `accepted` or `known`: the event of that `line` is kept now, or was before; after `known` no more follows
 * - `progress`: `note`
 * - `write`: message `index` of the answer stands as `text` under `messageId`, which stays the same when it is written
 *   again; `done`: it will not change; `last`: the answer ends with it, and what stood beyond it is gone; `actions`:
 *   what may be offered under it
 * - `say`: something beside the answer, or the end of what gets none; the same `key` twice is to be shown once
 * - `withdraw`: the answer is to be taken back
 * - `unfinished`: the answer is given up; what stands of it is all there is, with the `note` under it
 * - `end`: no more follows, and nothing came of the event: it was dealt with before, or nobody there may ask
 * - `error`: about that `line` of the input; nothing of it was kept
 */
export interface JsonLinesDeps {
  openIntake: OpenIntake;
  input: Readable;
  output: Writable;
  log: Log;
  now: () => number;
  /** The input has ended and everything is answered, or nobody reads the output any more. */
  onClosed(): void;
}

const limits = { pieceChars: 4_000, minEditMs: 250 };

/** How many events may wait to be kept before no further line is read. */
const maxAccepting = 64;

export async function startJsonLines(deps: JsonLinesDeps): Promise<Adapter> {
  const { input, output, log, now } = deps;
  const open = createOpenEvents(() => {});
  const emit = createEmit(output);
  const ids = createIds();
  let state: 'open' | 'paused' | 'closed' = 'open';

  function reply(event: Event): Reply {
    const about = toAbout(event);
    if (expectsEnd(event)) void open.begin(event);
    return {
      limits,
      async progress(note) {
        void open.begin(event);
        await emit({ type: 'progress', ...about, note });
      },
      async write(piece) {
        void open.begin(event);
        const messageId = `${event.id}.${piece.index}`;
        await emit({ type: 'write', ...about, messageId, ...piece });
        if (piece.last) open.end(event);
        return messageId;
      },
      async say(key, notice) {
        await emit({ type: 'say', ...about, key, ...notice });
        open.end(event);
      },
      async withdraw() {
        await emit({ type: 'withdraw', ...about });
        open.end(event);
      },
      async end(unfinished) {
        if (unfinished !== undefined) return await emit({ type: 'unfinished', ...about, note: unfinished });
        if (open.isOpen(event)) await emit({ type: 'end', ...about });
        open.end(event);
      },
    };
  }

  const intake = await deps.openIntake('lines', {
    reply,
    fetch: async (attachment) => Buffer.from(attachment.source, 'base64'),
    link: () => undefined,
  });

  async function accept({ line, event }: { line: number; event: Event }): Promise<void> {
    const isAgain = open.isOpen(event);
    if (expectsEnd(event)) void open.begin(event);
    try {
      const outcome = await intake.accept(event);
      if (outcome !== 'accepted' && !isAgain) open.end(event);
      await emit({ type: outcome, line, ...toAbout(event) });
    } catch (error) {
      if (!isAgain) open.end(event);
      log.warn({ err: error, event: event.id, line }, 'an event could not be accepted');
      await emit({ type: 'error', line, ...toAbout(event), message: userText(toBotError(error), now()) });
    }
  }

  async function listen(): Promise<void> {
    const inOrder = createInOrder(maxAccepting);
    let line = 0;
    for await (const text of readLines(input)) {
      if (state !== 'open') return;
      line++;
      const parsed: InputLine = parseLine(text, { now: now(), newId: ids.next });
      if (parsed.kind === 'problem') await emit({ type: 'error', line, message: parsed.message });
      if (parsed.kind === 'event') {
        const taken = { line, event: parsed.event };
        await inOrder.add(parsed.event.channel, () => accept(taken));
      }
    }
    await inOrder.idle();
    await open.idle();
  }

  function finish(): void {
    if (state !== 'open') return;
    state = 'closed';
    deps.onClosed();
  }

  output.on('error', finish);
  listen().then(finish, (error: unknown) => {
    log.error({ err: error }, 'the input could not be read to its end');
    finish();
  });

  return {
    name: 'lines',
    health: () => ({ ready: state === 'open', detail: state === 'open' ? 'listening' : state }),
    async pause() {
      if (state === 'open') state = 'paused';
    },
    async close() {
      state = 'closed';
      input.destroy();
    },
  };
}

function toAbout(event: Event) {
  const { channel, thread } = channelParts(event.channel);
  return { channel, ...(thread === undefined ? {} : { thread }), id: event.id };
}

/** Writes a line and, where the reader is slow, waits until it has caught up. */
function createEmit(output: Writable): (line: object) => Promise<void> {
  let drained: Promise<void> | undefined;
  return async (line) => {
    if (output.destroyed || output.write(`${JSON.stringify(line)}\n`)) return;
    drained ??= new Promise<void>((resolve) => {
      const done = (): void => {
        output.off('drain', done).off('close', done);
        drained = undefined;
        resolve();
      };
      output.on('drain', done).on('close', done);
    });
    await drained;
  };
}

/** Tasks of one key one after the other, those of different keys side by side; `add` waits while too many run. */
function createInOrder(maxRunning: number) {
  const tails = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  return {
    async add(key: string, task: () => Promise<void>): Promise<void> {
      const mine = (tails.get(key) ?? Promise.resolve()).then(task);
      tails.set(key, mine);
      running.add(mine);
      void mine.finally(() => {
        running.delete(mine);
        if (tails.get(key) === mine) tails.delete(key);
      });
      while (running.size >= maxRunning) await Promise.race(running);
    },
    async idle(): Promise<void> {
      await Promise.all(running);
    },
  };
}
