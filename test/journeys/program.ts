import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

/** The real program as a child process, spoken to over its standard streams. */

const main = path.resolve(import.meta.dirname, '../../src/main.js');

export interface Line {
  type: string;
  id?: string;
  messageId?: string;
  index?: number;
  text?: string;
  last?: boolean;
  private?: boolean;
  actions?: { label: string; command: string }[];
  files?: { name: string; mime: string; content: string; encoding?: string }[];
  [other: string]: unknown;
}

export interface Program {
  child: ChildProcess;
  /** What it printed so far, as JSON lines. */
  lines: Line[];
  output(): string;
  errors(): string;
  send(line: object): void;
  /** The first line, past or to come, that is meant. Rejects when the program ends without it. */
  line(isMeant: (line: Line) => boolean): Promise<Line>;
  /** What ended the event: the last piece of its answer, a notice, or that its answer is taken back. */
  ending(id: string): Promise<Line>;
  /** Ends its input and waits for its end; gives the exit code. */
  end(): Promise<number | null>;
  ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): Promise<number | null>;
}

interface ProgramOptions {
  env?: Record<string, string>;
  /** By default a conversation in JSON lines. */
  args?: string[];
  nodeArgs?: string[];
  cwd?: string;
  /** A command that runs the program: what to start is added to its arguments. */
  within?: string[];
}

/** A folder of its own, gone with the test, or with the file where `after` is the file's. */
export function newFolder(t: { after(run: () => void): void }): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'channelore-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function startProgram(options: ProgramOptions = {}): Program {
  const { env = {}, args = ['chat', '--json'], nodeArgs = [], within = [] } = options;
  const [command = process.execPath, ...commandArgs] = [...within, process.execPath, ...nodeArgs, main, ...args];
  const child = spawn(command, commandArgs, {
    // Nothing of the machine's own configuration gets in.
    env: { PATH: process.env.PATH, OLLAMA_URL: 'http://127.0.0.1:9', PORT: '0', ...env },
    cwd: options.cwd ?? tmpdir(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // Left behind by a test that failed, it would keep this process alive.
  after(() => void setTimeout(() => child.kill('SIGKILL'), 10_000).unref());
  const lines: Line[] = [];
  const waiting = new Set<{
    isMeant: (line: Line) => boolean;
    resolve: (line: Line) => void;
    reject: (error: Error) => void;
  }>();
  let output = '';
  let errors = '';
  let rest = '';
  child.stdin?.on('error', () => undefined);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
  });

  function take(text: string): void {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const one of waiting) {
      if (!one.isMeant(line)) continue;
      waiting.delete(one);
      one.resolve(line);
    }
  }

  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      for (const one of waiting) one.reject(new Error(`the program ended (${code}) before the line came:\n${errors}`));
      resolve(code);
    });
  });

  const line = (isMeant: (line: Line) => boolean): Promise<Line> => {
    const known = lines.find(isMeant);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => waiting.add({ isMeant, resolve, reject }));
  };

  return {
    child,
    lines,
    output: () => output,
    errors: () => errors,
    send: (one) => child.stdin?.write(`${JSON.stringify(one)}\n`),
    line,
    ending: (id) => line((one) => one.id === id && isEnding(one)),
    ended,
    async end() {
      child.stdin?.end();
      return await ended;
    },
    async signal(signal) {
      child.kill(signal);
      return await ended;
    },
  };
}

function isEnding({ type, last, key }: Line): boolean {
  return (type === 'write' && last === true) || (type === 'say' && key === 'outcome') || type === 'withdraw';
}

/** What a person sees of an answer once all lines are carried out. */
export interface Shown {
  /** The pieces that stand, joined. */
  text: string;
  messageIds: string[];
  /** What was said beside it, by its key. */
  said: Map<string, Line>;
  /** How often it ended, and how. */
  endings: Line[];
}

export function shownOf(lines: readonly Line[], about: { id: string; channel?: string }): Shown {
  const pieces: { messageId: string; text: string }[] = [];
  const said = new Map<string, Line>();
  const own = lines.filter((line) => line.id === about.id && line.channel === (about.channel ?? 'room'));
  for (const { type, index = 0, messageId = '', text = '', last, ...line } of own) {
    if (type === 'write') pieces[index] = { messageId, text };
    if (type === 'write' && last) pieces.length = index + 1;
    if (type === 'withdraw') pieces.length = 0;
    if (type === 'say') said.set(String(line.key), { ...line, type, text });
  }
  return {
    text: pieces.map((piece) => piece.text).join(''),
    messageIds: pieces.map((piece) => piece.messageId),
    said,
    endings: own.filter(isEnding),
  };
}

let count = 0;

/** Somebody says something in a channel; the id is given back. */
export function say(program: Program, text: string, more: object = {}): string {
  const id = `m${++count}`;
  program.send({
    type: 'message',
    id,
    at: 1_760_000_000_000 + count * 1000,
    channel: 'room',
    author: { id: 'u1', name: 'Ann' },
    text,
    ...more,
  });
  return id;
}

export function order(program: Program, text: string, more: object = {}): string {
  const id = `c${++count}`;
  program.send({
    type: 'command',
    id,
    at: 1_760_000_000_000 + count * 1000,
    channel: 'room',
    author: { id: 'u1', name: 'Ann', admin: true },
    text,
    ...more,
  });
  return id;
}
