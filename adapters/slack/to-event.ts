import type { Attachment, Author, DeleteEvent, EditEvent, MessageEvent } from '../../src/event.ts';
import { isDirect, threadOf, toChannel, tsMs } from './ids.ts';
import { isForwarded, isOwnMention, type Names, toText } from './text.ts';
import type { WireChange, WireDeletion, WireMessage } from './wire.ts';
import { asCommand } from './words.ts';

/** From Slack's events to the core's. Nothing here looks anything up or keeps anything. */

export interface Around extends Names {
  team: string;
  /** True for a group's direct messages; undefined when that is not known. */
  isGroup(channel: string): boolean | undefined;
}

/** The others are notices of Slack's own, and what bots and integrations say. */
const spokenSubtypes = [undefined, 'file_share', 'thread_broadcast', 'me_message'];
const slackbot = 'USLACKBOT';

export function isPersons(message: Pick<WireMessage, 'user' | 'bot_id' | 'subtype'>, self: string): boolean {
  const { user, bot_id: bot, subtype } = message;
  return (
    user !== undefined && bot === undefined && user !== self && user !== slackbot && spokenSubtypes.includes(subtype)
  );
}

/** A mention comes twice, as a mention and as a message: both are the same event. */
export function toMessageEvent(message: WireMessage, author: Author, around: Around): MessageEvent | undefined {
  if (!isPersons(message, around.self)) return undefined;
  const thread = threadOf(message);
  const name = around.channel(message.channel);
  return {
    kind: 'message',
    id: message.ts,
    channel: toChannel(around.team, { channel: message.channel, thread }),
    at: tsMs(message.ts),
    messageId: message.ts,
    author,
    text: asCommand(toText(message, around)),
    to: addressOf(message, thread, around),
    // An unknown channel counts as private until it is known.
    ...(isOfGroup(message, around) !== false && !isOfOne(message) ? { private: true } : {}),
    attachments: attachmentsOf(message),
    ...(name === undefined ? {} : { place: thread === undefined ? name : `${name} (thread)` }),
    // A thread has the id of the message that it hangs from.
    ...(thread === undefined ? {} : { branchedFrom: thread }),
    origin: { team: message.user_team ?? message.team ?? around.team },
  };
}

/** Slack also says that a message has changed when it has looked at a link in it: that is no edit. */
export function toEditEvent({ channel, message, previous_message: before }: WireChange, around: Around) {
  if (!isPersons(message, around.self) || message.edited === undefined) return undefined;
  if (before?.edited?.ts === message.edited.ts || before?.text === message.text) return undefined;
  const edit: EditEvent = {
    kind: 'edit',
    id: `edit:${message.ts}:${message.edited.ts}`,
    channel: toChannel(around.team, { channel, thread: threadOf(message) }),
    at: tsMs(message.edited.ts),
    messageId: message.ts,
    text: toText(message, around),
    origin: {},
  };
  return edit;
}

/** A message with replies is not deleted: it changes into a tombstone. */
export function isTombstone({ message }: WireChange): boolean {
  return message.subtype === 'tombstone';
}

/**
 * An answer stands in a thread whether it belongs to the channel's conversation or to the thread's: when one of ours is
 * deleted, both are told.
 */
export function toDeleteEvents(
  deletion: Pick<WireDeletion, 'channel' | 'deleted_ts' | 'previous_message'>,
  around: Pick<Around, 'team' | 'self'>,
): DeleteEvent[] {
  const { channel, deleted_ts: ts, previous_message: before } = deletion;
  const thread = threadOf({ ts, thread_ts: before?.thread_ts });
  const places = [{ channel, thread }];
  if (before?.user === around.self && thread !== undefined) places.push({ channel, thread: undefined });
  return places.map((place) => ({
    kind: 'delete',
    id: `delete:${ts}`,
    channel: toChannel(around.team, place),
    at: tsMs(ts),
    messageIds: [ts],
    origin: {},
  }));
}

function addressOf(message: WireMessage, thread: string | undefined, around: Around): MessageEvent['to'] {
  if (isOfOne(message)) return 'direct';
  if (isOwnMention(message.text, around.self)) return 'mention';
  if (thread !== undefined) return 'thread';
  return isOfGroup(message, around) === true ? 'group' : 'none';
}

function isOfOne({ channel, channel_type: type }: WireMessage): boolean {
  return type === 'im' || isDirect(channel);
}

/** A mention's own event, and what is read later, do not say of what kind the channel is. */
function isOfGroup({ channel, channel_type: type }: WireMessage, around: Around): boolean | undefined {
  return type === undefined ? around.isGroup(channel) : type === 'mpim';
}

function attachmentsOf({ files = [], attachments = [] }: WireMessage): Attachment[] {
  const forwarded = attachments.filter(isForwarded).flatMap((one) => one.files ?? []);
  return [...files, ...forwarded].map((file) => ({
    name: file.name ?? 'file',
    mime: file.mimetype ?? 'application/octet-stream',
    bytes: file.size ?? 0,
    source: file.url_private_download ?? file.url_private ?? '',
  }));
}
