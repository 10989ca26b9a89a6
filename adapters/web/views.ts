import type { ChannelId } from '../../src/event.ts';

/** What the program tells of itself: the server passes it on to the page as it is. */

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
  budget: {
    total: number;
    /** What is set; more than `total` where the model reads less, or counts more tokens than are counted here. */
    set: number;
    /** What the model can read beside its answer, where that is less than what is set. */
    readable?: number | undefined;
    /** How many tokens the model counts for one that is counted here; never less than one. */
    ratio: number;
    parts: readonly { part: PromptPart; tokens: number }[];
    room: number;
  };
  /** From which count of unfolded tokens on folding begins, and where it ends. */
  marks: { high: number; low: number; raw: number };
  turns: { verbatim: number; firstVerbatim: number | undefined; total: number };
  /** The oldest turns do not fit and are left out until they are folded. */
  leftOut: boolean;
  /** Folds in use with, below them, those they replaced that are still stored. */
  folds: readonly FoldView[];
  folding: boolean;
  /** By who they are, each under a name of their own; the bot has no `id`. */
  contributors: readonly { id: string | undefined; name: string; turns: number; tokens: number }[];
  /** What was found again for the last answer. */
  recalled: readonly RecalledView[];
  /** Whether `undo` would bring something back. */
  undoable: boolean;
  changes: readonly { at: number; by: string; what: string }[];
}

export type PromptPart = 'role' | 'examples' | 'tools' | 'channel' | 'folds' | 'turns' | 'recall' | 'question';

export interface PromptView {
  messages: readonly unknown[];
  /** Sent beside the messages. */
  tools: readonly { name: string; description: string; parameters: unknown; tokens: number }[];
  /** Of all of it. */
  tokens: number;
}

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

interface RecalledView {
  seq: number;
  at: number;
  name: string;
  text: string;
  /** The answer names it. */
  cited: boolean;
  /** The message on its platform, where there is an address. */
  link: string | undefined;
}

export interface MemoryChange {
  channel: ChannelId;
  what: 'turns' | 'amended' | 'reset' | 'folding' | 'folded' | 'fold-failed';
  /** Of a fold being written: what it covers, and a guess at how far it is, from 0 to 1. */
  fold?: { from: number; to: number; done: number };
}

export interface UsageRowView {
  day: string;
  workspace: string;
  channel: string;
  /** What belongs together as one channel, threads included; `channelName` differs for each. */
  channelKey: string;
  channelName: string;
  person: string;
  /** What belongs together as one person, in every workspace; `personName` differs for each. */
  personKey: string;
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
  budgets: readonly { id: string; name: string; used: number; limit: number; unit: 'tokens' | 'USD'; until: string }[];
  /** Chart definitions for the browser: the same that become pictures on other platforms. */
  charts: readonly { name: string; title: string; option: Record<string, unknown> }[];
}

/** One thing that somebody did, as often as it was repeated. */
interface AuditView {
  id: string;
  at: number;
  what: string;
  who: string;
  from: string;
  channel?: string | undefined;
  detail?: string | undefined;
  times: number;
  lastAt: number;
}

export interface AuditTrail {
  entries: readonly AuditView[];
  more: boolean;
}
