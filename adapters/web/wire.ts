import type { Action, ChannelId } from '../../src/event.ts';
import type {
  AuditTrail,
  ChannelView,
  CommandHelp,
  Inspection,
  MemoryChange,
  PresetHelp,
  PromptView,
  TurnView,
  UsageReport,
} from './views.ts';

/** The JSON between the console's server and its page. Refusals and failures of every route are a `Problem`. */

export interface Problem {
  /** One sentence to be shown, without a mark in front of it. */
  problem: string;
}

export interface Person {
  id: string;
  name: string;
}

/** `GET /api/me`; the answer to `POST /api/me` too. */
export interface Me {
  person: Person;
  admin: boolean;
  /** Passwords are in use: there is somebody to log out, and maybe more rights to gain at `/login`. */
  hasLogin: boolean;
  /** Newcomers may be shown how the memory works: that costs nothing here, and this visitor may change settings. */
  tour: boolean;
  defaults: { role: string };
  commands: readonly CommandHelp[];
  presets: readonly PresetHelp[];
  limits: { uploadBytes: number; files: number; textChars: number; nameChars: number };
}

/** `POST /api/me`, `POST /api/channels`, `PATCH /api/channels/:key` */
export interface NamePost {
  name: string;
}

/** `GET /api/channels` */
export interface Channels {
  own: readonly OwnChannel[];
  /** Of all other platforms; empty for whoever is no admin. */
  others: readonly ChannelView[];
}

export interface OwnChannel {
  id: ChannelId;
  name: string;
  /** This visitor's own conversation with the bot, seen by nobody else. */
  private: boolean;
  createdAt: number;
  lastAt: number;
  /** Whether this visitor may rename and delete it: admins, and whoever made it. */
  mayChange: boolean;
  threads: readonly OwnThread[];
}

export interface OwnThread {
  id: ChannelId;
  /** The first words of the message it hangs from, as they are remembered now; absent where they are not. */
  name?: string | undefined;
  /** When it was opened, where that is known. */
  openedAt?: number | undefined;
  /** That message's id in the channel above. */
  branchedFrom: string;
}

/** `GET /api/channels/:key/turns?before=<seq>&limit=<n>`, oldest first */
export interface Turns {
  turns: readonly TurnView[];
  more: boolean;
}

/** `POST /api/channels/:key/messages` -> 202 `Accepted` */
export interface MessagePost {
  /** Made by the browser, the same when the request is repeated: letters, digits, `-` and `_`, 8 to 64 of them. */
  id: string;
  /** When it was sent by the browser's clock, the same when the request is repeated; the server's clock corrects it. */
  at: number;
  text: string;
  /** Ids of uploads. */
  uploads: readonly string[];
}

/** `known`: the same request came before. */
export interface Accepted {
  /** What it is called from now on: `{person.id}.{id}`; a message's id, or the `question` of what answers a command. */
  id: string;
  outcome: 'accepted' | 'known';
}

/** `POST /api/channels/:key/edits` -> 202 `Accepted` */
export interface EditPost {
  id: string;
  at: number;
  messageId: string;
  text: string;
}

/** `POST /api/channels/:key/deletions`: one's own message, or a piece of an answer to it -> 202 `Accepted` */
export interface DeletionPost {
  id: string;
  at: number;
  messageId: string;
}

/** `POST /api/channels/:key/threads` -> `OwnThread`: opens it, or finds it. */
export interface ThreadPost {
  branchedFrom: string;
}

/** `POST /api/channels/:key/commands` -> 202 `Accepted`; the result comes as `said`, to whom it is for. */
export interface CommandPost {
  id: string;
  at: number;
  /** With or without its slash. */
  line: string;
  /** Of a button: the `target` of what it stands under. */
  target?: string | undefined;
}

/** `POST /api/uploads?name=` with the bytes as the body */
export interface Upload {
  id: string;
  name: string;
  mime: string;
  bytes: number;
}

/** `GET /api/memory/:key` */
export type MemoryAnswer = Inspection;

/** `GET /api/memory/:key/prompt` */
export type PromptAnswer = PromptView;

/** `POST /api/memory/:key/orders` */
export interface OrderPost {
  line: string;
}

/** Its answer: what is said to whoever ordered it, and to nobody else. */
export interface OrderAnswer {
  text: string;
  actions: readonly Action[];
  files: readonly FileView[];
}

/** `GET /api/usage?from=YYYY-MM-DD&to=YYYY-MM-DD`; `/api/usage.csv`, `/api/usage.json` are downloads of the same. */
export type UsageAnswer = UsageReport;

/** `GET /api/audit?before=<id>&limit=<n>`, newest first */
export type AuditAnswer = AuditTrail;

/** To be had at `/api/files/:id` for a while, by those who were told of it. */
export interface FileView {
  id: string;
  name: string;
  mime: string;
}

/**
 * The live events of `GET /api/channels/:key/events`, named by `type` on the stream as well. A channel's stream tells of
 * its threads too: `channel` says which of them it is about. Every event has an id that grows; a stream that begins anew
 * first tells what stands open: questions that wait, answers as far as they are written. Repeating an event is harmless:
 * messages and pieces are known by their ids.
 */
export type LiveEvent =
  | { type: 'message'; channel: ChannelId; message: LiveMessage }
  | { type: 'edited'; channel: ChannelId; id: string; text: string }
  | { type: 'deleted'; channel: ChannelId; ids: readonly string[] }
  /** Of the question with this event id; an empty note is "I am on it". Over with its first piece, `said` or `withdrawn`. */
  | { type: 'progress'; channel: ChannelId; question: string; note: string }
  /** One message of an answer as it stands now. With the `last` one, those beyond it are gone. */
  | { type: 'piece'; channel: ChannelId; piece: LivePiece }
  /** The piece stands as its first `from` characters (UTF-16 units) and then `text`; the rest of it is unchanged. */
  | { type: 'append'; channel: ChannelId; id: string; from: number; text: string }
  /** All pieces of the answer to this question are gone. */
  | { type: 'withdrawn'; channel: ChannelId; question: string }
  | { type: 'said'; channel: ChannelId; said: LiveSaid }
  | { type: 'memory'; channel: ChannelId; change: MemoryChange }
  /** The list of channels and threads is to be read again. */
  | { type: 'channels' }
  /** Something was missed: what is shown is to be read again. What stands open follows. */
  | { type: 'reload' };

export interface LiveMessage {
  id: string;
  at: number;
  person: Person;
  text: string;
  attachments: readonly { name: string; mime: string; bytes: number }[];
}

export interface LivePiece {
  /** The event it answers: a message, or the command that asked for another answer. */
  question: string;
  id: string;
  index: number;
  at: number;
  text: string;
  done: boolean;
  last: boolean;
  actions: readonly Action[];
  /** What its buttons are about. */
  target: string;
}

export interface LiveSaid {
  /** The same when it is said again. */
  id: string;
  question: string;
  at: number;
  text: string;
  /** It came to this visitor alone. */
  private: boolean;
  actions: readonly Action[];
  /** What its buttons are about; nothing where that is the channel. */
  target: string | undefined;
  files: readonly FileView[];
}
