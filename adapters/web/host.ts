import type { ChannelId, Notice, OpenIntake } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';

/** What the console needs of the program behind it. */
export interface ConsoleHost {
  openIntake: OpenIntake;
  log: Log;
  now(): number;
  defaultRole: string;
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
  commands: readonly CommandHelp[];
  presets(): Promise<readonly PresetHelp[]>;
  /** The console's own durable records: its channels, the key of its sessions. */
  shelf: Shelf;
  views: MemoryViews;
  usage: UsageView;
}

export interface CommandHelp {
  /** `role set` */
  name: string;
  /** `/role set <text>` */
  usage: string;
  help: string;
  admin: boolean;
}

export interface PresetHelp {
  name: string;
  description: string;
}

export interface Shelf {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  /** In the order of the keys. */
  list(prefix: string): Promise<{ key: string; value: unknown }[]>;
  remove(keys: readonly string[]): Promise<void>;
}

/** Of every channel of every platform; who may see which is decided before it is asked for. */
export interface MemoryViews {
  /** Most recently used first. Direct messages are not among them. */
  channels(): Promise<ChannelView[]>;
  /** Oldest first; those before `before`, or the newest. */
  turns(channel: ChannelId, range: { before?: number; limit: number }): Promise<{ turns: TurnView[]; more: boolean }>;
  inspect(channel: ChannelId): Promise<Inspection>;
  /** The exact next prompt, as it is sent. */
  prompt(channel: ChannelId): Promise<{ messages: unknown[]; tokens: number }>;
  /** A command on any channel, ordered from the inspector: its result, not shown on the channel's own platform. */
  order(channel: ChannelId, person: { id: string; name: string }, line: string): Promise<Notice>;
  /** Told of every change of a channel's memory and of folds while they are written. Returns how to end it. */
  watch(onChange: (change: MemoryChange) => void): () => void;
}

export interface ChannelView {
  id: ChannelId;
  platform: string;
  workspace: string;
  /** As its platform shows it, where that is known; else its id there. */
  name: string;
  thread: boolean;
  turns: number;
  lastAt: number | undefined;
}

export interface TurnView {
  seq: number;
  /** The platform's ids: of the message, and of an answer's pieces. */
  id: string;
  posts: readonly string[];
  at: number;
  role: 'user' | 'assistant';
  name: string | undefined;
  /** The author's id on the platform, for telling one's own messages. */
  author: string | undefined;
  text: string;
  tokens: number;
  /** Nothing is left but its place. */
  erased: boolean;
  edited: boolean;
  /** Why a question has no answer, why an answer ended early. */
  unanswered: string | undefined;
  partial: string | undefined;
  attachments: readonly { name: string; kind: 'text' | 'image' | 'file'; problem: string | undefined }[];
  tools: readonly { name: string; arguments: string; result: string }[];
  /** How many answers to the question there are, this one included. */
  versions: number;
  model: string | undefined;
  /** The seq of the question it answers. */
  answers: number | undefined;
}

export interface Inspection {
  channel: ChannelId;
  model: string;
  role: string;
  preset: string | undefined;
  /** What of the budget the next prompt takes, part by part, and what is left of it. */
  budget: { total: number; parts: readonly { part: PromptPart; tokens: number }[]; room: number };
  /** From which count of unfolded tokens on folding begins, and where it ends. */
  marks: { high: number; low: number; raw: number };
  turns: { verbatim: number; firstVerbatim: number | undefined; total: number };
  /** The oldest turns do not fit and are left out until they are folded. */
  leftOut: boolean;
  /** Folds in use with, below them, those they replaced that are still stored. */
  folds: readonly FoldView[];
  folding: boolean;
  contributors: readonly { name: string; turns: number; tokens: number }[];
  /** What was found again for the last answer. */
  recalled: readonly RecalledView[];
  /** Whether `undo` would bring something back. */
  undoable: boolean;
  changes: readonly { at: number; by: string; what: string }[];
}

export type PromptPart = 'role' | 'examples' | 'tools' | 'channel' | 'folds' | 'turns' | 'recall';

export interface FoldView {
  id: string;
  level: number;
  /** First and last turn covered. */
  from: number;
  to: number;
  tokens: number;
  /** Tokens of the messages it stands for, where they are known. */
  covers: number | undefined;
  text: string;
  at: number;
  model: string;
  below: readonly FoldView[];
}

export interface RecalledView {
  seq: number;
  at: number;
  name: string;
  text: string;
  /** The message on its platform, where there is an address. */
  link: string | undefined;
}

export interface MemoryChange {
  channel: ChannelId;
  what: 'turns' | 'amended' | 'reset' | 'folding' | 'folded' | 'fold-failed';
  /** Of a fold being written: what it covers, and a guess at how far it is, from 0 to 1. */
  fold?: { from: number; to: number; done: number };
}

/** Everything the ledger knows, for admins. */
export interface UsageView {
  report(query: UsageQuery): Promise<UsageReport>;
}

export interface UsageQuery {
  /** First and last day, `YYYY-MM-DD`. */
  from: string;
  to: string;
}

export interface UsageRowView {
  day: string;
  workspace: string;
  channel: string;
  channelName: string;
  person: string;
  personName: string;
  model: string;
  kind: 'answer' | 'fold' | 'recall';
  calls: number;
  prompt: number;
  cached: number;
  completion: number;
  /** Dollars; absent where a price was not known. */
  cost: number | undefined;
  estimatedCalls: number;
}

export interface UsageReport {
  from: string;
  to: string;
  today: string;
  timeZone: string;
  pricesAsOf: string;
  rows: readonly UsageRowView[];
  budgets: readonly { name: string; used: number; limit: number; unit: 'tokens' | 'USD'; until: string }[];
  /** Chart definitions for the browser: the same that become pictures on other platforms. */
  charts: readonly { name: string; title: string; option: Record<string, unknown> }[];
}
