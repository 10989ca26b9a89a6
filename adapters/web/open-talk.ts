import type { ChannelId, Event, MessageEvent, Notice, Piece } from '../../src/event.ts';
import { familyOf } from './live.ts';
import type { FileView, LiveEvent, LiveMessage, LivePiece, LiveSaid } from './wire.ts';

/**
 * What is being talked about and not, or not long, in the memory yet: questions that wait, answers as far as they are
 * written, what was said beside them. Each change gives the event that tells of it; all of it together is what a
 * reader is shown who begins now.
 */
export interface OpenTalk {
  /** Nothing where it is told already. */
  message(event: MessageEvent): LiveEvent | undefined;
  edited(channel: ChannelId, id: string, text: string): LiveEvent;
  deleted(channel: ChannelId, ids: readonly string[]): LiveEvent;
  progress(event: Event, note: string): LiveEvent;
  piece(event: Event, piece: Piece): LiveEvent;
  said(event: Event, key: string, notice: Notice, files: FileView[]): LiveEvent;
  withdrawn(event: Event): LiveEvent;
  /** As this person may see it. */
  of(channel: ChannelId, person: string): LiveEvent[];
  /** What is ended, and what commands have told of the memory, must not be shown again: it has changed behind them. */
  settle(channel: ChannelId): void;
  /** Nothing of it is left. */
  drop(channel: ChannelId): void;
}

interface Question {
  channel: ChannelId;
  id: string;
  message: LiveMessage | undefined;
  note: string | undefined;
  pieces: LivePiece[];
  /** When its end came; nothing while it is open. */
  endedAt: number | undefined;
}

interface Remark {
  channel: ChannelId;
  said: LiveSaid;
  only: string | undefined;
  /** It may repeat what the memory had: the result of a command. */
  isResult: boolean;
}

interface Family {
  questions: Map<string, Question>;
  remarks: Map<string, Remark>;
}

/** The memory has what ended before that. */
const endedMs = 60_000;
const remarkMs = 600_000;
const maxQuestions = 60;
const maxRemarks = 20;
const maxGone = 2_000;

export function createOpenTalk(now: () => number): OpenTalk {
  const families = new Map<ChannelId, Family>();
  /** Deleted, perhaps before their turn came: they are not told of when it comes. */
  const gone = new Set<string>();

  function family(channel: ChannelId): Family {
    const id = familyOf(channel);
    const found = families.get(id) ?? { questions: new Map(), remarks: new Map() };
    families.set(id, found);
    return found;
  }

  function question(event: Event): Question {
    const { questions } = family(event.channel);
    const key = keyOf(event.channel, event.id);
    const made = { channel: event.channel, id: event.id, message: undefined, note: undefined, pieces: [] };
    const found = questions.get(key) ?? { ...made, endedAt: undefined };
    questions.set(key, found);
    sweep(questions, now());
    return found;
  }

  return {
    message(event) {
      if (gone.has(keyOf(event.channel, event.messageId))) return undefined;
      const one = question(event);
      if (one.message !== undefined) return undefined;
      one.message = toLiveMessage(event);
      return { type: 'message', channel: event.channel, message: one.message };
    },

    edited(channel, id, text) {
      for (const one of family(channel).questions.values()) {
        if (one.message?.id === id) one.message = { ...one.message, text };
      }
      return { type: 'edited', channel, id, text };
    },

    deleted(channel, ids) {
      for (const id of ids) gone.add(keyOf(channel, id));
      const [oldest] = gone;
      if (gone.size > maxGone && oldest !== undefined) gone.delete(oldest);
      const { questions } = family(channel);
      for (const [key, one] of questions) if (idsOf(one).some((id) => ids.includes(id))) questions.delete(key);
      return { type: 'deleted', channel, ids };
    },

    progress(event, note) {
      const one = question(event);
      one.note = note;
      one.endedAt = undefined;
      return { type: 'progress', channel: event.channel, question: event.id, note };
    },

    piece(event, { index, text, done, last, actions }) {
      const one = question(event);
      const before = one.pieces[index];
      const at = before?.at ?? now();
      const id = pieceId(event, index);
      const target = questionOf(event) ?? id;
      const after: LivePiece = { question: event.id, id, index, at, text, done, last, actions, target };
      one.pieces[index] = after;
      if (last) one.pieces.length = index + 1;
      one.endedAt = last ? now() : undefined;
      return toPieceEvent(event.channel, before, after);
    },

    said(event, key, { text, private: isPrivate, actions }, files) {
      const one = question(event);
      one.endedAt = now();
      const id = `said:${event.id}:${key}`;
      const { remarks } = family(event.channel);
      const at = remarks.get(id)?.said.at ?? now();
      const target = questionOf(event);
      const said = { id, question: event.id, at, text, private: isPrivate, actions, target, files };
      const only = isPrivate ? askerOf(event) : undefined;
      remarks.delete(id);
      remarks.set(id, { channel: event.channel, said, only, isResult: event.kind === 'command' });
      const [oldest] = remarks.keys();
      if (remarks.size > maxRemarks && oldest !== undefined) remarks.delete(oldest);
      return { type: 'said', channel: event.channel, said };
    },

    withdrawn(event) {
      family(event.channel).questions.delete(keyOf(event.channel, event.id));
      return { type: 'withdrawn', channel: event.channel, question: event.id };
    },

    of(channel, person) {
      const known = families.get(familyOf(channel));
      if (known === undefined) return [];
      const { questions, remarks } = known;
      sweep(questions, now());
      const open = [...questions.values()].flatMap(toEvents);
      const said = [...remarks.values()].flatMap((one): LiveEvent[] => {
        const isOld = now() - one.said.at > remarkMs;
        const isTheirs = one.only === undefined || one.only === person;
        return isOld || !isTheirs ? [] : [{ type: 'said', channel: one.channel, said: one.said }];
      });
      return [...open, ...said];
    },

    settle(channel) {
      const known = families.get(familyOf(channel));
      if (known === undefined) return;
      for (const [key, one] of known.questions) if (one.endedAt !== undefined) known.questions.delete(key);
      for (const [key, one] of known.remarks) if (one.isResult) known.remarks.delete(key);
    },

    drop(channel) {
      families.delete(familyOf(channel));
    },
  };
}

