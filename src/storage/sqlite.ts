import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { BotError } from '../errors.ts';
import type { Backend } from './backend.ts';
import type { Answers, Failure, Reply, Request } from './sqlite-worker.ts';

/** Rejects when the file cannot be used: in use by another process, not writable, damaged, or not ours. */
export async function openSqlite(file: string): Promise<Backend> {
  const path = resolve(file);
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
    workerData: { path },
    ...compiledOnce(),
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  let gone: BotError | undefined;

  worker.on('message', (reply: Reply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('answer' in reply) asked?.resolve(reply.answer);
    else asked?.reject(reply.id === 0 ? toOpenError(path, reply.failure) : toStoreError(reply.failure));
  });
  worker.on('error', (error) =>
    end(new BotError('store', 'the thread that keeps the memory failed', { cause: error })),
  );
  worker.on('exit', () => end(new BotError('store', 'the thread that keeps the memory has ended')));

  function end(error: BotError): void {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  }

  function waitFor<Op extends keyof Answers>(id: number): Promise<Answers[Op]> {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    // The worker's `reply` gives every request the answer of its own kind.
    return answer.promise as Promise<Answers[Op]>;
  }

  async function ask<R extends Request>(request: R): Promise<Answers[R['op']]> {
    if (gone) throw gone;
    const id = ++lastId;
    const answer = waitFor<R['op']>(id);
    worker.postMessage({ id, request });
    return answer;
  }

  await waitFor<'open'>(0);
  return {
    getMany: (keys) => ask({ op: 'get', keys }),
    setMany: (entries) => ask({ op: 'set', entries }),
    deleteMany: (keys) => ask({ op: 'delete', keys }),
    list: (range) => ask({ op: 'list', range }),
    scrub: () => ask({ op: 'scrub' }),
    async disconnect() {
      const exit = once(worker, 'exit');
      await ask({ op: 'close' });
      await exit;
    },
  };
}

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const busy = 5;
const readonly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

function toOpenError(path: string, failure: Failure): BotError {
  const cause = toCause(failure);
  const { sqlite, code } = failure;
  if (sqlite === busy) return new BotError('config', `${path} is in use by another Channelore`, { cause });
  if (code === 'FOREIGN') return new BotError('config', `${path} is a database, but not Channelore's`, { cause });
  if (code === 'NEWER') return new BotError('config', `${path} was written by a newer Channelore`, { cause });
  const refused = sqlite === readonly || sqlite === cannotOpen || (sqlite === undefined && code !== 'ENOSPC');
  if (refused)
    return new BotError('config', `${path} cannot be written: check the path and who may write there`, { cause });
  return new BotError('store', `${path} cannot be opened: ${reason(failure)}`, { cause });
}

function toStoreError(failure: Failure): BotError {
  return new BotError('store', `the memory failed: ${reason(failure)}`, { cause: toCause(failure) });
}

function reason({ sqlite, code }: Failure): string {
  if (sqlite === full || code === 'ENOSPC') return 'the disk is full';
  if (sqlite === ioError) return 'the disk is full or failing';
  if (sqlite === corrupt || sqlite === notADatabase) return 'the data file is damaged';
  return 'the data file cannot be read or written';
}

function toCause({ message, sqlite, code }: Failure): Error {
  return new Error(`${message} (${[sqlite, code].filter((part) => part !== undefined).join(', ')})`);
}

/** A thread keeps what it compiles only where it is told to: that saves its start some 30 ms and 10 MB. */
function compiledOnce(): WorkerOptions {
  const cache = getCompileCacheDir();
  return cache === undefined ? {} : { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cache) } };
}
