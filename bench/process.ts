import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A program as a child process, spoken to in JSON lines: ours, the naive bot, or the empty one. */
export interface Program {
  /** When it was started, by `performance.now`. */
  startedAt: number;
  send(line: object): void;
  /** When the event was answered to the end. */
  answered(id: string): Promise<number>;
  /** When the event was acknowledged. */
  accepted(id: string): Promise<number>;
  /** When the first answer of all came. */
  firstAnswer: Promise<number>;
  /** Where it waits for requests, once it does. */
  address: Promise<string>;
  report(): Promise<Report>;
  kill(): Promise<void>;
}

/** What watch.ts says. */
interface Report {
  bytes: number;
  /** Since the last report. */
  longestDelayMs: number;
  /** Since the start, all threads. */
  cpuMs: number;
}

interface Line {
  type: string;
  id?: string;
  last?: boolean;
  key?: string;
  report?: Report;
  /** A line of the log. */
  msg?: string;
}

const watch = path.resolve(import.meta.dirname, 'watch.ts');

const root = path.resolve(import.meta.dirname, '..');

export const ours = path.join(root, 'src/main.js');

/** Ours as `npm start` starts it, with the flags that stand there. */
export const ownArgs: readonly string[] = [...startFlags(), ours];

function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return String(scripts.start)
    .split(/\s+/)
    .filter((word) => word.startsWith('--'));
}

export function script(name: string): string {
  return path.resolve(import.meta.dirname, name);
}

/** `args` as Node takes them. */
export function startProgram(args: readonly string[], env: Record<string, string>): Program {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--import', watch, ...args], {
    // Nothing of the machine's own configuration gets in.
    env: { PATH: process.env.PATH, OLLAMA_URL: 'http://127.0.0.1:9', ...env },
    cwd: tmpdir(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const moments = new Map<string, PromiseWithResolvers<number>>();
  const reports: PromiseWithResolvers<Report>[] = [];
  const address = Promise.withResolvers<string>();
  address.promise.catch(() => undefined); // Whoever waits for it hears it.
  let errors = '';
  let rest = '';
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('{')) take(JSON.parse(part));
  });

  function moment(name: string): PromiseWithResolvers<number> {
    const known = moments.get(name);
    if (known !== undefined) return known;
    const made = Promise.withResolvers<number>();
    made.promise.catch(() => undefined); // Whoever waits for it hears it.
    moments.set(name, made);
    return made;
  }

  function take(line: Line): void {
    const { type, id, report, msg } = line;
    const url = /^waiting .* on (http:\S+)$/.exec(msg ?? '')?.[1];
    if (url !== undefined) address.resolve(url);
    if (report !== undefined) reports.shift()?.resolve(report);
    if (type === 'watching') moment(type).resolve(performance.now());
    if (type === 'accepted') moment(`accepted ${id}`).resolve(performance.now());
    if (type === 'error' || (type === 'say' && line.key === 'outcome')) fail(`no answer: ${JSON.stringify(line)}`);
    if (type !== 'write' || !line.last) return;
    moment(`answered ${id}`).resolve(performance.now());
    moment('first answer').resolve(performance.now());
  }

  function fail(why: string): void {
    const error = new Error(`${why}\n${errors}`);
    for (const one of moments.values()) one.reject(error);
    for (const one of reports.splice(0)) one.reject(error);
    address.reject(error);
  }

  const ended = new Promise<void>((resolve) => {
    child.once('close', (code) => {
      fail(`the program ended (${code})`);
      resolve();
    });
  });

  return {
    startedAt,
    send: (line) => child.stdin.write(`${JSON.stringify(line)}\n`),
    answered: (id) => moment(`answered ${id}`).promise,
    accepted: (id) => moment(`accepted ${id}`).promise,
    firstAnswer: moment('first answer').promise,
    address: address.promise,
    async report() {
      await moment('watching').promise;
      const asked = Promise.withResolvers<Report>();
      reports.push(asked);
      child.kill('SIGUSR2');
      return await asked.promise;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'channelore-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let said = 0;

/** A message to the bot; its id is given back. */
export function say(program: Program, channel: string, text: string): string {
  const id = `m${++said}`;
  const author = { id: `u-${channel}`, name: 'Ann' };
  program.send({ type: 'message', id, at: 1_760_000_000_000 + said * 1000, channel, author, text });
  return id;
}
