import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadCounter } from '../src/conversation/tokens.ts';
import type { Turn } from '../src/conversation/turn.ts';
import { countMessages, toMessages } from '../src/conversation/wire.ts';
import type { ChannelId } from '../src/event.ts';
import type { Backend, Entry } from '../src/storage/backend.ts';
import { createMemoryBackend } from '../src/storage/memory.ts';
import { openSqlite } from '../src/storage/sqlite.ts';
import { preparePrompt } from '../src/turn/prepare.ts';
import { type BenchCore, instantModel, room, startCore } from './core.ts';
import { createNaiveHistory, createRecount, type NaiveHistory, type Said } from './naive-bot.ts';
import { inFolder } from './process.ts';
import { digits, mean, median, type Row } from './row.ts';
import { createTraffic, type Traffic } from './traffic.ts';

/** B3 and B4: what a turn costs in a channel that has grown old, against one that is young. */

const young = 10;
const old = { counted: 5000, written: 10_000 };
/** As many rounds as fill a page of the journal: what is written depends on how full it is. */
const roundsAPage = 8;
const cycles = 6;
const role = 'You are a helpful assistant in a chat channel.';
const oldRoom = room('old');

interface Scene {
  traffic: Traffic;
  /** What was said in the old channel, for those who keep it otherwise. */
  said: Said[];
}

export async function measureHistory(): Promise<Row[]> {
  const counter = await loadCounter('o200k_base');
  const scene: Scene = { traffic: createTraffic(5, counter), said: [] };
  const plain = createMemoryBackend();
  const memory = counted(plain);
  const core = await startCore({ backend: memory.backend, model: await modelOf(scene.traffic), role, recallTokens: 0 });
  await grow(core, scene, old.counted);
  const rows = [await measureAccounting(core, scene)];
  await grow(core, scene, old.written);
  await core.memory.idle();
  const everything = await plain.list({ from: ' ', to: '\u{10ffff}', limit: undefined, reverse: false });
  rows.push(...(await measureWriting('memory', core, memory.written, naiveOver(undefined), scene)));
  await core.stop();
  const sqliteRows = await inFolder(async (folder) => {
    const file = await openSqlite(path.join(folder, 'own.db'));
    for (let n = 0; n < everything.length; n += 1000) await file.setMany(everything.slice(n, n + 1000));
    const sqlite = counted(file);
    const own = await startCore({
      backend: sqlite.backend,
      model: await modelOf(scene.traffic),
      role,
      recallTokens: 0,
    });
    const naive = naiveOver(path.join(folder, 'naive.db'));
    const measured = await measureWriting('SQLite', own, sqlite.written, naive, scene);
    await own.stop();
    return measured;
  });
  return [...rows, ...sqliteRows];
}

/** Words made beforehand, so that making them is not measured; each is used once. */
async function modelOf(traffic: Traffic) {
  const stock: Record<'answer' | 'fold', string[]> = { answer: [], fold: [] };
  for (let n = 0; n < 200; n++) stock.answer.push(await traffic.reply());
  for (let n = 0; n < 40; n++) stock.fold.push(await traffic.fold());
  let n = 0;
  return instantModel((purpose) => {
    const texts = stock[purpose];
    return `${texts[++n % texts.length]} (${n})`;
  });
}

async function grow(core: BenchCore, scene: Scene, turns: number): Promise<void> {
  while (scene.said.length < turns) {
    const question = await scene.traffic.question();
    await core.ask(oldRoom, question);
    await core.memory.idle();
    const { tail } = await core.memory.conversations.read(oldRoom);
    scene.said.push({ role: 'user', content: question }, { role: 'assistant', content: tail.at(-1)?.text ?? '' });
  }
}

let rooms = 0;

async function youngRoom(core: BenchCore, traffic: Traffic): Promise<ChannelId> {
  const channel = room(`young-${++rooms}`);
  for (let turns = 0; turns < young; turns += 2) await core.ask(channel, await traffic.question());
  return channel;
}

/** Two cycles of folds, so that the old channel is seen with much and with little unfolded. */
const accountingRounds = 48;

async function measureAccounting(core: BenchCore, scene: Scene): Promise<Row> {
  const recount = createRecount();
  const own = { young: [] as number[], old: [] as number[] };
  const naive = { young: [] as number[], old: [] as number[] };
  const few = scene.said.slice(0, young);
  const many = scene.said.slice(0, old.counted);
  for (let n = 0; n < accountingRounds; n++) {
    const question = await scene.traffic.question();
    const channel = await youngRoom(core, scene.traffic);
    // In turns, and each first as often as the other.
    for (let k = 0; k < 6; k++) {
      const isOld = (n + k) % 2 === 0;
      const ms = await accountingMs(core, isOld ? oldRoom : channel, `${question} ${k}`);
      (isOld ? own.old : own.young).push(ms);
    }
    if (n % 16 === 0) {
      for (let k = 0; k < 5; k++) naive.young.push(recountMs(recount, few, `${question} ${k}`));
      naive.old.push(recountMs(recount, many, question));
    }
    await core.ask(oldRoom, question);
    await core.memory.idle();
  }
  const recounted = median(naive.old) / median(naive.young);
  return {
    bar: 'B3',
    what: 'accounting a turn at 5,000 turns ÷ at 10',
    own: `${digits(mean(trimmed(own.old)))} ÷ ${digits(mean(trimmed(own.young)))} ms`,
    anchor: `recount ×${digits(recounted)} (${digits(median(naive.old))} ms)`,
    value: mean(trimmed(own.old)) / mean(trimmed(own.young)),
    target: { most: 1.5 },
  };
}

