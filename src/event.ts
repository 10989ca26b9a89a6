import { z } from 'zod';

/**
 * The seam between the platforms and the core. An adapter turns what its platform sends into an `Event`, hands it to
 * its `Intake` and waits: only when `accept` has resolved is the event durable, and only then may the platform be told
 * so. The core answers through a `Reply` that the adapter's `Surface` makes from the event alone, so that an event found
 * in the inbox after a crash is answered like any other.
 */

/** `{platform}/{workspace}/{channel}[/{thread}]`, each part percent-escaped. */
export type ChannelId = string & { readonly brand: 'ChannelId' };

export interface ChannelParts {
  platform: string;
  workspace: string;
  channel: string;
  thread?: string;
}

export function toChannelId(parts: ChannelParts): ChannelId {
  const { platform, workspace, channel, thread } = parts;
  const all = thread === undefined ? [platform, workspace, channel] : [platform, workspace, channel, thread];
  return all.map(escapePart).join('/') as ChannelId;
}

export function channelParts(id: ChannelId): ChannelParts {
  const [platform = '', workspace = '', channel = '', thread] = id.split('/').map(decodeURIComponent);
  return thread === undefined ? { platform, workspace, channel } : { platform, workspace, channel, thread };
}

/** The channel a thread stands in; nothing for a channel. */
export function parentChannel(id: ChannelId): ChannelId | undefined {
  const parts = id.split('/');
  return parts.length === 4 ? (parts.slice(0, 3).join('/') as ChannelId) : undefined;
}

