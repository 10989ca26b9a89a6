import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startModelServer } from '../test/sim/model-server.ts';
import { inFolder, ours, type Program, say, script, startProgram } from './process.ts';
import { digits, median, type Row } from './row.ts';
import { createRandom, prose } from './texts.ts';

/** B10 and B11: what it takes to start, to be there, and to start again after the process was killed. */

const rounds = 3;
const channels = 1000;
/** Until what goes on after a start is over: the table of tokens is read. */
const settleMs = 2500;
const atOnce = 32;
const pendingMessages = 1000;
const chat = ['chat', '--json'];

function environment(url: string, folder: string): Record<string, string> {
  return { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'k', OPENAI_MODEL: 'gpt-4o', DATA_DIR: folder };
}

const answer = () => ({ text: prose(60, createRandom(3)), usage: { prompt: 100, completion: 70 } });

interface Footprint {
  readyMs: number;
  idleBytes: number;
  fullBytes: number;
}

export async function measureStart(): Promise<Row[]> {
  const server = await startModelServer({ answer });
  const libraries = JSON.stringify(importedPackages(ours).map((name) => import.meta.resolve(name)));
  const own: Footprint[] = [];
  const empty: Footprint[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      empty.push(await footprint(startProgram(script('empty-program.ts'), [libraries], {}), 'imports'));
      own.push(
        await inFolder(async (folder) => {
          const program = startProgram(ours, chat, environment(server.url, folder));
          return await footprint(program, say(program, 'first', 'Are you there?'), true);
        }),
      );
    }
  } finally {
    await server.close();
  }
  const [readyMs, emptyMs] = [own, empty].map((all) => median(all.map((one) => one.readyMs)));
  const [idle, full] = [own.map((one) => one.idleBytes / 1e6), own.map((one) => one.fullBytes / 1e6)].map(median);
  const mb = median(empty.map((one) => one.idleBytes / 1e6));
  const ratio = (a = Number.NaN, b = Number.NaN): number => a / b;
  const anchor = `an empty program ${digits(mb)} MB`;
  return [
    {
      bar: 'B10',
      what: 'start to the first acknowledged message',
      own: `${digits(readyMs ?? 0)} ms`,
      anchor: `an empty program ${digits(emptyMs ?? 0)} ms`,
      value: ratio(readyMs, emptyMs),
      target: { most: 1.5 },
    },
    {
      bar: 'B10',
      what: 'resident memory, idle',
      own: `${digits(idle ?? 0)} MB`,
      anchor,
      value: ratio(idle, mb),
      target: { most: 1.4 },
    },
    {
      bar: 'B10',
      what: 'resident memory after 1,000 channels',
      own: `${digits(full ?? 0)} MB`,
      anchor,
      value: ratio(full, mb),
      target: { most: 2.2 },
    },
  ];
}

async function footprint(program: Program, readyId: string, isBot = false): Promise<Footprint> {
  try {
    const readyMs = (await program.accepted(readyId)) - program.startedAt;
    if (isBot) await program.answered(readyId);
    await delay(settleMs);
    const idleBytes = (await program.report()).bytes;
    if (isBot) await talkEverywhere(program);
    const fullBytes = (await program.report()).bytes;
    return { readyMs, idleBytes, fullBytes };
  } finally {
    await program.kill();
  }
}

async function talkEverywhere(program: Program): Promise<void> {
  const random = createRandom(4);
  for (let n = 0; n < channels; n += atOnce) {
    const ids = Array.from({ length: Math.min(atOnce, channels - n) }, (_, k) =>
      say(program, `room-${n + k}`, prose(40, random)),
    );
    await Promise.all(ids.map((id) => program.answered(id)));
  }
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

interface Restart {
  plainMs: number;
  crashedMs: number;
  allMs: number;
}

export async function measureRestart(): Promise<Row[]> {
  const measured: Restart[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await inFolder((folder) => restart(folder, round)));
  const plain = median(measured.map((one) => one.plainMs));
  const crashed = median(measured.map((one) => one.crashedMs));
  const all = median(measured.map((one) => one.allMs));
  return [
    {
      bar: 'B11',
      what: 'kill -9 with 1,000 accepted messages: restart to the first answer',
      own: `${digits(crashed)} ms; all answered after ${digits(all / 1000)} s`,
      anchor: `a plain restart ${digits(plain)} ms`,
      value: median(measured.map((one) => one.crashedMs / one.plainMs)),
      target: { most: 2 },
    },
  ];
}

/** The same data file each time: first with nothing to do, then with everything that was accepted. */
async function restart(folder: string, round: number): Promise<Restart> {
  const server = await startModelServer({ answer });
  const env = environment(server.url, folder);
  try {
    const before = startProgram(ours, chat, env);
    await talkEverywhere(before);
    await before.kill();

    const plain = startProgram(ours, chat, env);
    const asked = say(plain, 'room-1', 'Are you there again?');
    const plainMs = (await plain.answered(asked)) - plain.startedAt;

    server.answerWith(() => ({ hang: 'before-headers' }));
    const random = createRandom(100 + round);
    const ids = Array.from({ length: pendingMessages }, (_, n) =>
      say(plain, `room-${n % channels}`, prose(40, random)),
    );
    await Promise.all(ids.map((id) => plain.accepted(id)));
    await plain.kill();

    server.answerWith(answer);
    const again = startProgram(ours, chat, env);
    const crashedMs = (await again.firstAnswer) - again.startedAt;
    const allMs = Math.max(...(await Promise.all(ids.map((id) => again.answered(id))))) - again.startedAt;
    await again.kill();
    return { plainMs, crashedMs, allMs };
  } finally {
    await server.close();
  }
}
