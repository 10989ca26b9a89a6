import path from 'node:path';
import { loadCounter, type TokenCounter } from '../src/conversation/tokens.ts';
import { systemClock } from '../src/model/clock.ts';
import { createOpenAiModel } from '../src/model/openai.ts';
import { openSqlite } from '../src/storage/sqlite.ts';
import type { ChatRequest } from '../test/sim/model-answer.ts';
import { startModelServer } from '../test/sim/model-server.ts';
import { room, startCore } from './core.ts';
import { createPrefixCache } from './prefix-cache.ts';
import { inFolder } from './process.ts';
import { digits, type Row } from './row.ts';
import { createRandom, proseOf } from './texts.ts';
import { createTraffic } from './traffic.ts';

/** B9: what a provider's prompt cache would hold of the requests really sent, and what a turn costs. */

const rounds = 1000;
const roleTokens = 850;
const windowTokens = 8000;
/** What a cached token costs, and one that is written, where one that is read uncached costs 1. */
const cachedPrice = 0.1;
const writtenPrice = 8;

interface WireMessage {
  role: string;
  text: string;
}

/** One request as sent. `written` is set where what was answered belongs to the price of remembering: folds. */
interface Sent {
  key: string;
  messages: readonly WireMessage[];
  written: number;
}

interface Bill {
  share: number;
  cost: number;
  prompt: number;
}

export async function measurePromptCache(): Promise<Row[]> {
  const counter = await loadCounter('o200k_base');
  const read = createReader(counter);
  const sent = await inFolder((folder) => talk(path.join(folder, 'own.db'), counter, read, 0));
  const recalling = await inFolder((folder) => talk(path.join(folder, 'own.db'), counter, read, undefined));
  const withRecall = bill(recalling, read);
  const answers = sent.filter((one) => one.written === 0);
  const own = bill(sent, read);
  const talked = toTalk(answers);
  const windows = {
    tokens: bill(slide(talked, tokensThatFit(read)), read),
    ten: bill(slide(talked, lastRounds(10)), read),
    twenty: bill(slide(talked, lastRounds(20)), read),
  };
  const spent = `${digits(own.cost)} a turn, prompts of ${digits(own.prompt)}`;
  const against = (name: string, window: Bill): Pick<Row, 'anchor' | 'value'> => ({
    anchor: `${name} ${digits(window.cost)}, prompts of ${digits(window.prompt)}`,
    value: own.cost / window.cost,
  });
  return [
    {
      bar: 'B9',
      what: 'prompt tokens that an exact-prefix cache would hold, 1,000 rounds',
      own: `${digits(sent.length - answers.length)} folds in ${digits(answers.length)} answers`,
      anchor: `8k window ${digits(windows.tokens.share * 100)}%`,
      value: own.share * 100,
      unit: '%',
      target: { least: 92 },
    },
    {
      bar: 'B9',
      what: 'cost a turn, folds included ÷ 8k sliding window',
      own: spent,
      ...against('8k window', windows.tokens),
      target: { most: 0.227 },
    },
    {
      bar: 'B9',
      what: 'the share with up to 1,000 recalled tokens behind it, which no cache can hold',
      own: `prompts of ${digits(withRecall.prompt)}`,
      anchor: `without ${digits(own.share * 100)}%`,
      value: withRecall.share * 100,
      unit: '%',
    },
    {
      bar: 'B9',
      what: 'cost a turn with recall ÷ 8k sliding window without',
      own: `${digits(withRecall.cost)} a turn`,
      anchor: `8k window ${digits(windows.tokens.cost)}`,
      value: withRecall.cost / windows.tokens.cost,
    },
    { bar: 'B9', what: 'the same ÷ the last 10 rounds', own: spent, ...against('10 rounds', windows.ten) },
    { bar: 'B9', what: 'the same ÷ the last 20 rounds', own: spent, ...against('20 rounds', windows.twenty) },
  ];
}

const isFold = (request: ChatRequest): boolean => request.last.startsWith('<transcript>');

