import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openSqlite } from '../src/storage/sqlite.ts';
import { setDiscord } from './discord-stage.ts';
import { type Grown, grow } from './grown.ts';
import { createPlatformModel, type PlatformModel } from './platform-model.ts';
import { inFolder, ownArgs, type Program, script, startProgram } from './process.ts';
import { digits, median, type Row } from './row.ts';
import { setSlack } from './slack-stage.ts';
import type { Stage } from './stage.ts';
import { createRandom, prose, type Random } from './texts.ts';

/** B5, B6 and B7: this program in old channels of a platform, beside bots that remember nothing. */

const turns = 1000;
const atOnce = 16;
const rounds = 3;
const alone = 40;
const questionWords = 40;
/** Rounds of all channels at once in a window. Discord's client sends no more than fifty requests a second. */
const together = { slack: 20, discord: 5 };
/** So many rounds make a fold due: the channels are spread over them, so that they do not all fold at once. */
const foldRounds = 21;
/** Until what goes on after an answer is over: folds, and what the platform tells of the answer. */
const settleMs = 400;
const role = 'You are a helpful assistant in a chat channel.';

interface Window {
  cpuMs: number;
  /** The 99th percentile of the acknowledgements, and the worst. */
  ackMs: number;
  worstMs: number;
  toModelMs: number;
}

interface Bot {
  stage: Stage;
  together: number;
  program: Program;
  windows: Window[];
}

interface Company {
  folder: string;
  model: PlatformModel;
  grown: Grown;
  random: Random;
}

type Bots<Name extends string> = Record<Name, Bot>;

export async function measurePlatforms(): Promise<Row[]> {
  return await inFolder(async (folder) => {
    const random = createRandom(7);
    const model = await createPlatformModel(random);
    const company = { folder, model, grown: await grow(turns, role), random };
    try {
      return [...(await measureSlack(company)), ...(await measureDiscord(company))];
    } finally {
      await model.close();
    }
  });
}

async function measureSlack(company: Company): Promise<Row[]> {
  const memory = await startOwn(company, await setSlack(atOnce), 'memory');
  const sqlite = await startOwn(company, await setSlack(atOnce), 'sqlite');
  const prompt = writePrompt(company);
  const floor = (calls: string) =>
    startOther(company, setSlack(atOnce), 'bots/floor-slack.ts', 'chat.update', prompt, calls);
  const bots = {
    memory,
    sqlite,
    floor: await floor('two'),
    four: await floor('four'),
    chatSdk: await startOther(company, setSlack(atOnce), 'bots/chat-sdk.ts', 'chat.stopStream'),
  };
  await compare(company, bots);
  return toSlackRows(bots);
}

async function measureDiscord(company: Company): Promise<Row[]> {
  const memory = await startOwn(company, await setDiscord(atOnce), 'memory');
  const sqlite = await startOwn(company, await setDiscord(atOnce), 'sqlite');
  const prompt = writePrompt(company);
  const floor = (calls: string) =>
    startOther(company, setDiscord(atOnce), 'bots/floor-discord.ts', 'PATCH', prompt, calls);
  const bots = { memory, sqlite, floor: await floor('two'), three: await floor('three') };
  await compare(company, bots);
  return toDiscordRows(bots);
}

let folders = 0;

async function startOwn(company: Company, stage: Stage, store: 'memory' | 'sqlite'): Promise<Bot> {
  const base = path.join(company.folder, `own-${++folders}`);
  const entries = company.grown(stage.channels);
  const env = {
    ...stage.env,
    ...stage.ownEnv,
    OPENAI_BASE_URL: company.model.url,
    OPENAI_API_KEY: 'no-key',
    OPENAI_MODEL: 'gpt-4o',
    SYSTEM_ROLE: role,
    LOG_FORMAT: 'json',
    PORT: '0',
    DATA_DIR: company.folder,
  };
  if (store === 'memory') writeFileSync(`${base}.json`, JSON.stringify(entries));
  else {
    const file = await openSqlite(`${base}.db`);
    for (let n = 0; n < entries.length; n += 1000) await file.setMany(entries.slice(n, n + 1000));
    await file.disconnect();
  }
  const program =
    store === 'memory'
      ? startProgram(['--import', script('seeding.ts'), ...ownArgs], {
          ...env,
          STORE_URL: 'memory:',
          SEED_FILE: `${base}.json`,
        })
      : startProgram(ownArgs, { ...env, STORE_URL: `sqlite:${base}.db` });
  await stage.connect(program, 'buttons');
  const bot = { stage, program, windows: [], together: together[stage.name] };
  await warm(company, bot);
  return bot;
}

async function startOther(
  company: Company,
  setting: Promise<Stage>,
  file: string,
  ending: string,
  ...args: string[]
): Promise<Bot> {
  const stage = await setting;
  const program = startProgram([script(file), stage.apiUrl, company.model.url, ...args], stage.env);
  await stage.connect(program, ending);
  const bot = { stage, program, windows: [], together: together[stage.name] };
  await warm(company, bot);
  return bot;
}

async function warm(company: Company, bot: Bot): Promise<void> {
  await measureWindow(company, bot, (channel) => bot.together + Math.floor((channel * foldRounds) / atOnce));
  bot.windows.length = 0;
}

/** What this program asked the model last time in the middle of its sizes, without the question: the floor asks the same. */
function writePrompt({ folder, model }: Company): string {
  const file = path.join(folder, `prompt-${++folders}.json`);
  writeFileSync(file, JSON.stringify(model.middlePrompt().slice(0, -1)));
  return file;
}