/** Keys are joined by `:` and ids by `/`: neither may stand in a part. A lone surrogate has no percent form. */
function escapePart(part: string): string {
  return encodeURIComponent(part.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
}

const channelIdSchema = z
  .string()
  .regex(/^[^/:\s]+(\/[^/:\s]+){2,3}$/)
  .transform((text) => text as ChannelId);

const authorSchema = z.object({
  id: z.string(),
  /** As shown on the platform; data, never trusted. */
  name: z.string(),
  /** What the platform says of the person here: may they manage this server or workspace? */
  admin: z.boolean(),
  roles: z.array(z.string()),
  /** Whose daily budget pays, where it is not the person's own; people who share it share the budget. */
  payer: z.string().max(200).optional(),
  /** Which platform's id it is, where not the channel's: of who gives a command on a channel from elsewhere. */
  platform: z.string().max(100).optional(),
});

const attachmentSchema = z.object({
  name: z.string(),
  mime: z.string(),
  bytes: z.number(),
  /** What the adapter needs to fetch it; opaque to the core. */
  source: z.string(),
  /** Keys on the adapter's shelf of what it keeps of the file: emptied in the commit that ends the event. */
  shelved: z.array(z.string()).optional(),
});

const base = {
  /** The same for every delivery of the same thing, so that a redelivery is known. Unique within the channel. */
  id: z.string(),
  channel: channelIdSchema,
  /** When it happened by the platform's clock, ms since 1970; the same for every delivery. A time that a date can have. */
  at: z.number().min(0).max(8.64e15),
};

/** Opaque to the core: what the adapter needs to answer this event, also after a restart. */
const origin = z.record(z.string(), z.string());

const messageSchema = z.object({
  ...base,
  kind: z.literal('message'),
  messageId: z.string(),
  author: authorSchema,
  text: z.string(),
  /**
   * How the bot is addressed. `direct`: between this person and the bot alone. `thread`, `group`: said without a mention
   * in a thread, or in a closed group that the bot is a member of; the conversation decides by who takes part. `none`:
   * overheard.
   */
  to: z.enum(['direct', 'mention', 'reply', 'thread', 'group', 'none']),
  /** Said in a closed group: of no concern to anybody outside. */
  private: z.boolean().optional(),
  attachments: z.array(attachmentSchema),
  replyTo: z.string().optional(),
  /** How the platform shows the channel's name, where it is known. */
  place: z.string().optional(),
  /** In a thread: the parent channel's message it hangs from. */
  branchedFrom: z.string().optional(),
  origin,
});

const editSchema = z.object({ ...base, kind: z.literal('edit'), messageId: z.string(), text: z.string(), origin });

const deleteSchema = z.object({ ...base, kind: z.literal('delete'), messageIds: z.array(z.string()), origin });

const commandSchema = z.object({
  ...base,
  kind: z.literal('command'),
  author: authorSchema,
  /** As typed after the slash, or as the platform's own options gave it. */
  command: z.union([
    z.object({ line: z.string() }),
    z.object({ path: z.array(z.string()), options: z.record(z.string(), z.string()) }),
  ]),
  /** For a button: the message of the bot's it stands under. */
  target: z.string().optional(),
  direct: z.boolean(),
  /** Given by the adapter itself, as when a channel of its own is deleted: who may give commands does not matter. */
  automatic: z.boolean().optional(),
  /** Where it was given, a conversation can be printed role by role. */
  prints: z.boolean().optional(),
  origin,
});

export const eventSchema = z.discriminatedUnion('kind', [messageSchema, editSchema, deleteSchema, commandSchema]);

export type Author = z.infer<typeof authorSchema>;
export type Attachment = z.infer<typeof attachmentSchema>;
export type MessageEvent = z.infer<typeof messageSchema>;
export type EditEvent = z.infer<typeof editSchema>;
export type DeleteEvent = z.infer<typeof deleteSchema>;
export type CommandEvent = z.infer<typeof commandSchema>;
export type Event = z.infer<typeof eventSchema>;

/** The platform that the author's id belongs to. */
export function platformOf(author: Pick<Author, 'platform'>, channel: ChannelId): string {
  return author.platform ?? channelParts(channel).platform;
}

const actionSchema = z.object({
  label: z.string(),
  /** The command it stands for, as typed after the slash. */
  command: z.string(),
});

/** A button where the platform has them, a line saying what to type where it has none. */
export type Action = z.infer<typeof actionSchema>;

const fileSchema = z.object({
  name: z.string(),
  mime: z.string(),
  content: z.string(),
  /** Absent: `content` is the text itself. */
  encoding: z.literal('base64').optional(),
});

const transcriptSchema = z.array(z.object({ role: z.enum(['system', 'user', 'assistant', 'tool']), text: z.string() }));

export const noticeSchema = z.object({
  text: z.string(),
  /** A conversation that belongs to it, only for an event that `prints`. */
  transcript: transcriptSchema.optional(),
  /** Only the person who asked should see it, as far as the platform can do that. */
  private: z.boolean(),
  actions: z.array(actionSchema),
  files: z.array(fileSchema),
});

export type Notice = z.infer<typeof noticeSchema>;

/** One message of an answer. The pieces, joined, are the answer. */
export interface Piece {
  index: number;
  /** All of the piece as it stands now, not what was added. */
  text: string;
  /** The piece will not change any more. */
  done: boolean;
  /** The answer ends with this piece; no write follows. */
  last: boolean;
  /** To be offered under it; replaces what was offered before. */
  actions: Action[];
}

/** How the core answers one event. */
export interface Reply {
  readonly limits: { pieceChars: number; minEditMs: number };
  /**
   * "I am on it", with a few words where something takes long or a tool is called. Harmless when repeated, gone when the
   * answer stands.
   */
  progress(note: string, about?: 'tool'): Promise<void>;
  /**
   * Makes a piece of the answer stand as given: posts it the first time, edits it afterwards; returns the platform's
   * message id. Idempotent: after a crash the message posted before is found and edited, never posted again. With the
   * last piece, messages of an earlier attempt that stand beyond it are taken back.
   */
  write(piece: Piece): Promise<string>;
  /** Says something beside the answer: a command's result, an error, a warning. `key` makes a repetition harmless. */
  say(key: string, notice: Notice): Promise<void>;
  /** Takes back what was posted, because the question is gone. Harmless where nothing was. */
  withdraw(): Promise<void>;
  /**
   * No more of this event follows: what was shown while it was awaited goes. `unfinished`: an answer that was begun is
   * given up; what stands of it says so in these words. Harmless when repeated.
   */
  end(unfinished?: string): Promise<void>;
}

/** What an adapter gives the core when it opens its intake. */
export interface Surface {
  /** `posted`: the message ids of the pieces known to stand already, by index. */
  reply(event: Event, posted: readonly string[]): Reply;
  fetch(attachment: Attachment, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Where people can open a message, if it has an address. `repliesTo`: the message that one of the bot's own replies
   * to, under which some platforms show it.
   */
  link(channel: ChannelId, messageId: string, repliesTo?: string): string | undefined;
}

export interface Intake {
  /**
   * Resolves when the event is durable. `known`: it was accepted before, and nothing more will happen. `ignored`: it was
   * only overheard, where nobody wants that remembered; nothing is kept of it.
   */
  accept(event: Event): Promise<'accepted' | 'known' | 'ignored'>;
  /** When something last came from each channel before this intake was opened, for fetching what was missed. */
  lastSeen(): ReadonlyMap<ChannelId, number>;
}

/** Where people can open a message of any platform, if it has an address. */
export type LinkTo = Surface['link'];

export type OpenIntake = (platform: string, surface: Surface) => Promise<Intake>;

/**
 * An adapter says so how it answers for an error that nobody caught: true where it is its library's, and its line is being
 * restored.
 */
export type OnStray = (claim: (error: unknown) => boolean) => void;

export interface Adapter {
  readonly name: string;
  /** The truth, now: could a message sent this moment be answered? */
  health(): { ready: boolean; detail: string };
  /** Takes nothing more in; answers may still go out. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The text without the mentions that are the bot's own: they say who is meant, and are no part of what is said. The
 * blanks around one become a single blank, or none at the beginning of a line. They are trimmed by hand, as an
 * expression with blanks on both sides takes quadratic time for a text of blanks.
 */
export function withoutOwnMentions(
  text: string,
  mentions: RegExp,
  isOwn: (mention: RegExpExecArray) => boolean,
): string {
  const parts: string[] = [];
  let start = 0;
  for (const mention of text.matchAll(mentions)) {
    if (!isOwn(mention)) continue;
    parts.push(text.slice(start, mention.index));
    start = mention.index + mention[0].length;
  }
  let isLineStart = true;
  return [...parts, text.slice(start)]
    .map((part, index) => {
      const said = withoutOuterBlanks(part, index > 0, index < parts.length);
      const gap = index === 0 || isLineStart ? '' : ' ';
      if (said !== '') isLineStart = said.endsWith('\n');
      return gap + said;
    })
    .join('');
}

function withoutOuterBlanks(text: string, before: boolean, after: boolean): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let start = 0;
  let end = text.length;
  while (before && start < end && isBlank(start)) start++;
  while (after && end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}
