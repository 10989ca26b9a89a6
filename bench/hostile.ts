import { setTimeout as delay } from 'node:timers/promises';
import { startModelServer } from '../test/sim/model-server.ts';
import { inFolder, ownArgs, type Program, say, script, startProgram } from './process.ts';
import { digits, median, type Row } from './row.ts';
import { cjk, createRandom, prose, type Random } from './texts.ts';

/** B2: what others wait for their answers while somebody posts a message that is hard to count. */

const rounds = 5;
const hostileChars = 40_000;
const naiveRounds = 3;
/** js-tiktoken's share grows with the square: with 40,000 it would be hours. */
const naiveChars = 1000;
const innocents = 8;
const pauseMs = 50;
const leastWindowMs = 1200;
const hostileAtMs = 200;

interface Window {
  worstMs: number;
  longestDelayMs: number;
}

export async function measureHostile(): Promise<Row[]> {
  const server = await startModelServer({
    answer: () => ({ text: 'That is how it is.', usage: { prompt: 100, completion: 6 } }),
  });
  try {
    const own = await inFolder(async (folder) => {
      const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'no-key', OPENAI_MODEL: 'gpt-4o', DATA_DIR: folder };
      return await measure(startProgram([...ownArgs, 'chat', '--json'], env), rounds, hostileChars);
    });
    const naive = await measure(startProgram([script('naive-bot.ts'), server.url], {}), naiveRounds, naiveChars);
    const more = median(own.map(({ without, during }) => during.longestDelayMs - without.longestDelayMs));
    const moreNaive = median(naive.map(({ without, during }) => during.longestDelayMs - without.longestDelayMs));
    return [
      {
        bar: 'B2',
        what: 'worst wait of others during 40,000 hostile characters ÷ without',
        own: `${digits(worst(own, 'during'))} ÷ ${digits(worst(own, 'without'))} ms`,
        anchor: `naive ×${digits(median(naive.map(toRatio)))} at 1,000 characters`,
        value: median(own.map(toRatio)),
        target: { most: 3 },
      },
      {
        bar: 'B2',
        what: 'longest delay of the event loop, above that without',
        own: `${digits(median(own.map((one) => one.during.longestDelayMs)))} ms`,
        anchor: `naive ${digits(moreNaive)} ms more at 1,000 characters`,
        value: more,
        unit: 'ms',
        target: { most: 50 },
      },
    ];
  } finally {
    await server.close();
  }
}

interface Round {
  without: Window;
  during: Window;
}

const toRatio = ({ without, during }: Round): number => during.worstMs / without.worstMs;
const worst = (all: readonly Round[], which: keyof Round): number => median(all.map((one) => one[which].worstMs));

async function measure(program: Program, times: number, chars: number): Promise<Round[]> {
  const random = createRandom(2);
  const measured: Round[] = [];
  try {
    await open(program, undefined, random);
    for (let round = 0; round < times; round++) {
      const without = await open(program, undefined, random);
      const during = await open(program, cjk(chars, random), random);
      measured.push({ without, during });
    }
  } finally {
    await program.kill();
  }
  return measured;
}

let windows = 0;

/** A stretch of ordinary talk in which, perhaps, one hostile message is posted; it lasts until that is answered. */
async function open(program: Program, hostileText: string | undefined, random: Random): Promise<Window> {
  await program.report();
  const waits: Promise<number>[] = [];
  let done = hostileText === undefined;
  const hostile = delay(hostileAtMs).then(async () => {
    if (hostileText !== undefined) await program.answered(say(program, `hostile-${++windows}`, hostileText));
    done = true;
  });
  const begun = performance.now();
  for (let n = 0; !done || performance.now() - begun < leastWindowMs; n++) {
    const sentAt = performance.now();
    const id = say(program, `room-${n % innocents}`, prose(30, random));
    waits.push(program.answered(id).then((at) => at - sentAt));
    await delay(pauseMs);
  }
  await hostile;
  const worstMs = Math.max(...(await Promise.all(waits)));
  return { worstMs, longestDelayMs: (await program.report()).longestDelayMs };
}