function idsOf({ message, pieces }: Question): string[] {
  return [...(message === undefined ? [] : [message.id]), ...pieces.map((piece) => piece.id)];
}

/** The message that is answered, also where a button asked for another answer. */
function questionOf(event: Event): string | undefined {
  if (event.kind === 'message') return event.messageId;
  return event.kind === 'command' ? event.target : undefined;
}

/** Who asked: whom a private notice is for. */
export function askerOf(event: Event): string {
  return event.origin.person ?? '';
}

export function pieceId(event: Event, index: number): string {
  return `answer:${event.id}:${index}`;
}

function sweep(questions: Map<string, Question>, now: number): void {
  for (const [key, one] of questions) {
    if (one.endedAt !== undefined && now - one.endedAt > endedMs) questions.delete(key);
  }
  for (const key of questions.keys()) {
    if (questions.size <= maxQuestions) return;
    questions.delete(key);
  }
}

function toEvents({ channel, id, message, note, pieces, endedAt }: Question): LiveEvent[] {
  const events: LiveEvent[] = message === undefined ? [] : [{ type: 'message', channel, message }];
  for (const piece of pieces) if (piece !== undefined) events.push({ type: 'piece', channel, piece });
  const isWaiting = endedAt === undefined && pieces.length === 0 && note !== undefined;
  if (isWaiting) events.push({ type: 'progress', channel, question: id, note });
  return events;
}

/** A long answer that grows is not sent over and over again. */
function toPieceEvent(channel: ChannelId, before: LivePiece | undefined, after: LivePiece): LiveEvent {
  const isSame =
    before !== undefined &&
    before.done === after.done &&
    before.last === after.last &&
    JSON.stringify(before.actions) === JSON.stringify(after.actions);
  if (!isSame || !after.text.startsWith(before.text)) return { type: 'piece', channel, piece: after };
  const from = before.text.length;
  return { type: 'append', channel, id: after.id, from, text: after.text.slice(from) };
}

function toLiveMessage({ messageId, at, author, text, attachments }: MessageEvent): LiveMessage {
  const files = attachments.map(({ name, mime, bytes }) => ({ name, mime, bytes }));
  return { id: messageId, at, person: { id: author.id, name: author.name }, text, attachments: files };
}

function keyOf(channel: ChannelId, id: string): string {
  return `${channel}:${id}`;
}
