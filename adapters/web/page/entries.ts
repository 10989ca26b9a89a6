import type { Action } from '../../../src/event.ts';
import type { TurnView } from '../views.ts';
import type { FileView, LiveEvent, LiveMessage, LivePiece, LiveSaid, Person } from '../wire.ts';

/**
 * What a conversation shows, as plain values: turns of the memory and what was told live since then, put together.
 * Everything here is known by its id, so that hearing a thing twice changes nothing.
 */

export type Entry = Message | Answer | Said;

export interface Message {
  kind: 'message';
  id: string;
  at: number;
  person: Person;
  text: string;
  attachments: readonly { name: string; bytes?: number; problem?: string | undefined }[];
  edited: boolean;
  state: 'kept' | 'sending' | 'failed';
  /** Why it could not be sent. */
  problem?: string;
  /** Its place in the memory, once it has one. */
  seq?: number;
  unanswered?: string | undefined;
}

export interface Answer {
  kind: 'answer';
  /** The event it answers. */
  question: string;
  at: number;
  pieces: readonly { id: string; text: string }[];
  done: boolean;
  /** The message it answers, also where a command asked for another answer. */
  answers?: string | undefined;
  /** While nothing is written yet; empty for "I am on it". */
  note?: string;
  actions: readonly Action[];
  /** What its buttons are about. */
  target?: string;
  partial?: string | undefined;
  tools: TurnView['tools'];
  versions: number;
  model?: string | undefined;
  seq?: number;
}

export interface Said {
  kind: 'said';
  id: string;
  question: string;
  at: number;
  text: string;
  private: boolean;
  actions: readonly Action[];
  target?: string | undefined;
  files: readonly FileView[];
}

export function keyOf(entry: Entry): string {
  return entry.kind === 'answer' ? `answer ${entry.question}` : `${entry.kind} ${entry.id}`;
}

export function fromTurns(turns: readonly TurnView[]): Entry[] {
  const questions = new Map(turns.map((turn) => [turn.seq, turn.id]));
  const shown = turns.filter((turn) => !turn.erased);
  return shown.map((turn) => (turn.role === 'user' ? toMessage(turn) : toAnswer(turn, questions)));
}

function toMessage(turn: TurnView): Message {
  return {
    kind: 'message',
    id: turn.id,
    at: turn.at,
    person: { id: turn.author ?? '', name: turn.name ?? '' },
    text: turn.text,
    attachments: turn.attachments,
    edited: turn.edited,
    state: 'kept',
    seq: turn.seq,
    unanswered: turn.unanswered,
  };
}

function toAnswer(turn: TurnView, questions: ReadonlyMap<number, string>): Answer {
  const [post] = turn.posts;
  const asked = questions.get(turn.answers ?? -1);
  return {
    kind: 'answer',
    question: questionOf(post) ?? asked ?? turn.id,
    answers: asked,
    at: turn.at,
    pieces: [{ id: post ?? turn.id, text: turn.text }],
    done: true,
    actions: [],
    target: post ?? turn.id,
    partial: turn.partial,
    tools: turn.tools,
    versions: turn.versions,
    model: turn.model,
    seq: turn.seq,
  };
}

/** Of `answer:{event}:{index}`. */
function questionOf(post: string | undefined): string | undefined {
  return /^answer:(.+):\d+$/.exec(post ?? '')?.[1];
}

/** `soft`: something was added. `hard`: what is not in the memory is not there. */
export type Renewal = 'soft' | 'hard';

/** The newest turns, as the memory has them now, in place of those shown. */
export function renewed(before: readonly Entry[], turns: readonly TurnView[], renewal: Renewal): Entry[] {
  const fresh = withActions(fromTurns(turns), before);
  const first = turns[0]?.seq ?? Number.POSITIVE_INFINITY;
  const older = renewal === 'soft' ? before.filter((entry) => 'seq' in entry && entry.seq < first) : [];
  const known = new Set(fresh.map(keyOf));
  const extra = before.filter((entry) => {
    if (known.has(keyOf(entry))) return false;
    if (entry.kind === 'said') return true;
    if (entry.kind === 'message' && entry.state !== 'kept') return true;
    return renewal === 'soft' && !('seq' in entry);
  });
  return extra.reduce(inserted, [...older, ...fresh]);
}

