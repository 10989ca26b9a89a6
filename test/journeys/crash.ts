import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type ChatRequest, failure } from '../sim/model-answer.ts';
import { type ModelServer, startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, type Program, shownOf, startProgram } from './program.ts';

/**
 * People speak in several channels while the program is killed again and again. What it acknowledged is not sent again;
 * what it did not is, as a platform would. In the end everything must have been answered, once and in order.
 */
export interface CrashPlan {
  seed: number;
  channels: number;
  /** In each channel. */
  messages: number;
  kills: number;
}

interface Message {
  type: 'message';
  id: string;
  at: number;
  channel: string;
  author: { id: string; name: string };
  text: string;
}

interface ExportedTurn {
  seq: number;
  role: 'user' | 'assistant';
  text: string;
  answers?: number;
  unanswered?: string;
  alternatives?: unknown[];
  partial?: string;
}

export async function surviveKills(t: TestContext, plan: CrashPlan): Promise<void> {
  const random = generator(plan.seed);
  const server = await startModelServer({ answer: (request) => answerTo(request, random) });
  t.after(() => server.close());
  const folder = newFolder(t);
  const env = { DATA_DIR: folder, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' };
  const messages = toMessages(plan, random);
  const lines: Line[] = [];
  const acknowledged = new Set<string>();

  for (let life = 0; life < plan.kills && messages.some((message) => !hasEnded(message, lines)); life++) {
    const program = startProgram({ env });
    const speaking = speak(program, messages, acknowledged, random);
    await atSomePoint(program, server, random);
    await program.signal('SIGKILL');
    await speaking;
    lines.push(...program.lines);
    for (const line of program.lines) if (isAcknowledgement(line)) acknowledged.add(String(line.id));
  }

  const last = startProgram({ env });
  await speak(last, messages, acknowledged, random);
  const journals = await Promise.all(channelsOf(plan).map((channel) => readJournal(last, channel)));
  assert.equal(await last.end(), 0, last.errors());
  lines.push(...last.lines);

  for (const [index, channel] of channelsOf(plan).entries()) {
    const said = messages.filter((message) => message.channel === channel);
    checkJournal(said, journals[index] ?? []);
    checkShown(said, lines);
  }
  checkInbox(folder, messages.length);
}

const channelsOf = (plan: CrashPlan) => Array.from({ length: plan.channels }, (_, n) => `room-${n}`);

function toMessages(plan: CrashPlan, random: () => number): Message[] {
  const left = channelsOf(plan).flatMap((channel) => Array<string>(plan.messages).fill(channel));
  const counts = new Map<string, number>();
  return Array.from({ length: plan.channels * plan.messages }, (_, n) => {
    const [channel = ''] = left.splice(Math.floor(random() * left.length), 1);
    const count = (counts.get(channel) ?? 0) + 1;
    counts.set(channel, count);
    const text = `${random() < 0.15 ? 'refused' : 'question'} ${channel}.${count}`;
    const id = `${channel}-${count}`;
    return { type: 'message', id, at: 1_760_000_000_000 + n, channel, author: { id: 'u1', name: 'Ann' }, text };
  });
}

/** The model's answer is known from the question; how fast it comes is not. Some questions it refuses. */
function answerTo(request: ChatRequest, random: () => number): Answer {
  if (request.last.includes('refused')) return failure(400, { message: 'no' });
  return { text: answerText(request.last.replace('Ann: ', '')), delayMs: Math.floor(random() * 12) };
}

const answerText = (question: string) => `This is the answer to ${question}, in a few more words.`;

/** Sends what was not acknowledged, in order, at a speed of its own. */
async function speak(
  program: Program,
  messages: readonly Message[],
  acknowledged: ReadonlySet<string>,
  random: () => number,
): Promise<void> {
  let over = false;
  void program.ended.then(() => {
    over = true;
  });
  const pauseMs = random() * 15;
  for (const message of messages.filter(({ id }) => !acknowledged.has(id))) {
    if (over) return;
    program.send(message);
    await delay(pauseMs);
  }
}

/** Anywhere: while it starts, when it has said so many lines, when the model was asked, or after some time. */
async function atSomePoint(program: Program, server: ModelServer, random: () => number): Promise<void> {
  const kind = random();
  const many = Math.floor(random() * 100);
  const ms = random() * 400;
  if (kind < 0.1) return await delay(ms * 3);
  await program.line(() => true);
  if (kind < 0.5) {
    let seen = 0;
    // There may be fewer to come.
    return void (await Promise.race([program.line(() => ++seen >= many), delay(800)]));
  }
  if (kind < 0.7) return await delay(ms);
  await Promise.race([server.asked(server.requests.length + 1 + Math.floor(ms / 100)), delay(800)]);
}

const hasEnded = ({ id, channel }: Message, lines: readonly Line[]) =>
  shownOf(lines, { id, channel }).endings.length > 0;

const isAcknowledgement = (line: Line) => line.type === 'accepted' || line.type === 'known';

/** Ordered after everything else in the channel, so that all of it is done when this is. */
async function readJournal(program: Program, channel: string): Promise<ExportedTurn[]> {
  const id = `export-${channel}`;
  const author = { id: 'u0', name: 'Root', admin: true };
  program.send({ type: 'command', id, at: 1_770_000_000_000, channel, author, text: 'memory export' });
  const { files = [] } = await program.ending(id);
  return JSON.parse(files[0]?.content ?? '{}').turns;
}

/** Every message once, in order, each with its one answer behind it, or with the reason why there is none. */
function checkJournal(said: readonly Message[], turns: readonly ExportedTurn[]): void {
  const expected = said.flatMap(({ text }) =>
    text.startsWith('refused') ? [`${text} (unanswered)`] : [text, answerText(text)],
  );
  const found = turns.map((turn) => (turn.unanswered === undefined ? turn.text : `${turn.text} (unanswered)`));
  assert.deepEqual(found, expected);
  for (const [index, turn] of turns.entries()) {
    if (turn.role === 'assistant') assert.equal(turn.answers, turns[index - 1]?.seq);
    assert.deepEqual([turn.alternatives, turn.partial], [undefined, undefined]);
  }
}

/** What stands under each message in the end is its answer, whole; and they ended one after the other. */
function checkShown(said: readonly Message[], lines: readonly Line[]): void {
  const ends: number[] = [];
  for (const { id, channel, text } of said) {
    const shown = shownOf(lines, { id, channel });
    const isRefused = text.startsWith('refused');
    assert.equal(shown.text, isRefused ? '' : answerText(text), id);
    assert.deepEqual(shown.messageIds, isRefused ? [] : [`${id}.0`]);
    assert.deepEqual([...shown.said.keys()], isRefused ? ['outcome'] : []);
    const [last] = shown.endings.slice(-1);
    if (last !== undefined) ends.push(lines.lastIndexOf(last));
  }
  assert.deepEqual(
    ends,
    ends.toSorted((a, b) => a - b),
  );
}

/** Nothing waits to be handled a further time. */
function checkInbox(folder: string, messages: number): void {
  const db = new DatabaseSync(path.join(folder, 'channelore.db'), { readOnly: true });
  const rows = db.prepare("SELECT key, value FROM records WHERE key LIKE 'inbox:%room-%'").all();
  db.close();
  const open = rows.filter((row) => !/"state":"done"/.test(String(row.value)));
  assert.deepEqual(open, []);
  assert.ok(rows.length >= messages);
}

/** Mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
