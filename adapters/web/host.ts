import type { IncomingMessage } from 'node:http';
import type { Author, ChannelId, Notice, OpenIntake } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
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

/** What the console needs of the program behind it. */
export interface ConsoleHost {
  openIntake: OpenIntake;
  log: Log;
  now(): number;
  /** The sender of a request, as the operator's proxies report it. */
  callerOf(request: Pick<IncomingMessage, 'headers' | 'socket'>): Caller;
  defaultRole: string;
  /** Answers cost nothing: the demo model gives them, and there is no budget that they count in. */
  isFree: boolean;
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
  /** Why a file that somebody is about to send will not be read. */
  unreadable(file: { name: string; mime: string; bytes: number }): string | undefined;
  commands: readonly CommandHelp[];
  presets(): Promise<readonly PresetHelp[]>;
  /** The console's own durable records: its channels, the key of its sessions. */
  shelf: Shelf;
  views: MemoryViews;
  usage: UsageView;
  audit: AuditNotes;
  /** The program's one policy: why somebody may not see or do what this command shows or does, or nothing. */
  mayUse(author: Author, channel: ChannelId, command: string): string | undefined;
}

interface Caller {
  /** Address of the browser or program behind the operator's proxies. */
  address: string;
  /** The name it asked for, with its port. */
  host: string | undefined;
  /** It speaks TLS. */
  secure: boolean;
}

export interface Shelf {
  /** Null where the core has emptied it. */
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  /** In the order of the keys; what the core has emptied is null. */
  list(prefix: string): Promise<{ key: string; value: unknown }[]>;
  remove(keys: readonly string[]): Promise<void>;
}

/** Of every channel of every platform; who may see which is decided before it is asked for. */
export interface MemoryViews {
  /** Most recently used first. Direct messages are not among them. */
  channels(): Promise<ChannelView[]>;
  /** Oldest first; those before `before`, or the newest. */
  turns(channel: ChannelId, range: { before?: number; limit: number }): Promise<{ turns: TurnView[]; more: boolean }>;
  /** By the platform's ids: those that are remembered now and not erased. */
  messages(channel: ChannelId, ids: readonly string[]): Promise<ReadonlyMap<string, TurnView>>;
  inspect(channel: ChannelId): Promise<Inspection>;
  /** The exact next prompt, as it is sent. */
  prompt(channel: ChannelId): Promise<PromptView>;
  /** A command on any channel, ordered from the inspector: its result, not shown on the channel's own platform. */
  order(
    channel: ChannelId,
    person: { id: string; name: string; admin: boolean; platform: string },
    line: string,
  ): Promise<Notice>;
  /** Told of every change of a channel's memory and of folds while they are written. Returns how to end it. */
  watch(onChange: (change: MemoryChange) => void): () => void;
  /** Newest first; those before the entry of that id, or the newest. */
  audit(range: { before?: string; limit: number }): Promise<AuditTrail>;
}

/** Everything the ledger knows, for admins. */
export interface UsageView {
  report(query: UsageQuery): Promise<UsageReport>;
}

interface UsageQuery {
  /** First and last day, `YYYY-MM-DD`. */
  from: string;
  to: string;
  /** Of this platform alone. */
  platform?: string | undefined;
}

/** Who did what, noted as it happens; ids, addresses and names of routes, and no text that anybody wrote. */
interface AuditNotes {
  note(entry: {
    what: 'login' | 'login-refused' | 'locked-out' | 'logout' | 'refused' | 'read' | 'export';
    who: string;
    from: string;
    channel?: ChannelId | undefined;
    detail?: string | undefined;
  }): void;
}