function inserted(entries: Entry[], entry: Entry): Entry[] {
  const at = entries.findIndex((other) => other.at > entry.at);
  return at === -1 ? [...entries, entry] : entries.toSpliced(at, 0, entry);
}

/** Older turns, put before those shown; what was told live of them before takes its place among them. */
export function withEarlier(before: readonly Entry[], turns: readonly TurnView[]): Entry[] {
  const fresh = withActions(fromTurns(turns), before);
  const known = new Set(fresh.map(keyOf));
  const rest = before.filter((entry) => !known.has(keyOf(entry)));
  const placed = rest.filter((entry) => isPlaced(entry));
  return rest.filter((entry) => !isPlaced(entry)).reduce(inserted, [...fresh, ...placed]);
}

/** Its place in the memory is known. */
function isPlaced(entry: Entry): boolean {
  return entry.kind !== 'said' && entry.seq !== undefined;
}

/** What is offered under an answer is not in the memory. */
function withActions(fresh: Entry[], before: readonly Entry[]): Entry[] {
  const actions = new Map(before.map((entry) => [keyOf(entry), entry.kind === 'answer' ? entry.actions : []]));
  return fresh.map((entry) =>
    entry.kind === 'answer' ? { ...entry, actions: actions.get(keyOf(entry)) ?? [] } : entry,
  );
}

/**
 * The failures of questions, each with its question and no longer beside it; of those that were answered since nothing
 * is shown.
 */
export function withFailures(entries: readonly Entry[]): { shown: readonly Entry[]; failures: Map<Entry, Said> } {
  const failures = new Map<Entry, Said>();
  const questions = new Map<string, Message>();
  const answeredAt = new Map<string, number>();
  let newest: Message | undefined;
  for (const entry of entries) {
    if (entry.kind === 'message') questions.set(entry.id, entry);
    if (entry.kind === 'message' && entry.unanswered !== undefined) newest = entry;
    if (entry.kind === 'answer' && entry.done && entry.answers !== undefined) answeredAt.set(entry.answers, entry.at);
  }
  const shown = entries.filter((entry) => {
    if (entry.kind !== 'said' || !isFailure(entry)) return true;
    const message = entry.target ?? (isRetriable(entry) ? newest?.id : undefined);
    const lastAnswer = message === undefined && isRetriable(entry) ? Math.max(0, ...answeredAt.values()) : 0;
    if ((answeredAt.get(message ?? '') ?? lastAnswer) > entry.at) return false;
    const question = questions.get(message ?? '');
    if (question?.unanswered === undefined) return true;
    failures.set(question, entry);
    return false;
  });
  return { shown, failures };
}

/** A command that asks for another answer names its question only where a button asked. */
function isRetriable({ actions }: Said): boolean {
  return actions.some(({ command }) => command === 'retry');
}

/** What ended a question instead of an answer. */
function isFailure({ id, text }: Said): boolean {
  return id.endsWith(':outcome') && /^(⚠️|⏹️)/.test(text);
}

