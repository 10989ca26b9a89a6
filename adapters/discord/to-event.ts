import { createHash } from 'node:crypto';
import type { Attachment, Author, DeleteEvent, EditEvent, MessageEvent } from '../../src/event.ts';
import { type Place, snowflakeMs, toChannel } from './ids.ts';
import { isOwnMention, type Names, shownName, toText } from './text.ts';
import type { WireMember, WireMessage } from './wire.ts';

/** From Discord's packets to the core's events. Nothing here looks anything up or keeps anything. */

export interface Around extends Names {
  /** May a member with these roles manage this server? */
  isAdmin(userId: string, roles: readonly string[]): boolean;
}

const messageTypes = { said: 0, reply: 19 };
const referenceTypes = { forward: 1 };

/** Nothing for bots, webhooks, system messages and ourselves: they are no part of a conversation. */
export function toMessageEvent(message: WireMessage, place: Place, around: Around): MessageEvent | undefined {
  if (!isPersons(message)) return undefined;
  const { author, member, message_reference: reference } = message;
  // A thread is often called by the words of its first message: they could not be taken back from its name.
  const name = around.channel(place.parent ?? place.id);
  const replyTo = reference?.type === referenceTypes.forward ? undefined : reference?.message_id;
  return {
    kind: 'message',
    id: message.id,
    channel: toChannel(place),
    at: snowflakeMs(message.id),
    messageId: message.id,
    author: toAuthor(author, member, around),
    text: toText(message, around),
    to: addressOf(message, place, around),
    attachments: attachmentsOf(message),
    ...(name === undefined ? {} : { place: place.parent === undefined ? name : `${name} (thread)` }),
    ...(replyTo === undefined ? {} : { replyTo }),
    // A thread that was opened on a message has that message's id.
    ...(place.parent === undefined ? {} : { branchedFrom: place.id }),
    origin: {},
  };
}

/** Discord also sends an update when a preview of a link is ready, or a message is pinned: those are no edits. */
export function toEditEvent(message: WireMessage, place: Place, names: Names): EditEvent | undefined {
  if (!isPersons(message)) return undefined;
  const at = Date.parse(message.edited_timestamp ?? '');
  if (Number.isNaN(at)) return undefined;
  const base = { id: `edit:${message.id}:${at}`, channel: toChannel(place), at, origin: {} };
  return { ...base, kind: 'edit', messageId: message.id, text: toText(message, names) };
}

/** A deletion has no time of its own: it takes its newest message's, so that each delivery is the same. */
export function toDeleteEvent(ids: readonly string[], place: Place): DeleteEvent | undefined {
  const messageIds = [...new Set(ids)].sort();
  const [first] = messageIds;
  if (first === undefined) return undefined;
  const many = createHash('sha256').update(messageIds.join()).digest('base64url');
  return {
    kind: 'delete',
    id: messageIds.length === 1 ? `delete:${first}` : `delete:${many}`,
    channel: toChannel(place),
    at: Math.max(...messageIds.map(snowflakeMs)),
    messageIds,
    origin: {},
  };
}

function isPersons(message: WireMessage): boolean {
  const { author, webhook_id: webhook, type } = message;
  const isSaid = type === messageTypes.said || type === messageTypes.reply;
  return isSaid && author.bot !== true && webhook === undefined;
}

function toAuthor(user: WireMessage['author'], member: WireMember | undefined, around: Around): Author {
  const roles = member?.roles ?? [];
  return { id: user.id, name: shownName(user, member), admin: around.isAdmin(user.id, roles), roles };
}

function addressOf(message: WireMessage, place: Place, names: Names): MessageEvent['to'] {
  if (place.guild === undefined) return 'direct';
  if (isOwnMention(message, names)) return 'mention';
  if (message.type === messageTypes.reply && message.referenced_message?.author.id === names.self) return 'reply';
  return place.parent === undefined ? 'none' : 'thread';
}

function attachmentsOf(message: WireMessage): Attachment[] {
  const forwarded = (message.message_snapshots ?? []).flatMap((one) => one.message.attachments);
  return [...message.attachments, ...forwarded].map((one) => ({
    name: one.filename,
    mime: (one.content_type ?? 'application/octet-stream').replace(/;.*/s, '').trim(),
    bytes: one.size,
    source: one.url,
  }));
}
