import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { resetStyle } from './text.ts';

/**
 * The line being typed, with its history and completion. While it is hidden because an answer is written, keys wait
 * here and reach it when it is shown again; only Ctrl-C is heard at once.
 */
export interface Prompt {
  show(question: string): void;
  hide(): void;
  close(): void;
}

interface PromptDeps {
  input: Readable;
  output: Writable;
  /** What a line can become. */
  complete(line: string): string[];
  onLine(text: string): void;
  /** Ctrl-C while it is hidden. */
  onInterrupt(): void;
  /** Ctrl-C where nothing is typed. */
  onEmptyInterrupt(): void;
  /** Ctrl-D, or the terminal is gone. */
  onEnd(): void;
}

const bracketedPaste = { on: '\u001b[?2004h', off: '\u001b[?2004l' };
const interruptKey = '\u0003';

export function createPrompt(deps: PromptDeps): Prompt {
  const { input, output } = deps;
  const decoder = new StringDecoder('utf8');
  const keys = Object.assign(new Readable({ read() {}, encoding: 'utf8' }), {
    setRawMode: (raw: boolean) => setRawMode(input, raw),
  });
  const readline = createInterface({
    input: keys,
    output,
    terminal: true,
    historySize: 500,
    removeHistoryDuplicates: true,
    completer: (line: string) => [deps.complete(line), line],
  });
  let waiting = '';
  let visible = false;
  let closed = false;
  let inputEnded = false;
  /** Typed when it was hidden. */
  let unfinished = '';
  let pasting = false;
  /** Lines of a paste: with what is typed after them they are one message. */
  let pasted: string[] = [];

  /** A line at a time: what follows a line's end waits until that line has been dealt with. */
  function feed(): void {
    if (!visible || closed) return;
    if (waiting === '') {
      if (inputEnded) end();
      return;
    }
    const line = /^[^\r\n]*(\r\n|\r|\n)?/.exec(waiting)?.[0] ?? '';
    waiting = waiting.slice(line.length);
    keys.push(line.replace(/(\r\n|\n)$/, '\r'));
    setImmediate(feed);
  }

  function clearLine(): void {
    readline.write(null, { ctrl: true, name: 'e' });
    readline.write(null, { ctrl: true, name: 'u' });
  }

  function end(): void {
    if (closed) return;
    close();
    deps.onEnd();
  }

  function hide(): void {
    if (!visible) return;
    unfinished = readline.line;
    clearLine();
    visible = false;
    output.write(`\r\u001b[J${resetStyle}`);
  }

  function close(): void {
    if (closed) return;
    hide();
    closed = true;
    input.off('data', onData).off('end', onInputEnd).pause();
    readline.close();
    output.write(bracketedPaste.off + resetStyle);
  }

  const onData = (chunk: Buffer | string): void => {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    if (!visible && text.includes(interruptKey)) {
      waiting = '';
      deps.onInterrupt();
      return;
    }
    const idle = waiting === '';
    waiting += text;
    if (idle) feed();
  };
  const onInputEnd = (): void => {
    inputEnded = true;
    feed();
  };

  keys.on('keypress', (_text: unknown, key: { name?: string } | undefined) => {
    if (key?.name === 'paste-start') pasting = true;
    if (key?.name === 'paste-end') pasting = false;
  });
  readline.on('line', (line) => {
    if (pasting) {
      pasted.push(line);
      return;
    }
    const text = [...pasted, line].join('\n');
    pasted = [];
    visible = false;
    output.write(resetStyle);
    deps.onLine(text);
  });
  readline.on('SIGINT', () => {
    const isEmpty = readline.line === '' && pasted.length === 0;
    pasted = [];
    if (isEmpty) deps.onEmptyInterrupt();
    else clearLine();
  });
  readline.on('close', () => {
    visible = false; // Ctrl-D: its line stays, and takes no more
    if (!closed) output.write('\n');
    end();
  });
  input.on('data', onData).on('end', onInputEnd);
  output.write(bracketedPaste.on);

  return {
    show(question) {
      if (closed || visible) return;
      visible = true;
      readline.setPrompt(question);
      readline.prompt();
      if (unfinished !== '') readline.write(unfinished);
      unfinished = '';
      setImmediate(feed);
    },
    hide,
    close,
  };
}

function setRawMode(input: Readable, raw: boolean): void {
  if ('setRawMode' in input && typeof input.setRawMode === 'function') input.setRawMode(raw);
}
