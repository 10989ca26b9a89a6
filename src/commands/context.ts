import type { Change } from '../conversation/head.ts';
import type { Memory } from '../conversation/memory.ts';
import type { Profile } from '../conversation/profile.ts';
import type { Action, Author, ChannelId, LinkTo, Notice } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import type { Model } from '../model/model.ts';
import type { Audit } from '../operations/audit.ts';
import type { StoredRecord } from '../storage/store.ts';
import type { RunningAnswers } from '../turn/running.ts';
import type { Question } from '../turn/speak.ts';
import type { Chart } from '../usage/charts.ts';
import type { Ledger } from '../usage/ledger.ts';
import type { CommandSpec, Values } from './command.ts';
import type { Policy } from './policy.ts';
import type { Presets } from './presets.ts';
import type { EncoderFor } from './setting.ts';

/** What a command is run with, and what comes of it. */

export interface CommandDeps {
  memory: Memory;
  model: Model;
  running: RunningAnswers;
  ledger: Ledger;
  policy: Policy;
  timeZone: string;
  /** When the prices were last looked at. */
  pricesAsOf: string;
  commands(): readonly Command[];
  encode: EncoderFor;
  presets: Presets;
  link: LinkTo;
  /** As a PNG. */
  draw(chart: Chart): Promise<Uint8Array>;
  log: Log;
  audit: Pick<Audit, 'note'>;
  now(): number;
}

export interface Context {
  deps: CommandDeps;
  job: Job;
  channel: ChannelId;
  author: Author;
  /** How the author is called in what is recorded. */
  by: string;
  /** And at the beginning of a sentence that is said here: between two alone, `You`. */
  who: string;
  /** What stands between this person and the bot: for sentences. */
  here: 'our conversation' | 'this thread' | 'this channel';
  isAdmin: boolean;
  direct: boolean;
  /** Where the command was given, a conversation can be printed role by role. */
  prints: boolean;
  /** For a button: the bot's message it stands under. */
  target: string | undefined;
  values: Values;
  profile: Profile;
  /** What the author does now, for the list of changes; with what they wrote, where that is what is set. */
  changed(what: string, words?: string): Change;
  /** To be committed with the change that the notice tells of: said also when a crash comes in between. */
  settle(notice: Notice): StoredRecord;
  /** Throws unless it was this person's question, or an admin asks: for commands about an answer. */
  mustHaveAsked(person: string | undefined): void;
}

/** What is said, or a question that is to be answered. */
export type Result = { notice: Notice; answer?: undefined } | { answer: Question; notice?: undefined };

export interface Command extends CommandSpec {
  run(context: Context): Promise<Result>;
  /** Before it asks for a confirmation: throws where it could do nothing. */
  check?(context: Context): Promise<void>;
}

/** `1 summary`, `2 summaries` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function privately(text: string, more: Partial<Notice> = {}): { notice: Notice } {
  return { notice: { text, private: true, actions: [], files: [], ...more } };
}

export function publicly(text: string, actions: Action[] = []): { notice: Notice } {
  return { notice: { text, private: false, actions, files: [] } };
}
