import { z } from 'zod';
import type { Attachment, CommandEvent, DeleteEvent, EditEvent, MessageEvent } from '../../src/event.ts';
import { visitorName } from './names.ts';
import type { OwnPlace, Visitor } from './route.ts';
import type { CommandPost, DeletionPost, EditPost, MessagePost } from './wire.ts';

/** What the page posts, checked, and the events it becomes. */

export const limits = { uploadBytes: 8_000_000, files: 10, textChars: 200_000, nameChars: 60 };

const id = z.string().regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, - or _');
const at = z.number();
const messageId = z.string().min(1).max(300);
const text = z.string().max(limits.textChars, `must have at most ${limits.textChars} characters`);

const uploads = z.array(z.string().max(64)).max(limits.files);

export const messagePost: z.ZodType<MessagePost> = z.object({ id, at, text, uploads });
export const editPost: z.ZodType<EditPost> = z.object({ id, at, messageId, text: text.min(1) });
export const deletionPost: z.ZodType<DeletionPost> = z.object({ id, at, messageId });
export const commandPost: z.ZodType<CommandPost> = z.object({ id, at, line: text, target: messageId.optional() });

export interface Posted {
  id: string;
  at: number;
}

interface From {
  visitor: Visitor;
  place: OwnPlace;
  posted: Posted;
}

/** What begins with a slash orders something, wherever it is typed. */
export function isCommand(message: string): boolean {
  return message.trimStart().startsWith('/');
}

/** Always addressed to the bot: a console has nobody else to speak to. */
export function toMessage(from: From, message: string, attachments: Attachment[]): MessageEvent {
  const { place } = from;
  const { private: isPrivate, name } = place.channel;
  const branched = place.thread === undefined ? {} : { branchedFrom: place.thread.branchedFrom };
  return {
    ...toBase(from),
    ...branched,
    kind: 'message',
    messageId: toEventId(from),
    author: toAuthor(from.visitor),
    text: message,
    to: isPrivate ? 'direct' : 'mention',
    attachments,
    ...(!isPrivate && { place: name }),
  };
}

export function toEdit(from: From, edited: string, newText: string): EditEvent {
  return { ...toBase(from), kind: 'edit', messageId: edited, text: newText };
}

export function toDeletion(from: From, deleted: string): DeleteEvent {
  return { ...toBase(from), kind: 'delete', messageIds: [deleted] };
}

export function toCommand(from: From, line: string, target: string | undefined): CommandEvent {
  const command = { line: line.trim().replace(/^\//, '') };
  const under = target === undefined ? {} : { target };
  return {
    ...toBase(from),
    ...under,
    kind: 'command',
    author: toAuthor(from.visitor),
    command,
    direct: from.place.channel.private,
  };
}

/** Of all that was said in a channel that goes, by whoever may have it go. */
export function toErasure({ channel, by, posted }: Erasure): CommandEvent {
  return {
    id: `${by.id}.${posted.id}`,
    channel: channel.id,
    at: posted.at,
    origin: { person: by.id },
    kind: 'command',
    author: { id: by.id, name: visitorName(by.name, false), admin: true, roles: [] },
    command: { line: 'forget everything confirm' },
    automatic: true,
    direct: channel.private,
  };
}

interface Erasure {
  channel: OwnPlace['channel'];
  by: Visitor['person'];
  posted: Posted;
}

/** Nobody else's ids begin like that: whose message it is can be told from its id. */
export function isOwnMessage({ person }: Visitor, { channel }: OwnPlace, id: string): boolean {
  return isAlone(channel, id) || id.startsWith(`${person.id}.`);
}

/** What one said there before a login was said by the person one was then. */
function isAlone(channel: OwnPlace['channel'], id: string): boolean {
  return channel.private && !id.startsWith('answer:');
}

/** Also of an answer: whose question it answers. */
export function isOwnAnswer({ person }: Visitor, { channel }: OwnPlace, id: string): boolean {
  return channel.private || id.startsWith(`answer:${person.id}.`);
}

function toEventId({ visitor, posted }: From): string {
  return `${visitor.person.id}.${posted.id}`;
}

function toBase(from: From) {
  return {
    id: toEventId(from),
    channel: from.place.id,
    at: from.posted.at,
    origin: { person: from.visitor.person.id },
  };
}

function toAuthor({ person, admin, payer }: Visitor) {
  const name = visitorName(person.name, admin);
  return { id: person.id, name, admin, roles: [], ...(payer !== undefined && { payer }) };
}

/** A browser's clock may be wrong, and a request may be repeated: close to ours, its own time is kept. */
export function plausibleAt(given: number, now: number): number {
  return given > now - behindMs && given < now + aheadMs ? Math.floor(given) : now;
}

const behindMs = 900_000;
const aheadMs = 60_000;
