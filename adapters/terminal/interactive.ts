import type { Readable, Writable } from 'node:stream';
import type { Face, Talk } from './face.ts';
import { createPrompt } from './prompt.ts';
import { createScreen } from './screen.ts';
import { createPaint, startStyle, toOneLine } from './text.ts';

/** As often as an eye can follow. */
const minEditMs = 40;
const thinking = 'thinking…';
const working = 'working…';

interface InteractiveDeps {
  input: Readable;
  output: Writable;
  color: boolean;
  defaultRole: string;
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
}

/** What goes on after a blank keeps it. */
function toCompletion(command: string): string {
  return `/${toOneLine(command, 200)}${command.endsWith(' ') ? ' ' : ''}`;
}

/** A person at a terminal: asked for the role first, then one question after the other. */
export function createInteractive(deps: InteractiveDeps): Face {
  const { input, output, color } = deps;
  const paint = createPaint(color);
  const screen = createScreen({ output, paint, color, toCommand, makeRoom: () => prompt.hide() });
  let talk: Talk | undefined;
  let roleAsked = false;
  let busy = false;
  let interrupted = false;
  let listening = true;
  let closed = false;
  let note = thinking;

  const prompt = createPrompt({
    input,
    output,
    complete: (line) => (line.startsWith('/') ? deps.complete(line.slice(1)).map(toCompletion) : []),
    onLine: answerLine,
    onInterrupt() {
      if (interrupted) finish();
      else talk?.interrupt();
      interrupted = true;
    },
    onEmptyInterrupt() {
      if (interrupted) finish();
      else screen.say(undefined, { text: '(Ctrl-C again ends; so do q and Ctrl-D)', actions: [] });
      interrupted = true;
      settle();
    },
    onEnd: finish,
  });

  function answerLine(text: string): void {
    interrupted = false;
    if (text.trim() === 'q') {
      finish();
      return;
    }
    const isRole = !roleAsked && !text.startsWith('/');
    roleAsked = true;
    // A command thinks only where it asks the model, and then it says so.
    note = isRole || text.startsWith('/') ? working : thinking;
    if (text.trim() !== '') void talk?.send(isRole ? `/role set ${text.trim()}` : text);
    settle();
  }

  /** `undo` as it is typed here, where there is such a command. */
  function toCommand(code: string): string | undefined {
    const [word = ''] = code.split(' ', 1);
    const isOne = /^[a-z]+$/.test(word) && deps.complete(word).some((one) => one.split(' ', 1)[0]?.trim() === word);
    return isOne ? `/${code}` : undefined;
  }

  /** What stands below the last line printed: the prompt, or that it thinks. */
  function settle(): void {
    if (closed) return;
    if (busy) screen.think(note);
    else if (listening && talk !== undefined) {
      screen.rest();
      prompt.show(question());
    }
  }

  /** What is typed after it is in its colour, too. */
  function question(): string {
    const words = roleAsked ? 'user: ' : `System role (Enter keeps: ${toOneLine(deps.defaultRole, 60)}): `;
    return color ? `${startStyle(roleAsked ? 'user' : 'system')}${words}` : words;
  }

  function finish(): void {
    close();
    talk?.end();
  }

  function pause(): void {
    listening = false;
    prompt.close();
  }

  function close(): void {
    closed = true;
    pause();
    screen.rest();
  }

  return {
    minEditMs,
    progress(words, about) {
      if (about === 'tool') screen.tool(words);
      note = words === '' ? thinking : `${thinking} ${words}`;
      settle();
    },
    write(about, piece) {
      screen.write(about, piece);
    },
    say(about, said) {
      screen.say(about, said);
      settle();
    },
    withdraw(about) {
      screen.withdraw(about);
      settle();
    },
    setBusy(isBusy) {
      if (isBusy === busy) return;
      busy = isBusy;
      interrupted = false;
      settle();
    },
    start(given) {
      talk = given;
      if (!listening) {
        talk.end(); // given up while it was starting
        return;
      }
      const text = 'q or Ctrl-D ends, Ctrl-C stops an answer, Tab completes a /command.';
      screen.say(undefined, { text, actions: [] });
      settle();
    },
    pause,
    close,
  };
}
