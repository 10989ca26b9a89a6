import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import type { Usage } from '../model/model.ts';
import type { RecordKind, Store } from '../storage/store.ts';

/** What a channel or thread used on one day. It holds ids and numbers and nothing that anybody said. */

const rowSchema = z.object({
  person: z.string(),
  /** Whose daily budget paid, where not the person's own. */
  payer: z.string().optional(),
  /** The one that really answered. */
  model: z.string(),
  kind: z.enum(['answer', 'fold', 'recall']),
  calls: z.number(),
  prompt: z.number(),
  /** Of `prompt`. */
  cached: z.number(),
  completion: z.number(),
  /** Of `completion`. */
  reasoning: z.number(),
  /** Nano-dollars; absent where the price was not known, which rows of known and unknown price are kept apart for. */
  cost: z.number().optional(),
  /** Calls whose tokens we counted ourselves. */
  estimatedCalls: z.number(),
  /** The model's configurations that answered, as the server names them, the newest last. */
  fingerprints: z.array(z.string()).optional(),
});

export type UsageRow = z.infer<typeof rowSchema>;

export const usageKind: RecordKind<UsageRow[]> = {
  name: 'usage',
  version: 1,
  schema: z.array(rowSchema),
  upgrades: {},
};

/** One call to be accounted for. */
export interface Charge {
  person: string;
  /** Whose daily budget pays, where not the person's own. */
  payer: string | undefined;
  kind: UsageRow['kind'];
  model: string;
  usage: Usage;
  at: number;
}

/** `{platform}/{workspace}`, escaped as in the channel's id. */
export function workspaceOf(channel: ChannelId): string {
  return channel.split('/').slice(0, 2).join('/');
}

export function usageId(channel: ChannelId, day: string): string {
  return `${workspaceOf(channel)}:${day}:${channel}`;
}

export function withCharge(rows: readonly UsageRow[], charge: Charge, cost: number | undefined): UsageRow[] {
  const { person, payer, kind, model, usage } = charge;
  const isSame = (row: UsageRow): boolean =>
    row.person === person &&
    row.payer === payer &&
    row.model === model &&
    row.kind === kind &&
    (row.cost === undefined) === (cost === undefined);
  const empty = { calls: 0, prompt: 0, cached: 0, completion: 0, reasoning: 0, estimatedCalls: 0 };
  const old: UsageRow = rows.find(isSame) ?? { person, ...(payer !== undefined && { payer }), model, kind, ...empty };
  const row: UsageRow = {
    ...old,
    calls: old.calls + 1,
    prompt: old.prompt + usage.prompt,
    cached: old.cached + usage.cached,
    completion: old.completion + usage.completion,
    reasoning: old.reasoning + usage.reasoning,
    estimatedCalls: old.estimatedCalls + (usage.estimated ? 1 : 0),
    ...(cost === undefined ? {} : { cost: (old.cost ?? 0) + cost }),
    ...(usage.fingerprint !== undefined && { fingerprints: withNewest(old.fingerprints, usage.fingerprint) }),
  };
  return rows.some(isSame) ? rows.map((one) => (isSame(one) ? row : one)) : [...rows, row];
}

/** Providers have a few in use at a time. */
const mostFingerprints = 8;

function withNewest(fingerprints: readonly string[] = [], newest: string): string[] {
  return [...fingerprints.filter((one) => one !== newest), newest].slice(-mostFingerprints);
}

interface DayUsage {
  id: string;
  day: string;
  channel: ChannelId;
  rows: UsageRow[];
}

/** Whose the cost is when nobody's message made it due. */
export const nobody = '-';
export const nobodyLabel = 'background work';

const recordsAtOnce = 256;

/** A workspace's usage in the order of the days, from the given day or month on. A damaged record throws. */
export async function* usageFrom(store: Store, workspace: string, from: string): AsyncGenerator<DayUsage> {
  // No record has just this id: a day or a channel follows it.
  let after = `${workspace}:${from}`;
  for (;;) {
    const found = await store.list(usageKind, `${workspace}:`, { after, limit: recordsAtOnce });
    for (const one of found) {
      const [, day = '', channel = ''] = one.id.split(':');
      yield { id: one.id, day, channel: channel as ChannelId, rows: one.read() };
    }
    const last = found.at(-1);
    if (last === undefined || found.length < recordsAtOnce) return;
    after = last.id;
  }
}

/** Of one platform or of all. Skips from one workspace to the next: their days are not read. */
export async function workspacesWithUsage(store: Store, platform?: string): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined; ; ) {
    const [next] = await store.list(usageKind, '', after === undefined ? { limit: 1 } : { limit: 1, after });
    if (next === undefined) return found;
    const workspace = next.id.slice(0, next.id.indexOf(':'));
    if (platform === undefined || workspace.startsWith(`${platform}/`)) found.push(workspace);
    after = `${workspace}:\u{10ffff}`;
  }
}
