import { headKind } from './conversation/head.ts';
import { isDirect } from './conversation/journal.ts';
import { sweepLate } from './conversation/late.ts';
import type { Memory } from './conversation/memory.ts';
import type { ChannelId } from './event.ts';
import type { Inbox } from './inbox/inbox.ts';
import type { Log } from './log.ts';
import type { Audit } from './operations/audit.ts';
import type { Store } from './storage/store.ts';
import { nobody } from './usage/usage-record.ts';

/** What is done now and then: quiet channels folded, what is old enough forgotten. */

interface Deps {
  store: Store;
  memory: Memory;
  inbox: Inbox;
  audit: Pick<Audit, 'sweep'>;
  retentionDays: number | undefined;
  auditDays: number;
  log: Log;
  now(): number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** No platform delivers an event again after so long. */
const rememberedMs = 3 * dayMs;
/** After this the provider's prompt cache has gone cold anyway: a fold now costs nothing extra. */
const quietMs = 10 * minuteMs;

export function startHousekeeping(deps: Deps): { stop(): void } {
  const { memory, log } = deps;
  const often = setInterval(() => memory.inBackground(foldQuietChannels(deps)), minuteMs);
  const seldom = setInterval(() => memory.inBackground(sweep(deps)), hourMs);
  for (const timer of [often, seldom]) timer.unref();
  memory.inBackground(sweep(deps));
  log.debug({ retentionDays: deps.retentionDays }, 'housekeeping runs');
  return {
    stop() {
      clearInterval(often);
      clearInterval(seldom);
    },
  };
}

export async function sweep({ store, memory, inbox, audit, retentionDays, auditDays, log, now }: Deps): Promise<void> {
  const retainedMs = retentionDays === undefined ? rememberedMs : Math.min(rememberedMs, retentionDays * dayMs);
  const duties: Record<string, () => Promise<void>> = {
    'the inbox': () => inbox.sweep(now() - rememberedMs),
    'early changes': () => sweepLate(store, now() - retainedMs, log),
    'the audit': () => audit.sweep(now() - auditDays * dayMs),
    // What was overwritten, such as the text of an event that is done, leaves the files.
    'the data file': () => store.erase([]),
  };
  for (const [what, run] of Object.entries(duties)) {
    // One that fails is tried again at the next sweep; the others are due all the same.
    await run().catch((error: unknown) => log.error({ what, error }, 'a sweep failed'));
  }
  if (retentionDays === undefined) return;
  // By whole days: what expires voids folds, and writing them anew costs.
  const before = Math.floor((now() - retentionDays * dayMs) / dayMs) * dayMs;
  await memory.workspaces.expire(before);
  for (const head of await store.list(headKind, '')) {
    const channel = head.id as ChannelId;
    try {
      const expired = await memory.amending.expire(channel, before);
      const turns = expired.messageIds.length;
      if (turns > 0) log.info({ channel, turns }, 'older turns have expired');
    } catch (error) {
      // One damaged channel is no reason to keep what is old in the others.
      log.error({ channel, error }, 'older turns could not be erased');
    }
  }
}

/** A cold fold: where the next prompt starts with a cold cache anyway, half the way to the high mark is enough. */
export async function foldQuietChannels({ memory, log, now }: Pick<Deps, 'memory' | 'log' | 'now'>): Promise<void> {
  for (const channel of memory.conversations.quiet(now() - quietMs)) {
    try {
      await foldQuietChannel(memory, channel);
    } catch (error) {
      // One damaged channel is no reason to leave the others as they are.
      log.error({ channel, error }, 'a quiet channel could not be summarised');
    }
  }
}

async function foldQuietChannel(memory: Memory, channel: ChannelId): Promise<void> {
  const state = memory.conversations.peek(channel);
  if (state === undefined || state.tail.length === 0) return;
  const profile = await memory.profiles.of(channel);
  const limits = await memory.limits(channel, profile, isDirect(state));
  const high = limits.low + (limits.high - limits.low) / 2;
  if (state.rawTokens > high) await memory.folding.run({ channel, person: nobody, profile, limits, high });
}
