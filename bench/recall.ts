import { loadCounter } from '../src/conversation/tokens.ts';
import { type Conversation, readConversations } from './recall-conversations.ts';
import { measureLarge } from './recall-large.ts';
import { type BuildFinder, finders } from './recall-rivals.ts';
import { toTexts } from './recall-texts.ts';
import { digits } from './row.ts';

/** `npm run bench:recall -- <file>`: what is found of what answers a question, beside what others find in the same run. */

const firsts = [5, 10, 20];
const budgets = [500, 1000, 2000];
/** More than any budget here holds. */
const most = 200;
const counter = await loadCounter('o200k_base');

interface Measured {
  name: string;
  recallAt: number[];
  precision: number;
  recallWithin: number[];
  sent: number;
  buildMs: number;
  queryMs: number[];
  megabytes: number;
}

const file = process.argv[2];
if (file === undefined) {
  process.stderr.write('usage: npm run bench:recall -- <file.jsonl>\n');
  process.exit(64);
}
const conversations = readConversations(file);
const turns = conversations.reduce((sum, one) => sum + one.turns.length, 0);
const questions = conversations.reduce((sum, one) => sum + one.questions.length, 0);
process.stdout.write(`${conversations.length} conversations, ${turns} turns, ${questions} questions\n\n`);
const measured: Measured[] = [];
for (const [name, build] of Object.entries(finders)) measured.push(await measure(name, build));
process.stdout.write(`${toTable(measured)}\n\n`);
process.stdout.write(`${await measureLarge(conversations, counter)}\n`);

async function measure(name: string, build: BuildFinder): Promise<Measured> {
  const before = heldBytes();
  const from = process.threadCpuUsage();
  const built = conversations.map((one) => ({ one, finder: build(one.turns) }));
  const buildMs = cpuSince(from);
  const megabytes = (heldBytes() - before + built.reduce((sum, { finder }) => sum + finder.bytes(), 0)) / 1e6;
  const queryMs: number[] = [];
  const found: { recallAt: number[]; precision: number; recallWithin: number[]; sent: number }[] = [];
  for (const { one, finder } of built) {
    const texts = await toTexts(one.turns, counter);
    for (const question of one.questions) {
      const asked = performance.now();
      const hits = finder.rank(question.text, most);
      queryMs.push(performance.now() - asked);
      const share = (places: Iterable<number>): number =>
        countOf(one, question.evidence, places) / question.evidence.size;
      const places = hits.map(({ place }) => place);
      const input = { hits, worth: finder.worth(question.text), question: question.text };
      const within = (tokens: number) =>
        name === 'this program' ? texts.selected(input, tokens) : texts.taken(places, tokens);
      const recallWithin: number[] = [];
      for (const tokens of budgets) recallWithin.push(share(await within(tokens)));
      found.push({
        recallAt: firsts.map((count) => share(places.slice(0, count))),
        precision: countOf(one, question.evidence, places.slice(0, 10)) / 10,
        recallWithin,
        sent: name === 'this program' ? share(await texts.sent(input)) : Number.NaN,
      });
    }
    finder.close();
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const column = <T>(pick: (one: (typeof found)[number]) => T): T[] => found.map(pick);
  return {
    name,
    recallAt: firsts.map((_, n) => mean(column((one) => one.recallAt[n] ?? 0))),
    precision: mean(column((one) => one.precision)),
    recallWithin: budgets.map((_, n) => mean(column((one) => one.recallWithin[n] ?? 0))),
    sent: mean(column((one) => one.sent)),
    buildMs,
    queryMs: queryMs.sort((a, b) => a - b),
    megabytes,
  };
}

function countOf(conversation: Conversation, evidence: ReadonlySet<string>, places: Iterable<number>): number {
  return [...new Set(places)].filter((place) => evidence.has(conversation.turns[place]?.id ?? '')).length;
}

/** Processor time of this thread, so that what else the machine does is not measured. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function toTable(all: readonly Measured[]): string {
  const percent = (share: number): string => (Number.isNaN(share) ? '' : (share * 100).toFixed(1));
  const head = [
    '',
    ...firsts.map((count) => `recall@${count}`),
    'precision@10',
    ...budgets.map((tokens) => `in ${tokens} tokens`),
    'as sent',
    'build ms per 10,000',
    'query ms p50',
    'p99',
    'MB per 10,000',
  ];
  const rows = all.map((one) => [
    one.name,
    ...one.recallAt.map(percent),
    percent(one.precision),
    ...one.recallWithin.map(percent),
    percent(one.sent),
    digits((one.buildMs * 10_000) / turns),
    digits(one.queryMs[Math.floor(one.queryMs.length * 0.5)] ?? 0),
    digits(one.queryMs[Math.floor(one.queryMs.length * 0.99)] ?? 0),
    digits((Math.max(0, one.megabytes) * 10_000) / turns),
  ]);
  const toLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [toLine(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(toLine)].join('\n');
}