/** Without what was disturbed: the slowest quarter. */
function trimmed(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b).slice(0, Math.ceil(values.length * 0.75));
}

/** Counting what is said and what is answered, and choosing what goes into the prompt between them. */
async function accountingMs(core: BenchCore, channel: ChannelId, text: string): Promise<number> {
  const { memory, model, profile } = core;
  const { nextSeq } = await memory.conversations.read(channel);
  const draft: Turn = { seq: nextSeq, id: 'q', rev: 0, at: 0, role: 'user', name: 'Ann', text, tokens: 0 };
  const answer: Turn = { ...draft, role: 'assistant', text: `${text} ${text} ${text}` };
  const begun = performance.now();
  const counter = await memory.counterFor(profile.model);
  const tokens = await countMessages(toMessages(draft), counter);
  await preparePrompt({ ...memory, model }, { channel, question: { ...draft, tokens }, images: [], profile });
  await countMessages(toMessages(answer), counter);
  return performance.now() - begun;
}

function recountMs(recount: ReturnType<typeof createRecount>, turns: readonly Said[], question: string): number {
  const begun = performance.now();
  recount([...turns, { role: 'user', content: question }], 12_000);
  return performance.now() - begun;
}

interface Written {
  bytes: number;
}

function counted(backend: Backend): { backend: Backend; written: Written } {
  const written = { bytes: 0 };
  const size = ({ key, value }: Entry): number => Buffer.byteLength(key) + Buffer.byteLength(value);
  const setMany = async (entries: Entry[]): Promise<boolean[]> => {
    for (const entry of entries) written.bytes += size(entry);
    return await backend.setMany(entries);
  };
  return { backend: { ...backend, setMany }, written };
}

interface Naive {
  history: NaiveHistory;
  written: Written;
}

function naiveOver(file: string | undefined): Naive {
  const written = { bytes: 0 };
  const onWrite = (bytes: number): void => {
    written.bytes += bytes;
  };
  return { history: createNaiveHistory(file, onWrite), written };
}

interface Turned {
  bytes: number;
  ms: number;
}

async function measureWriting(
  name: string,
  core: BenchCore,
  written: Written,
  naive: Naive,
  scene: Scene,
): Promise<Row[]> {
  const own = { young: [] as Turned[], old: [] as Turned[] };
  const whole = { young: [] as Turned[], old: [] as Turned[] };
  await naive.history.add('old', scene.said);
  for (let cycle = 0; cycle < cycles; cycle++) {
    const channel = await youngRoom(core, scene.traffic);
    await naive.history.add(channel, scene.said.slice(0, young));
    for (let n = 0; n < roundsAPage; n++) {
      const order = [channel, oldRoom];
      for (const one of n % 2 === 0 ? order : order.reverse()) {
        (one === oldRoom ? own.old : own.young).push(await ownTurn(core, written, one, scene));
      }
      whole.young.push(await wholeTurn(naive, channel, scene));
      if (n < 2) whole.old.push(await wholeTurn(naive, 'old', scene));
    }
  }
  const bytes = (all: readonly Turned[]) => mean(all.map((one) => one.bytes));
  const ms = (all: readonly Turned[]) => median(all.map((one) => one.ms));
  return [
    {
      bar: 'B4',
      what: `${name}: bytes written a round at 10,000 turns ÷ at 10`,
      own: `${digits(bytes(own.old) / 1000)} ÷ ${digits(bytes(own.young) / 1000)} KB`,
      anchor: `whole array ×${digits(bytes(whole.old) / bytes(whole.young))}`,
      value: bytes(own.old) / bytes(own.young),
      target: { most: 1.2 },
    },
    {
      bar: 'B4',
      what: `${name}: latency of a round at 10,000 turns ÷ at 10`,
      own: `${digits(ms(own.old))} ÷ ${digits(ms(own.young))} ms`,
      anchor: `whole array ×${digits(ms(whole.old) / ms(whole.young))} (${digits(ms(whole.old))} ms)`,
      value: ms(own.old) / ms(own.young),
      target: { most: 1.5 },
    },
  ];
}

/** The folds that a round makes due count as bytes, but nobody waits for them. */
async function ownTurn(core: BenchCore, written: Written, channel: ChannelId, scene: Scene): Promise<Turned> {
  const question = await scene.traffic.question();
  const before = written.bytes;
  const begun = performance.now();
  await core.ask(channel, question);
  const ms = performance.now() - begun;
  await core.memory.idle();
  return { bytes: written.bytes - before, ms };
}

async function wholeTurn({ history, written }: Naive, channel: string, scene: Scene): Promise<Turned> {
  const question = await scene.traffic.question();
  const reply = await scene.traffic.reply();
  const before = written.bytes;
  const begun = performance.now();
  await history.add(channel, [{ role: 'user', content: question }]);
  await history.add(channel, [{ role: 'assistant', content: reply }]);
  const ms = performance.now() - begun;
  await delay(0);
  return { bytes: written.bytes - before, ms };
}
