import type { Readable, Writable } from 'node:stream';
import { BotError, toBotError, userText } from '../../src/errors.ts';
import { type Adapter, type Event, type Intake, type OpenIntake, type Reply, toChannelId } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import type { Face, Question, Talk } from './face.ts';
import { createIds } from './ids.ts';
import { createInteractive } from './interactive.ts';
import { createOpenEvents, expectsEnd } from './open-events.ts';
import { createPipe } from './pipe.ts';
import { saveFile } from './save-file.ts';
import { toOneLine } from './text.ts';

export interface TerminalDeps {
  openIntake: OpenIntake;
  input: Readable;
  output: Writable;
  /** Somebody sits there: prompts, progress, line editing. Otherwise lines in, answers out. */
  isTerminal: boolean;
  color: boolean;
  defaultRole: string;
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
  user: { id: string; name: string };
  channel: string;
  /** Where files are put that a command gives (an export). */
  filesDir: string;
  log: Log;
  now: () => number;
  /** The person is done: typed q, ended the input, or went away. */
  onClosed(): void;
}

/** No message of a terminal's is too long for it. */
const pieceChars = 1_000_000;
const maxSaid = 1_000;

export async function startTerminal(deps: TerminalDeps): Promise<Adapter> {
  const { input, output, log, now } = deps;
  const face: Face = deps.isTerminal ? createInteractive(deps) : createPipe(input, output);
  const open = createOpenEvents((count) => face.setBusy(count > 0));
  const toEvent = createToEvent(deps);
  const said = new Set<string>();
  /** The questions that are being answered. */
  const answering = new Set<string>();
  /** Orders to stop an answer: the answer itself tells that it was stopped. */
  const untold = new Set<string>();
  let state: 'open' | 'paused' | 'closed' = 'open';

  function reply(event: Event): Reply {
    const question = toQuestion(event, toEvent.isOurs(event));
    if (expectsEnd(event)) void open.begin(event);
    return {
      limits: { pieceChars, minEditMs: face.minEditMs },
      async progress(note, about) {
        void open.begin(event);
        answering.add(event.id);
        face.progress(note, about);
      },
      async write(piece) {
        void open.begin(event);
        face.write(question, piece);
        if (piece.last) end(event);
        return `${event.id}.${piece.index}`;
      },
      async say(key, { text, transcript, actions, files }) {
        if (isNew(said, `${event.channel}:${event.id}:${key}`) && !untold.delete(event.id)) {
          // What a picture shows stands in the text as well; nobody asked for a file.
          const asked = files.filter((file) => !file.mime.startsWith('image/'));
          const notes = await Promise.all(asked.map((file) => saveFile(deps.filesDir, file)));
          face.say(question, { text: [text, ...notes].join('\n'), transcript, actions });
        }
        end(event);
      },
      async withdraw() {
        face.withdraw(question);
        end(event);
      },
      async end() {
        open.end(event);
      },
    };
  }

  function end(event: Event): void {
    answering.delete(event.id);
    open.end(event);
  }

  async function interrupt(intake: Intake): Promise<void> {
    const event = toEvent('/stop');
    if (answering.size > 0) untold.add(event.id);
    await accept(intake, event);
    untold.delete(event.id);
  }

  async function accept(intake: Intake, event: Event): Promise<void> {
    const ended = open.begin(event);
    try {
      await intake.accept(event);
    } catch (error) {
      log.warn({ err: error, event: event.id }, 'what was typed could not be accepted');
      face.say(undefined, { text: userText(toBotError(error), now()), actions: [] });
      end(event);
    }
    await ended;
  }

  function finish(): void {
    if (state !== 'open') return;
    state = 'closed';
    face.close();
    deps.onClosed();
  }

  output.on('error', finish); // nobody reads any more
  const intake = await deps
    .openIntake('terminal', { reply, fetch: noAttachments, link: () => undefined })
    .catch((error: unknown) => {
      face.close(); // the terminal as it was, before the error is printed on it
      throw error;
    });
  const talk: Talk = {
    send: (line) => accept(intake, toEvent(line)),
    interrupt: () => void interrupt(intake),
    idle: () => open.idle(),
    end: finish,
  };
  face.start(talk);

  return {
    name: 'terminal',
    health: () => ({ ready: state === 'open', detail: state === 'open' ? 'listening' : state }),
    async pause() {
      if (state === 'open') state = 'paused';
      face.pause();
    },
    async close() {
      state = 'closed';
      face.close();
    },
  };
}

function createToEvent({ user, channel, now }: Pick<TerminalDeps, 'user' | 'channel' | 'now'>) {
  const ids = createIds();
  const toEvent = (line: string): Event => {
    const base = {
      id: ids.next(),
      channel: toChannelId({ platform: 'terminal', workspace: 'local', channel }),
      at: now(),
      // Whoever can start the program and type into it is its operator.
      author: { ...user, admin: true, roles: [] },
      origin: {},
    };
    if (line.startsWith('/'))
      return { ...base, kind: 'command', command: { line: line.slice(1) }, direct: true, prints: true };
    return { ...base, kind: 'message', messageId: base.id, text: line, to: 'direct', attachments: [] };
  };
  return Object.assign(toEvent, { isOurs: (event: Event) => ids.isOurs(event.id) });
}

function toQuestion(event: Event, isOurs: boolean): Question {
  const id = `${event.channel}:${event.id}`;
  return { id, earlier: isOurs ? undefined : toOneLine(wordsOf(event), 80) };
}

function wordsOf(event: Event): string {
  switch (event.kind) {
    case 'message':
    case 'edit':
      return event.text;
    case 'delete':
      return '(a deletion)';
    case 'command':
      return 'line' in event.command ? `/${event.command.line}` : `/${event.command.path.join(' ')}`;
  }
}

function isNew(said: Set<string>, key: string): boolean {
  if (said.has(key)) return false;
  said.add(key);
  const [oldest] = said;
  if (said.size > maxSaid && oldest !== undefined) said.delete(oldest);
  return true;
}

async function noAttachments(): Promise<Uint8Array> {
  throw new BotError('input', 'a terminal message has no attachments');
}
