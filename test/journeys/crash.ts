import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type ChatRequest, failure } from '../sim/model-answer.ts';
import { type ModelServer, startModelServer } from '../sim/model-server.ts';
import { type Line, newFolder, type Program, shownOf, startProgram } from './program.ts';

/**
 * People speak in several channels, edit and delete, while the program is killed again and again. What it did not
 * acknowledge is sent again, and sometimes also what it did, as a platform would. In the end everything must have been
 * answered, once and in order, as it stands.
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

interface Edit {
  type: 'edit';
  id: string;
  at: number;
  channel: string;
  messageId: string;
  text: string;
}

interface Deletion {
  type: 'delete';
  id: string;
  at: number;
  channel: string;
  messageIds: string[];
}

type Change = Edit | Deletion;

interface ExportedTurn {
  seq: number;
  role: 'user' | 'assistant';
  id: string;
  text: string;
  answers?: number;
  unanswered?: string;
  alternatives?: unknown[];
  partial?: string;
  erased?: string;
}

export async function surviveKills(t: TestContext, plan: CrashPlan): Promise<void> {
  const random = generator(plan.seed);
  const server = await startModelServer({ answer: (request) => answerTo(request, random) });
  t.after(() => server.close());
  const folder = newFolder(t);
  const env = { DATA_DIR: folder, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test-key' };
  const messages = toMessages(plan, random);
  const changes = toChanges(messages, random);
  const events = inOrder(messages, changes, random);
  const lines: Line[] = [];
  const acknowledged = new Set<string>();

  const isOver = () => messages.every((message) => shownOf(lines, message).endings.length > 0);
  for (let life = 0; life < plan.kills && !isOver(); life++) {
    const program = startProgram({ env });
    const speaking = speak(program, events, acknowledged, random);
    await atSomePoint(program, server, random);
    await program.signal('SIGKILL');
    await speaking;
    lines.push(...program.lines);
    for (const line of program.lines) if (isAcknowledgement(line)) acknowledged.add(String(line.id));
  }

  const last = startProgram({ env });
  await speak(last, events, acknowledged, random);
  for (const { id } of events.filter((event) => !acknowledged.has(event.id))) {
    await last.line((line) => line.id === id && isAcknowledgement(line));
  }
  const journals = await Promise.all(channelsOf(plan).map((channel) => readJournal(last, channel)));
  assert.equal(await last.end(), 0, last.errors());
  lines.push(...last.lines);

  for (const [index, channel] of channelsOf(plan).entries()) {
    const said = messages.filter((message) => message.channel === channel);
    const turns = journals[index] ?? [];
    checkJournal(said, changes, turns);
    checkShown(said, changes, turns, lines);
  }
  checkInbox(folder, messages.length);
}

const channelsOf = (plan: CrashPlan) => Array.from({ length: plan.channels }, (_, n) => `room-${n}`);

function toMessages(plan: CrashPlan, random: () => number): Message[] {
  const begin = Date.now() - 60_000;
  const left = channelsOf(plan).flatMap((channel) => Array<string>(plan.messages).fill(channel));
  const counts = new Map<string, number>();
  return Array.from({ length: plan.channels * plan.messages }, (_, n) => {
    const [channel = ''] = left.splice(Math.floor(random() * left.length), 1);
    const count = (counts.get(channel) ?? 0) + 1;
    counts.set(channel, count);
    const text = `${random() < 0.15 ? 'refused' : 'question'} ${channel}.${count}`;
    const id = `${channel}-${count}`;
    return { type: 'message', id, at: begin + n, channel, author: { id: 'u1', name: 'Ann' }, text };
  });
}

/** Some messages are edited once, others deleted. */
function toChanges(messages: readonly Message[], random: () => number): Change[] {
  return messages.flatMap(({ id, channel, at, text }): Change[] => {
    const base = { id: `${id}-changed`, at: at + 30_000, channel };
    const kind = random();
    if (kind < 0.12 && !isRefused(text)) return [{ ...base, type: 'edit', messageId: id, text: `edited ${text}` }];
    return kind > 0.9 ? [{ ...base, type: 'delete', messageIds: [id] }] : [];
  });
}

/** A change comes some time after its message. */
function inOrder(messages: readonly Message[], changes: readonly Change[], random: () => number): (Message | Change)[] {
  const order: (Message | Change)[] = [...messages];
  for (const change of changes) {
    const at = order.findIndex((event) => event.id === toMessageId(change));
    order.splice(at + 1 + Math.floor(random() * 8), 0, change);
  }
  return order;
}

