import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Reply, Request } from './sql-child.ts';

/** Asks a database from children that can be ended at any moment, whatever they are doing. */
export interface SqlReader {
  /** Ended after so long, once it is its turn, and with the signal. */
  ask(request: Request, limitMs: number, signal: AbortSignal): Promise<Reply>;
  close(): Promise<void>;
}

interface Child {
  process: ChildProcess;
  /** Rejects where it cannot be started. */
  ready: Promise<void>;
  exited: Promise<void>;
  idle: NodeJS.Timeout | undefined;
}

const mostChildren = 2;
const startMs = 10_000;
/** So long one is kept for the next question. */
const idleMs = 60_000;

/** Beside what Node itself reserves, room for a few hundred megabytes. */
const maxDataKb = 1_048_576;
/** In blocks of the system's: only what a journal needs to be read. */
const maxFileBlocks = 8192;
/** Of all its questions together. One that outlives us ends here. */
const maxCpuSeconds = 60;
const cpuMsToReplace = (maxCpuSeconds / 2) * 1000;

export function createSqlReader(file: string): SqlReader {
  const all = new Set<Child>();
  const free: Child[] = [];
  const waiting: (() => void)[] = [];
  let closed = false;

  async function take(signal: AbortSignal): Promise<Child> {
    while (free.length === 0 && all.size >= mostChildren) await turn(signal);
    signal.throwIfAborted();
    if (closed) throw new BotError('stopped', 'the program stops');
    const child = free.pop() ?? start();
    clearTimeout(child.idle);
    return child;
  }

  async function turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    signal.throwIfAborted();
  }

  function start(): Child {
    const started = spawnLimited(file);
    const ready = Promise.withResolvers<void>();
    started.once('message', () => ready.resolve());
    const child: Child = {
      process: started,
      ready: ready.promise,
      exited: new Promise((resolve) => {
        started.once('exit', () => resolve());
        started.once('error', () => resolve());
      }),
      idle: undefined,
    };
    all.add(child);
    ready.promise.catch(() => undefined);
    void child.exited.then(() => {
      ready.reject(new Error('it cannot be started'));
      all.delete(child);
      if (free.includes(child)) free.splice(free.indexOf(child), 1);
      wake();
    });
    return child;
  }

  async function begun(child: Child, signal: AbortSignal): Promise<void> {
    try {
      await orAborted(child.ready, AbortSignal.any([AbortSignal.timeout(startMs), signal]));
    } catch (error) {
      end(child);
      signal.throwIfAborted();
      throw new BotError('tool', 'the database cannot be read just now', { cause: error });
    }
  }

  function giveBack(child: Child, cpuMs: number): void {
    if (closed || cpuMs > cpuMsToReplace) {
      end(child);
      return;
    }
    child.idle = setTimeout(() => end(child), idleMs).unref();
    free.push(child);
    wake();
  }

  /** All of them: some may have given up waiting. */
  function wake(): void {
    for (const next of waiting.splice(0)) next();
  }

  return {
    async ask(request, limitMs, signal) {
      const child = await take(signal);
      await begun(child, signal);
      const limit = AbortSignal.timeout(limitMs);
      try {
        const ended = AbortSignal.any([limit, signal]);
        const reply = await answerOf(child, request, ended);
        giveBack(child, reply.cpuMs);
        return reply;
      } catch (error) {
        end(child);
        await child.exited;
        signal.throwIfAborted();
        const text = limit.aborted
          ? `the query took longer than ${limitMs / 1000} s and was ended; ask for less, or in a simpler way`
          : 'the query needed more memory than it may have and was ended; ask for less';
        throw new BotError('input', text, { cause: error });
      }
    },
    async close() {
      closed = true;
      for (const child of all) end(child);
      await Promise.all([...all].map((child) => child.exited));
    },
  };
}

const cpuMs = z.number();
const replySchema: z.ZodType<Reply> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('tables'),
    tables: z.array(z.object({ name: z.string(), sql: z.string(), columns: z.array(z.string()) })),
    cpuMs,
  }),
  z.object({ kind: z.literal('rows'), text: z.string(), cpuMs }),
  z.object({ kind: z.literal('refused'), reason: z.string(), cpuMs }),
  z.object({ kind: z.literal('failed'), message: z.string(), cpuMs }),
]);

/** The limits are the shell's to set; where there is none, the time limit alone holds. */
function spawnLimited(file: string): ChildProcess {
  const program = fileURLToPath(new URL('./sql-child.ts', import.meta.url));
  const own = [process.execPath, '--max-old-space-size=64', '--disable-warning=ExperimentalWarning', program, file];
  const options: SpawnOptions = { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: {}, windowsHide: true };
  if (process.platform === 'win32') return spawn(process.execPath, own.slice(1), options);
  // Should the machine run out of memory, the child is ended before us.
  const limits = `ulimit -d ${maxDataKb} -f ${maxFileBlocks} -t ${maxCpuSeconds}; ulimit -c 0`;
  const rank = 'echo 1000 2>/dev/null >/proc/self/oom_score_adj';
  return spawn('/bin/sh', ['-c', `${limits}; ${rank}; exec "$0" "$@"`, ...own], options);
}

async function answerOf({ process: child, exited }: Child, request: Request, ended: AbortSignal): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const onMessage = (reply: unknown): void => {
    const parsed = replySchema.safeParse(reply);
    if (parsed.success) resolve(parsed.data);
    else reject(parsed.error);
  };
  promise.catch(() => undefined);
  child.once('message', onMessage);
  void exited.then(() => reject(new Error(`it ended (${child.exitCode ?? child.signalCode})`)));
  try {
    child.send(request, (error) => error && reject(error));
    return await orAborted(promise, ended);
  } finally {
    child.off('message', onMessage);
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function end(child: Child): void {
  clearTimeout(child.idle);
  child.process.kill('SIGKILL');
}
