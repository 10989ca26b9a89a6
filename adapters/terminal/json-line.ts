import { z } from 'zod';
import { type Event, toChannelId } from '../../src/event.ts';

/** The last moment a date can have. */
const latest = 8.64e15;

const where = {
  /** The same for every delivery of the same thing, as is its `at`; so a repetition is known. Else each line is new. */
  id: z.string().min(1).optional(),
  channel: z.string().min(1),
  thread: z.string().min(1).optional(),
  /** Milliseconds since 1970; where there is no id, by default the moment the line is read. */
  at: z.number().int().nonnegative().max(latest).optional(),
};

const author = z.strictObject({
  id: z.string().min(1),
  name: z.string().optional(),
  admin: z.boolean().default(false),
  roles: z.array(z.string()).default([]),
});

const attachment = z
  .strictObject({ name: z.string(), mime: z.string(), base64: z.string() })
  .refine(({ base64 }) => isBase64(base64), { error: 'must be base64', path: ['base64'] });

const message = z.strictObject({
  ...where,
  type: z.literal('message'),
  author,
  text: z.string(),
  /** By default the event's id. */
  messageId: z.string().min(1).optional(),
  /** How the bot is addressed; `thread` and `none` may stay without an answer. */
  to: z.enum(['direct', 'mention', 'reply', 'thread', 'none']).default('mention'),
  replyTo: z.string().optional(),
  branchedFrom: z.string().optional(),
  attachments: z.array(attachment).default([]),
});

const edit = z.strictObject({ ...where, type: z.literal('edit'), messageId: z.string().min(1), text: z.string() });

const deletion = z.strictObject({
  ...where,
  type: z.literal('delete'),
  messageIds: z.array(z.string().min(1)).min(1),
});

const command = z.strictObject({
  ...where,
  type: z.literal('command'),
  author,
  /** As it would be typed, with or without its slash. */
  text: z.string(),
  /** `direct`: between this person and the bot alone. */
  to: z.enum(['direct', 'mention']).default('mention'),
  /** The message of the bot's whose button was pressed. */
  target: z.string().optional(),
});

const inputSchema = z.discriminatedUnion('type', [message, edit, deletion, command]);

export type InputLine = { kind: 'event'; event: Event } | { kind: 'problem'; message: string } | { kind: 'empty' };

export function parseLine(text: string | undefined, given: { now: number; newId: () => string }): InputLine {
  if (text === undefined) return { kind: 'problem', message: 'the line is too long' };
  if (text.trim() === '') return { kind: 'empty' };
  const json = toJson(text);
  if (json === undefined) return { kind: 'problem', message: 'the line is not JSON' };
  const parsed = inputSchema.safeParse(json);
  if (parsed.success) {
    const { id = given.newId(), at = given.now } = parsed.data;
    if (parsed.data.id === undefined || parsed.data.at !== undefined) {
      return { kind: 'event', event: toEvent(parsed.data, id, at) };
    }
    return { kind: 'problem', message: 'at: needed beside an id, and the same at each delivery' };
  }
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the line'}: ${message}`);
  return { kind: 'problem', message: problems.join('; ') };
}

function toEvent(line: z.output<typeof inputSchema>, id: string, at: number): Event {
  const { channel, thread } = line;
  const parts = { platform: 'lines', workspace: 'local', channel };
  const base = { id, channel: toChannelId(thread === undefined ? parts : { ...parts, thread }), at, origin: {} };
  switch (line.type) {
    case 'message':
      return {
        ...base,
        kind: 'message',
        messageId: line.messageId ?? id,
        author: toAuthor(line.author),
        text: line.text,
        to: line.to,
        attachments: line.attachments.map(({ name, mime, base64 }) => ({
          name,
          mime,
          bytes: Buffer.byteLength(base64, 'base64'),
          source: base64,
        })),
        ...(line.replyTo === undefined ? {} : { replyTo: line.replyTo }),
        ...(line.branchedFrom === undefined ? {} : { branchedFrom: line.branchedFrom }),
      };
    case 'edit':
      return { ...base, kind: 'edit', messageId: line.messageId, text: line.text };
    case 'delete':
      return { ...base, kind: 'delete', messageIds: line.messageIds };
    case 'command':
      return {
        ...base,
        kind: 'command',
        author: toAuthor(line.author),
        command: { line: line.text.replace(/^\//, '') },
        direct: line.to === 'direct',
        ...(line.target === undefined ? {} : { target: line.target }),
      };
  }
}

function toAuthor(given: z.output<typeof author>) {
  return { ...given, name: given.name ?? given.id };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON text means `undefined`
  }
}

/** Not by a pattern: one over megabytes of text would exhaust the stack. */
function isBase64(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return withoutPadding(bytes.toString('base64')) === withoutPadding(text);
}

function withoutPadding(text: string): string {
  return text.replace(/(?<!=)=+$/, '');
}