const toMessageId = (change: Change) => (change.type === 'edit' ? change.messageId : change.messageIds[0]);

const isRefused = (text: string) => text.startsWith('refused');

/** The model's answer is known from the question; how fast it comes is not. Some questions it refuses. */
function answerTo(request: ChatRequest, random: () => number): Answer {
  const question = request.last.replace('Ann: ', '');
  if (isRefused(question)) return failure(400, { message: 'no' });
  return { text: answerText(question), delayMs: Math.floor(random() * 12) };
}

const answerText = (question: string) => `This is the answer to ${question}, in a few more words.`;

/** Sends what was not acknowledged and some of what was, in order, at a speed of its own. */
async function speak(
  program: Program,
  events: readonly (Message | Change)[],
  acknowledged: ReadonlySet<string>,
  random: () => number,
): Promise<void> {
  let over = false;
  void program.ended.then(() => {
    over = true;
  });
  const pauseMs = random() * 15;
  for (const event of events.filter(({ id }) => !acknowledged.has(id) || random() < 0.2)) {
    if (over) return;
    program.send(event);
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

const isAcknowledgement = (line: Line) => line.type === 'accepted' || line.type === 'known';

/** By commands that come after everything else in the channel, so that all of it is done when they are. */
async function readJournal(program: Program, channel: string): Promise<ExportedTurn[]> {
  const command = async (id: string, text: string): Promise<Line> => {
    const author = { id: 'u0', name: 'Root', admin: true };
    program.send({ type: 'command', id: `${id}-${channel}`, at: Date.now(), channel, author, text });
    return await program.ending(`${id}-${channel}`);
  };
  // Handled after the changes, as nothing was reset without effect; the export after the messages.
  await command('undo', 'undo');
  const { files = [] } = await command('export', 'memory export');
  return JSON.parse(files[0]?.content ?? '{}').turns;
}

const changeOf = (changes: readonly Change[], { id }: Message) => changes.find((change) => toMessageId(change) === id);

/** Every message once, in order, as it stands now, each with its one answer behind it or the reason why there is none. */
function checkJournal(said: readonly Message[], changes: readonly Change[], turns: readonly ExportedTurn[]): void {
  const alive = turns.filter((turn) => turn.erased === undefined);
  const left = said.filter((message) => changeOf(changes, message)?.type !== 'delete');
  const questions = alive.filter((turn) => turn.role === 'user');
  assert.deepEqual(
    questions.map((turn) => [turn.id, turn.text, turn.unanswered !== undefined]),
    left.map((message) => {
      const change = changeOf(changes, message);
      return [message.id, change?.type === 'edit' ? change.text : message.text, isRefused(message.text)];
    }),
  );
  const answers = alive.filter((turn) => turn.role === 'assistant');
  assert.equal(answers.length, questions.filter((turn) => turn.unanswered === undefined).length);
  for (const answer of answers) {
    const question = turns.find((turn) => turn.seq === answer.answers);
    // What was edited after it had been answered keeps its answer.
    const texts = [question?.text, question?.text.replace('edited ', '')].map((text) => answerText(text ?? ''));
    assert.ok(texts.includes(answer.text), answer.text);
    assert.deepEqual([answer.alternatives, answer.partial], [undefined, undefined]);
    const between = turns.filter((turn) => turn.seq > (question?.seq ?? 0) && turn.seq < answer.seq);
    assert.deepEqual(between, [], 'it is answered before the next message is heard');
  }
}

/** What stands under each message in the end is its answer, whole; and they ended one after the other. */
function checkShown(
  said: readonly Message[],
  changes: readonly Change[],
  turns: readonly ExportedTurn[],
  lines: readonly Line[],
): void {
  const ends: number[] = [];
  for (const message of said) {
    const { id, text } = message;
    const shown = shownOf(lines, message);
    const seq = turns.find((turn) => turn.id === id)?.seq;
    const answer = turns.find((turn) => turn.answers === seq && turn.erased === undefined)?.text;
    if (changeOf(changes, message)?.type === 'delete') assert.ok(['', answerText(text)].includes(shown.text), id);
    else assert.equal(shown.text, isRefused(text) ? '' : answer, id);
    assert.deepEqual(shown.messageIds, shown.text === '' ? [] : [`${id}.0`]);
    const isTold = isRefused(text) && shown.endings.some((line) => line.type === 'say');
    assert.deepEqual([...shown.said.keys()], isTold ? ['outcome'] : [], id);
    const [last] = shown.endings.slice(-1);
    assert.ok(last, `${id} has ended`);
    ends.push(lines.lastIndexOf(last));
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
