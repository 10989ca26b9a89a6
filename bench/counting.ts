import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { getEncoding } from 'js-tiktoken';
import { loadCounter } from '../src/conversation/tokens.ts';
import { digits, median, type Row } from './row.ts';
import { createRandom, hostile, type Random } from './texts.ts';

/** B1 and B8: how counting grows with the text, and what the counter costs to have. */

const rounds = 7;
const anchorRounds = 3;
const long = 40_000;
/** js-tiktoken would take hours for that: the same step of ten, where it still ends. */
const anchorLong = 1000;
const encoding = 'o200k_base';

type Count = (text: string) => number | Promise<number>;
type Make = (chars: number, random: Random) => string;

export async function measureGrowth(): Promise<Row[]> {
  const counter = await loadCounter(encoding);
  const js = getEncoding(encoding);
  const countByJs = (text: string) => js.encode(text, [], []).length;
  const grown = new Map<string, number>();
  const grownJs = new Map<string, number>();
  let slowest = 0;
  for (const [kind, make] of Object.entries(hostile)) {
    const own: Growth[] = [];
    const anchor: Growth[] = [];
    for (let round = 0; round < rounds; round++) {
      const random = createRandom(1000 + round);
      own.push(await growth(counter.count, make, long, random));
      if (round < anchorRounds) anchor.push(await growth(countByJs, make, anchorLong, random));
    }
    slowest = Math.max(slowest, median(own.map((one) => one.ms)));
    grown.set(kind, median(own.map((one) => one.times)));
    grownJs.set(kind, median(anchor.map((one) => one.times)));
  }
  const [kind, value] = worst(grown);
  const [kindJs, valueJs] = worst(grownJs);
  return [
    {
      bar: 'B1',
      what: 'counting 40,000 characters ÷ 4,000, worst kind',
      own: `${kind}; no kind above ${digits(slowest)} ms`,
      anchor: `js-tiktoken ×${digits(valueJs)} (${kindJs}, 1,000 ÷ 100)`,
      value,
      target: { most: 12 },
    },
  ];
}

function worst(grown: Map<string, number>): [string, number] {
  return [...grown].reduce((most, one) => (one[1] > most[1] ? one : most));
}

interface Growth {
  ms: number;
  times: number;
}

/** One long text against ten of a tenth: about the same work, so that what disturbs one disturbs the other. */
async function growth(count: Count, make: Make, chars: number, random: Random): Promise<Growth> {
  const parts = Array.from({ length: 10 }, () => make(chars / 10, random));
  const whole = make(chars, random);
  const partsMs = await cpuMs(count, parts);
  const ms = await cpuMs(count, [whole]);
  return { ms, times: (10 * ms) / partsMs };
}

/** Of this thread alone: while another process has the processor, nothing is counted. */
async function cpuMs(count: Count, texts: readonly string[]): Promise<number> {
  const before = process.threadCpuUsage();
  for (const text of texts) await count(text);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

interface Load {
  ms: number;
  bytes: number;
}

const loadRounds = 3;

export function measureLoading(): Row[] {
  const own: Load[] = [];
  const anchor: Load[] = [];
  for (let round = 0; round < loadRounds; round++) {
    own.push(load('own'));
    anchor.push(load('js-tiktoken'));
  }
  const ms = (loads: readonly Load[]) => median(loads.map((one) => one.ms));
  const mb = (loads: readonly Load[]) => median(loads.map((one) => one.bytes / 1e6));
  return [
    {
      bar: 'B8',
      what: 'the counter: time to the first count',
      own: `${digits(ms(own))} ms`,
      anchor: `js-tiktoken ${digits(ms(anchor))} ms`,
      value: ms(own) / ms(anchor),
      target: { most: 0.25 },
    },
    {
      bar: 'B8',
      what: 'the counter: resident memory',
      own: `${digits(mb(own))} MB`,
      anchor: `js-tiktoken ${digits(mb(anchor))} MB`,
      value: mb(own) / mb(anchor),
      target: { most: 0.4 },
    },
  ];
}

function load(which: string): Load {
  const script = fileURLToPath(new URL('./counter-load.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', script, which], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the counter could not be loaded: ${stderr}`);
  return JSON.parse(stdout);
}
