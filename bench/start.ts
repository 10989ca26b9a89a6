import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startModelServer } from '../test/sim/model-server.ts';
import { inFolder, ours, ownArgs, type Program, say, script, startProgram } from './process.ts';
import { digits, median, type Row } from './row.ts';
import { createRandom, prose, type Random } from './texts.ts';

/** B10 and B11: what it takes to start, to be there, and to start again after the process was killed. */

const rounds = 3;
const channels = 1000;
/** Until what goes on after a start is over: the table of tokens is read. */
const settleMs = 1500;
const atOnce = 32;
const chat = ['chat', '--json'];
/** Not a static import of the program's: it loads this once it is ready. */
const rankFile = 'js-tiktoken/ranks/o200k_base';

interface Empty {
  readyMs: number;
  bytes: number;
}

interface Own {
  readyMs: number;
  idleBytes: number;
  fullBytes: number;
  plainMs: number;
  crashedMs: number;
  /** Until the last of them was answered; waited for once. */
  allMs: number | undefined;
}

export async function measureStart(): Promise<Row[]> {
  // Those of the adapter and of the chat model's client are loaded when they are needed, which here is at once.
  const started = ['program.ts', '../adapters/terminal/json-lines.ts', 'model/openai.ts'];
  const libraries = [...new Set(started.flatMap((file) => importedPackages(path.join(path.dirname(ours), file))))];
  const own: Own[] = [];
  const empty: Empty[] = [];
  for (let round = 0; round < rounds; round++) {
    empty.push(await measureEmpty(libraries));
    own.push(await inFolder((folder) => measureOwn(folder, createRandom(100 + round), round === rounds - 1)));
  }
  return toRows(own, empty);
}

function toRows(own: readonly Own[], empty: readonly Empty[]): Row[] {
  const of = (name: keyof Own): number => median(own.flatMap((one) => one[name] ?? []));
  const emptyMs = median(empty.map((one) => one.readyMs));
  const emptyBytes = median(empty.map((one) => one.bytes));
  const mb = (bytes: number): string => `${digits(bytes / 1e6)} MB`;
  return [
    {
      bar: 'B10',
      what: 'start to the first acknowledged message',
      own: `${digits(of('readyMs'))} ms`,
      anchor: `an empty program ${digits(emptyMs)} ms`,
      value: of('readyMs') / emptyMs,
      target: { most: 1.5 },
    },
    {
      bar: 'B10',
      what: 'resident memory, idle',
      own: mb(of('idleBytes')),
      anchor: `an empty program ${mb(emptyBytes)}`,
      value: of('idleBytes') / emptyBytes,
      target: { most: 1.4 },
    },
    {
      bar: 'B10',
      what: 'resident memory after 1,000 channels',
      own: mb(of('fullBytes')),
      anchor: `an empty program ${mb(emptyBytes)}`,
      value: of('fullBytes') / emptyBytes,
      target: { most: 2.2 },
    },
    {
      bar: 'B11',
      what: 'kill -9 with 1,000 accepted messages: restart to the first answer',
      own: `${digits(of('crashedMs'))} ms; all answered after ${digits(of('allMs') / 1000)} s`,
      anchor: `a plain restart ${digits(of('plainMs'))} ms`,
      value: median(own.map((one) => one.crashedMs / one.plainMs)),
      target: { most: 2 },
    },
  ];
}

async function measureEmpty(libraries: readonly string[]): Promise<Empty> {
  const first = libraries.map((name) => import.meta.resolve(name));
  const names = JSON.stringify({ first, later: [import.meta.resolve(rankFile)] });
  const program = startProgram([script('empty-program.ts'), names], {});
  try {
    const readyMs = (await program.accepted('imports')) - program.startedAt;
    await delay(settleMs);
    return { readyMs, bytes: (await program.report()).bytes };
  } finally {
    await program.kill();
  }
}

/** One data file through three starts: an empty one, a plain one, and one after a crash. */
async function measureOwn(folder: string, random: Random, toTheEnd: boolean): Promise<Own> {
  const answer = () => ({ text: prose(60, random), usage: { prompt: 100, completion: 70 } });
  const server = await startModelServer({ answer });
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'no-key', OPENAI_MODEL: 'gpt-4o', DATA_DIR: folder };
  const start = () => startProgram([...ownArgs, ...chat], env);
  try {
    const program = start();
    const first = say(program, 'first', 'Are you there?');
    const readyMs = (await program.accepted(first)) - program.startedAt;
    await program.answered(first);
    await delay(settleMs);
    const idleBytes = (await program.report()).bytes;
    await talkEverywhere(program, random);
    const fullBytes = (await program.report()).bytes;
    await program.kill();

    const plain = start();
    const plainMs = (await plain.answered(say(plain, 'room-1', 'Are you there again?'))) - plain.startedAt;
    server.answerWith(() => ({ hang: 'before-headers' }));
    const ids = Array.from({ length: channels }, (_, n) => say(plain, `room-${n}`, prose(40, random)));
    await Promise.all(ids.map((id) => plain.accepted(id)));
    await plain.kill();

    server.answerWith(answer);
    const again = start();
    const crashedMs = (await again.firstAnswer) - again.startedAt;
    const lastAt = toTheEnd ? Math.max(...(await Promise.all(ids.map((id) => again.answered(id))))) : undefined;
    const allMs = lastAt === undefined ? undefined : lastAt - again.startedAt;
    await again.kill();
    return { readyMs, idleBytes, fullBytes, plainMs, crashedMs, allMs };
  } finally {
    await server.close();
  }
}

/** A few channels speaking at any time, until each has spoken. */
async function talkEverywhere(program: Program, random: Random): Promise<void> {
  let next = 0;
  const speakers = Array.from({ length: atOnce }, async () => {
    while (next < channels) await program.answered(say(program, `room-${next++}`, prose(40, random)));
  });
  await Promise.all(speakers);
}

/** The packages that a program's files import, those it loads only when needed apart. */
function importedPackages(file: string, seen = new Set<string>(), found = new Set<string>()): string[] {
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)) {
    if (!name.startsWith('.')) found.add(name);
    else {
      const next = path.resolve(path.dirname(file), name);
      if (!seen.has(next)) importedPackages(next, seen, found);
    }
  }
  return [...found];
}