/** One live event; what is about something else than the conversation changes nothing. */
export function applied(entries: readonly Entry[], event: LiveEvent): readonly Entry[] {
  switch (event.type) {
    case 'message':
      return put(entries, toLiveMessage(event.message));
    case 'edited':
      return changed(entries, `message ${event.id}`, (entry) =>
        entry.kind === 'message' ? { ...entry, text: event.text, edited: true } : entry,
      );
    case 'deleted':
      return entries.filter((entry) => !idsOf(entry).some((id) => event.ids.includes(id)));
    case 'progress':
      return withProgress(entries, event.question, event.note);
    case 'piece':
      return withPiece(entries, event.piece);
    case 'append':
      return entries.map((entry) => (entry.kind === 'answer' ? appended(entry, event) : entry));
    case 'withdrawn':
      return entries.filter((entry) => entry.kind !== 'answer' || entry.question !== event.question);
    case 'said':
      return put(withoutWaiting(entries, event.said.question), toSaid(event.said));
    case 'memory':
    case 'channels':
    case 'reload':
      return entries;
  }
}

function toLiveMessage({ id, at, person, text, attachments }: LiveMessage): Message {
  return { kind: 'message', id, at, person, text, attachments, edited: false, state: 'kept' };
}

function toSaid(said: LiveSaid): Said {
  return { kind: 'said', ...said };
}

export function put(entries: readonly Entry[], entry: Entry): Entry[] {
  const key = keyOf(entry);
  const at = entries.findIndex((other) => keyOf(other) === key);
  if (at === -1) return [...entries, entry];
  const there = entries[at];
  const known = there?.kind === 'message' && there.seq !== undefined ? { seq: there.seq } : {};
  return entries.with(at, entry.kind === 'message' ? { ...entry, ...known } : entry);
}

function changed(entries: readonly Entry[], key: string, change: (entry: Entry) => Entry): Entry[] {
  return entries.map((entry) => (keyOf(entry) === key ? change(entry) : entry));
}

export function without(entries: readonly Entry[], key: string): Entry[] {
  return entries.filter((entry) => keyOf(entry) !== key);
}

/** What a deletion may name of it. */
function idsOf(entry: Entry): string[] {
  switch (entry.kind) {
    case 'message':
      return [entry.id];
    case 'answer':
      return entry.pieces.map(({ id }) => id);
    case 'said':
      return [];
  }
}

function newAnswer(question: string, at: number): Answer {
  return { kind: 'answer', question, at, pieces: [], done: false, note: '', actions: [], tools: [], versions: 1 };
}

function withProgress(entries: readonly Entry[], question: string, note: string): readonly Entry[] {
  const key = `answer ${question}`;
  const there = entries.find((entry) => keyOf(entry) === key);
  if (there?.kind === 'answer' && there.done) return entries;
  const at = there?.at ?? entries.at(-1)?.at ?? 0;
  return put(entries, { ...(there?.kind === 'answer' ? there : newAnswer(question, at)), note });
}

/** "I am on it" is over; an answer that has begun stays. */
function withoutWaiting(entries: readonly Entry[], question: string): readonly Entry[] {
  return entries.filter((entry) => entry.kind !== 'answer' || entry.question !== question || entry.pieces.length > 0);
}

function withPiece(entries: readonly Entry[], piece: LivePiece): Entry[] {
  const key = `answer ${piece.question}`;
  const there = entries.find((entry) => keyOf(entry) === key);
  const { note: _over, ...answer } = there?.kind === 'answer' ? there : newAnswer(piece.question, piece.at);
  const pieces = [...answer.pieces];
  pieces[piece.index] = { id: piece.id, text: piece.text };
  if (piece.last) pieces.length = piece.index + 1;
  const filled = Array.from(pieces, (each) => each ?? { id: '', text: '' });
  return put(entries, {
    ...answer,
    at: there === undefined ? piece.at : answer.at,
    pieces: filled,
    done: piece.last && piece.done,
    actions: piece.actions,
    target: piece.target,
    answers: piece.target,
  });
}

function appended(answer: Answer, { id, from, text }: { id: string; from: number; text: string }): Answer {
  if (!answer.pieces.some((piece) => piece.id === id)) return answer;
  const pieces = answer.pieces.map((piece) =>
    piece.id === id ? { id, text: piece.text.slice(0, from) + text } : piece,
  );
  return { ...answer, pieces };
}
