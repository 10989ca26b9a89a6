import type { CommandRunner } from '../commands/runner.ts';
import type { MemoryChange } from '../conversation/changes.ts';
import { createDamageLog } from '../conversation/damage-log.ts';
import type { Memory } from '../conversation/memory.ts';
import type { ChannelId, LinkTo } from '../event.ts';
import type { Log } from '../log.ts';
import type { Model } from '../model/model.ts';
import type { Store } from '../storage/store.ts';
import type { Ledger } from '../usage/ledger.ts';
import { type AuditTrail, readAudit } from './audit-trail.ts';
import { type ChannelView, listChannels } from './channel-views.ts';
import { type Inspection, inspectChannel, type PromptView, viewPrompt } from './inspection.ts';
import { createOrders, type Order } from './orders.ts';
import { findTurns, readTurns, type TurnView } from './turn-views.ts';
import { reportUsage, type UsagePeriod, type UsageReport } from './usage-report.ts';

/** What may be looked into from outside of a conversation. Who may see which is the asker's business. */
export interface Views {
  channels(): Promise<ChannelView[]>;
  turns(channel: ChannelId, range: { before?: number; limit: number }): Promise<{ turns: TurnView[]; more: boolean }>;
  /** By the platform's ids: those that are remembered now. */
  messages(channel: ChannelId, ids: readonly string[]): Promise<ReadonlyMap<string, TurnView>>;
  inspect(channel: ChannelId): Promise<Inspection>;
  prompt(channel: ChannelId): Promise<PromptView>;
  order: Order;
  watch(onChange: (change: MemoryChange) => void): () => void;
  usage(period: UsagePeriod): Promise<UsageReport>;
  audit(range: { before?: string; limit: number }): Promise<AuditTrail>;
}

interface ViewsDeps {
  store: Store;
  memory: Memory;
  model: Model;
  runner: CommandRunner;
  ledger: Ledger;
  link: LinkTo;
  timeZone: string;
  pricesAsOf: string;
  signal: AbortSignal;
  log: Log;
  now(): number;
}

export function createViews(deps: ViewsDeps): Views {
  const { store, memory } = deps;
  const noteDamage = createDamageLog(deps.log);
  return {
    channels: async () => await listChannels(store, noteDamage),
    turns: async (channel, range) => await readTurns(memory.conversations, channel, range),
    messages: async (channel, ids) => await findTurns(memory.conversations, channel, ids),
    inspect: async (channel) => await inspectChannel(deps, channel),
    prompt: async (channel) => await viewPrompt(deps, channel),
    order: createOrders(deps),
    watch: memory.changes.watch,
    usage: async (period) => await reportUsage(deps, period),
    audit: async (range) => await readAudit(store, range),
  };
}
