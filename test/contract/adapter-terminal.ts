import assert from 'node:assert/strict';
import { setImmediate as tick } from 'node:timers/promises';
import type { Event, Intake, OpenIntake, Reply, Surface } from '../../src/event.ts';

type Handle = (event: Event, reply: Reply) => Promise<void>;

/**
 * The other side of the seam, by hand: accepts, then handles one event at a time in each channel; only `/stop` does not
 * wait. `pending` stands for what an earlier run left behind.
 */
export function createCore(handle: Handle, { pending = [] as Event[], accept = async (_event: Event) => {} } = {}) {
  const accepted: Event[] = [];
  const failures: unknown[] = [];
  const lanes = new Map<string, Promise<void>>();
  let surface: Surface | undefined;

  function run(event: Event, made: Surface): void {
    const urgent = event.kind === 'command' && lineOf(event) === 'stop';
    const before = urgent ? undefined : lanes.get(event.channel);
    const reply = made.reply(event, []);
    const done = (before ?? Promise.resolve()).then(() => handle(event, reply)).catch((error) => failures.push(error));
    if (!urgent)
      lanes.set(
        event.channel,
        done.then(() => {}),
      );
  }

  const openIntake: OpenIntake = async (_platform, made): Promise<Intake> => {
    surface = made;
    for (const event of pending) run(event, made);
    return {
      async accept(event) {
        await accept(event);
        if (accepted.some((one) => one.id === event.id && one.channel === event.channel)) return 'known';
        accepted.push(event);
        run(event, made);
        return 'accepted';
      },
      lastSeen: () => new Map(),
    };
  };
  return {
    openIntake,
    accepted,
    failures,
    words: () => accepted.map(wordsOf),
    surface(): Surface {
      assert.ok(surface);
      return surface;
    },
  };
}

export function wordsOf(event: Event): string {
  if (event.kind === 'message' || event.kind === 'edit') return event.text;
  return event.kind === 'command' ? `/${lineOf(event)}` : event.messageIds.join(' ');
}

function lineOf(event: Extract<Event, { kind: 'command' }>): string {
  return 'line' in event.command ? event.command.line : event.command.path.join(' ');
}

export function notice(text: string) {
  return { text, private: true, actions: [], files: [] };
}

/** Streams an answer, one word more with each write, as the core does. */
export async function stream(reply: Reply, text: string): Promise<void> {
  const words = text.split(/(?<= )/);
  for (const count of words.keys()) {
    const soFar = words.slice(0, count + 1).join('');
    await reply.write({ index: 0, text: soFar, done: false, last: false, actions: [] });
  }
  await reply.write({ index: 0, text, done: true, last: true, actions: [] });
}

export const echo: Handle = async (event, reply) => {
  await reply.progress('');
  if (event.kind === 'message') await stream(reply, `You said: ${event.text}`);
  else await reply.say('result', notice(`done: ${wordsOf(event)}`));
};

export async function until(condition: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `it never came to this; instead: ${what()}`);
    await tick();
  }
}

export const noLog = { debug() {}, info() {}, warn() {}, error() {}, child: () => noLog };