/** The program's core over its own client and a server on loopback; gives back what that server was sent. */
async function talk(
  file: string,
  counter: TokenCounter,
  read: Read,
  recallTokens: number | undefined,
): Promise<Sent[]> {
  const traffic = createTraffic(9, counter);
  const sent: Sent[] = [];
  const server = await startModelServer({
    answer: async (request) => {
      const text = isFold(request) ? await traffic.fold() : await traffic.reply();
      const completion = counter.countNow(text);
      const messages = request.messages.map(({ role, text: content }) => ({ role, text: content }));
      sent.push({ key: String(request.body.prompt_cache_key), messages, written: isFold(request) ? completion : 0 });
      // What this server counts is what we count, so that no calibration makes the budget another.
      const prompt = messages.reduce((sum, one) => sum + read(one).length, 3);
      return { pieces: [text], usage: { prompt, completion } };
    },
  });
  const limits = { firstTokenMs: 10_000, idleMs: 10_000, contextTokens: undefined, fallbackModels: [] };
  const quiet = { debug() {}, warn() {} };
  const model = createOpenAiModel(
    { apiKey: 'none', baseUrl: server.url, ...limits },
    { clock: systemClock, random: Math.random, log: quiet, countTokens: counter.count },
  );
  const role = await proseOf(roleTokens, createRandom(90), counter.count);
  const more = recallTokens === undefined ? {} : { recallTokens };
  const core = await startCore({ backend: await openSqlite(file), model, role, ...more });
  for (let n = 0; n < rounds; n++) {
    await core.ask(room('talk'), await traffic.question());
    await core.memory.idle();
  }
  await core.stop();
  await server.close();
  return sent;
}

type Read = (message: WireMessage) => readonly number[];

/** A message's tokens, framed by four that stand for no text; each text is encoded once. */
function createReader(counter: TokenCounter): Read {
  const known = new Map<string, readonly number[]>();
  const roles = ['system', 'user', 'assistant'];
  return ({ role, text }) => {
    const key = `${role} ${text}`;
    const tokens = known.get(key) ?? [-1, -2 - roles.indexOf(role), -1, ...counter.encode(text), -9];
    known.set(key, tokens);
    return tokens;
  };
}

function bill(sent: readonly Sent[], read: Read): Bill {
  const cache = createPrefixCache();
  let cost = 0;
  const answers = { count: 0, prompt: 0, held: 0 };
  for (const { key, messages, written } of sent) {
    const tokens = messages.flatMap(read);
    const held = cache.take(key, tokens);
    cost += tokens.length - held + held * cachedPrice + written * writtenPrice;
    if (written > 0) continue;
    answers.count++;
    answers.prompt += tokens.length;
    answers.held += held;
  }
  return { share: answers.held / answers.prompt, cost: cost / answers.count, prompt: answers.prompt / answers.count };
}

interface Talk {
  system: WireMessage;
  /** Question and reply, as they stood in prompts. */
  rounds: { question: readonly WireMessage[]; reply: WireMessage | undefined }[];
}

/** What a reply looked like on the wire stands in the request that came after it. */
function toTalk(answers: readonly Sent[]): Talk {
  const [system] = answers[0]?.messages ?? [];
  if (system === undefined) throw new Error('nothing was sent');
  const rounds = answers.map(({ messages }, n) => ({
    question: messages.slice(messages.findLastIndex((one) => one.role !== 'user') + 1),
    reply: answers[n + 1]?.messages.findLast((one) => one.role === 'assistant'),
  }));
  return { system, rounds };
}

type Window = (history: readonly WireMessage[]) => readonly WireMessage[];

/** The requests that a bot with a sliding window would have sent in the same talk. */
function slide({ system, rounds }: Talk, window: Window): Sent[] {
  const history: WireMessage[] = [];
  return rounds.map(({ question, reply }) => {
    const messages = [system, ...window(history), ...question];
    history.push(...question, ...(reply === undefined ? [] : [reply]));
    return { key: 'window', messages, written: 0 };
  });
}

function tokensThatFit(read: Read): Window {
  return (history) => {
    let from = history.length;
    for (let left = windowTokens; from > 0; from--) {
      const message = history[from - 1];
      left -= message === undefined ? 0 : read(message).length;
      if (left < 0) break;
    }
    return history.slice(from);
  };
}

function lastRounds(count: number): Window {
  return (history) => history.slice(-2 * count);
}