/** In turns, each round beginning with another. */
async function compare(company: Company, bots: Record<string, Bot>): Promise<void> {
  const all = Object.values(bots);
  try {
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < all.length; n++) {
        const bot = all[(round + n) % all.length];
        if (bot !== undefined) await measureWindow(company, bot);
      }
    }
  } finally {
    for (const { program, stage } of all) {
      await program.kill();
      await stage.close();
    }
  }
}

async function measureWindow(
  { model, random }: Company,
  bot: Bot,
  roundsIn: (channel: number) => number = () => bot.together,
): Promise<void> {
  const { stage, program, windows } = bot;
  const say = async (channel: number): Promise<number> => {
    const { mark, arrived } = model.expect();
    const begun = performance.now();
    await stage.ask(channel, `${prose(questionWords, random)} ${mark}`);
    return (await arrived) - begun;
  };
  model.forget();
  const waits: number[] = [];
  for (let n = 0; n < alone; n++) waits.push(await say(n));
  await delay(settleMs);
  stage.takeAcks();
  const before = (await program.report()).cpuMs;
  const speakers = Array.from({ length: atOnce }, async (_, channel) => {
    for (let n = 0; n < roundsIn(channel); n++) await say(channel);
  });
  await Promise.all(speakers);
  await delay(settleMs);
  const cpuMs = ((await program.report()).cpuMs - before) / (atOnce * bot.together);
  const acks = stage.takeAcks().sort((a, b) => a - b);
  const ackMs = acks[Math.floor(acks.length * 0.99)] ?? 0;
  windows.push({ cpuMs, ackMs, worstMs: acks.at(-1) ?? 0, toModelMs: median(waits) });
}

function toSlackRows(bots: Bots<'memory' | 'sqlite' | 'floor' | 'four' | 'chatSdk'>): Row[] {
  const { memory, sqlite, floor, four, chatSdk } = bots;
  const worst = Math.max(...[memory, sqlite].flatMap((bot) => bot.windows.map((one) => one.worstMs)));
  const cpu = { bar: 'B5', of: 'cpuMs', anchor: `Chat SDK ×${digits(ratio(chatSdk, floor, 'cpuMs'))}` } as const;
  const ack = { bar: 'B6', of: 'ackMs', anchor: `Chat SDK ×${digits(ratio(chatSdk, floor, 'ackMs'))}` } as const;
  const model = { bar: 'B7', of: 'toModelMs', against: 'Chat SDK' } as const;
  return [
    row(memory, floor, { ...cpu, what: 'Slack, memory: CPU a message ÷ floor', target: 1.15 }),
    row(sqlite, floor, { ...cpu, what: 'Slack, SQLite: CPU a message ÷ floor', target: 1.3 }),
    row(memory, four, { ...cpu, what: 'the same, memory ÷ a floor with its four calls' }),
    row(sqlite, four, { ...cpu, what: 'the same, SQLite ÷ a floor with its four calls' }),
    row(memory, floor, { ...ack, what: 'Slack, memory: p99 acknowledgement, 16 at once ÷ floor', target: 1.5 }),
    row(sqlite, floor, { ...ack, what: 'Slack, SQLite: p99 acknowledgement, 16 at once ÷ floor', target: 1.5 }),
    {
      bar: 'B6',
      what: 'Slack: the worst acknowledgement of all',
      own: `${digits(worst)} ms`,
      anchor: 'Slack allows 3000 ms',
      value: worst,
      unit: 'ms',
      target: { most: 1000 },
    },
    ...[memory, sqlite].map((bot) =>
      row(bot, chatSdk, {
        ...model,
        what: `Slack, ${bot === memory ? 'memory' : 'SQLite'}: to the model request, p50 ÷ Chat SDK`,
        anchor: `the floor ×${digits(ratio(floor, chatSdk, 'toModelMs'))}`,
        target: 0.5,
      }),
    ),
  ];
}

function toDiscordRows(bots: Bots<'memory' | 'sqlite' | 'floor' | 'three'>): Row[] {
  const { memory, sqlite, floor, three } = bots;
  const cpu = { bar: 'B5', of: 'cpuMs', anchor: '' } as const;
  const model = { bar: 'B7', of: 'toModelMs', anchor: '' } as const;
  return [
    row(memory, floor, { ...cpu, what: 'Discord, memory: CPU a message ÷ floor', target: 1.15 }),
    row(sqlite, floor, { ...cpu, what: 'Discord, SQLite: CPU a message ÷ floor', target: 1.3 }),
    row(memory, three, { ...cpu, what: 'the same, memory ÷ a floor with its three calls' }),
    row(sqlite, three, { ...cpu, what: 'the same, SQLite ÷ a floor with its three calls' }),
    row(memory, floor, { ...model, what: 'Discord, memory: to the model request, p50 ÷ floor', target: 1.2 }),
    row(sqlite, floor, { ...model, what: 'Discord, SQLite: to the model request, p50 ÷ floor', target: 1.2 }),
  ];
}

interface Held {
  bar: string;
  what: string;
  of: keyof Window;
  anchor: string;
  against?: string;
  target?: number;
}

function row(own: Bot, other: Bot, { bar, what, of, anchor, against = 'floor', target }: Held): Row {
  const ms = (bot: Bot): string => `${digits(median(bot.windows.map((one) => one[of])))} ms`;
  return {
    bar,
    what,
    own: ms(own),
    anchor: [`${against} ${ms(other)}`, anchor].filter((part) => part !== '').join('; '),
    value: ratio(own, other, of),
    ...(target === undefined ? {} : { target: { most: target } }),
  };
}

/** Round by round, and of these the median. */
function ratio(own: Bot, other: Bot, of: keyof Window): number {
  return median(own.windows.map((one, round) => one[of] / (other.windows[round]?.[of] ?? Number.NaN)));
}
