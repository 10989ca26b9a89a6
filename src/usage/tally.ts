import { type ChannelId, parentChannel } from '../event.ts';
import type { Store } from '../storage/store.ts';
import { type PeriodKind, periodOf } from './days.ts';
import type { Prices } from './prices.ts';
import { type UsageRow, usageFrom, workspaceOf, workspacesWithUsage } from './usage-record.ts';

/**
 * What a workspace, or all of them together, used in a day or a month, in memory, by whatever a budget can be about. It
 * is the sum of the stored records: each is taken in by its id and replaces its older self, so that nothing is counted twice whether it
 * was read from the store or just written.
 */
export interface Tally {
  used(subject: string): number;
  reserved(subject: string): number;
  /** The function returned gives the amount back, once. */
  reserve(subject: string, amount: number): () => void;
  /** A model that was used and whose price is still not known. */
  unpricedModel(): string | undefined;
  /** True the first time only. */
  isNew(note: string): boolean;
}

type Amounts = readonly (readonly [subject: string, amount: number])[];

/** In place of a workspace, which always has a slash in it: all of them. */
export const everything = '*';

export const subjects = {
  /** Where somebody else's daily budget pays, it is added up there. */
  person: (person: string, payer: string | undefined) => (payer === undefined ? `person ${person}` : `payer ${payer}`),
  /** A thread's use counts as its channel's. */
  channel: (channel: ChannelId) => `channel ${parentChannel(channel) ?? channel}`,
  all: 'all',
  money: 'money',
};

const unpriced = 'unpriced ';

interface OpenTally extends Tally {
  put(id: string, channel: ChannelId, rows: readonly UsageRow[]): void;
}

function createTally(kind: PeriodKind, prices: Prices): OpenTally {
  const used = new Map<string, number>();
  const reserved = new Map<string, number>();
  const parts = new Map<string, { calls: number; amounts: Amounts }>();
  const noted = new Set<string>();

  return {
    used: (subject) => used.get(subject) ?? 0,
    reserved: (subject) => reserved.get(subject) ?? 0,

    put(id, channel, rows) {
      const calls = rows.reduce((sum, row) => sum + row.calls, 0);
      const before = parts.get(id);
      // A record only grows. One that is not larger is older, or the same again.
      if (before !== undefined && before.calls >= calls) return;
      const amounts = kind === 'day' ? tokenAmounts(channel, rows) : moneyAmounts(withPrices(rows, prices));
      parts.set(id, { calls, amounts });
      if (before !== undefined) add(used, before.amounts, -1);
      add(used, amounts, 1);
    },

    reserve(subject, amount) {
      let isHeld = true;
      add(reserved, [[subject, amount]], 1);
      return () => {
        if (!isHeld) return;
        isHeld = false;
        add(reserved, [[subject, amount]], -1);
      };
    },

    unpricedModel: () =>
      used
        .keys()
        .find((subject) => subject.startsWith(unpriced))
        ?.slice(unpriced.length),

    isNew(note) {
      if (noted.has(note)) return false;
      noted.add(note);
      return true;
    },
  };
}

function add(sums: Map<string, number>, amounts: Amounts, sign: 1 | -1): void {
  for (const [subject, amount] of amounts) {
    const sum = (sums.get(subject) ?? 0) + sign * amount;
    if (sum === 0) sums.delete(subject);
    else sums.set(subject, sum);
  }
}

function tokenAmounts(channel: ChannelId, rows: readonly UsageRow[]): Amounts {
  const amounts: [string, number][] = rows.map((row) => [
    subjects.person(row.person, row.payer),
    row.prompt + row.completion,
  ]);
  const tokens = amounts.reduce((sum, [, amount]) => sum + amount, 0);
  return [...amounts, [subjects.channel(channel), tokens], [subjects.all, tokens]];
}

function moneyAmounts(rows: readonly UsageRow[]): Amounts {
  return rows.map((row) =>
    row.cost === undefined ? [`${unpriced}${row.model}`, row.calls] : [subjects.money, row.cost],
  );
}

/** A price that was unknown at the time of the call and is known now is taken: that is how an operator mends it. */
export function withPrices(rows: readonly UsageRow[], prices: Prices): UsageRow[] {
  return rows.map((row) => (row.cost === undefined ? { ...row, cost: prices.costOf(row, row.model) } : row));
}

interface Tallies {
  /** Read from the store the first time, when those of the past are dropped. Throws what the store throws. */
  open(scope: string, kind: PeriodKind, day: string): Promise<Tally>;
  /** A record as it stands in the store now. */
  put(id: string, day: string, channel: ChannelId, rows: readonly UsageRow[]): void;
}

export function createTallies(store: Store, prices: Prices): Tallies {
  const known = new Map<string, { kind: PeriodKind; period: string; tally: OpenTally; ready: Promise<void> }>();

  async function fill(tally: OpenTally, scope: string, period: string): Promise<void> {
    const workspaces = scope === everything ? await workspacesWithUsage(store) : [scope];
    for (const workspace of workspaces) {
      for await (const { id, day, channel, rows } of usageFrom(store, workspace, period)) {
        if (!day.startsWith(period)) break;
        tally.put(id, channel, rows);
      }
    }
  }

  function dropPast(kind: PeriodKind, period: string): void {
    for (const [key, one] of known) {
      if (one.kind === kind && one.period < period) known.delete(key);
    }
  }

  function load(key: string, scope: string, kind: PeriodKind, period: string) {
    dropPast(kind, period);
    const tally = createTally(kind, prices);
    const loaded = { kind, period, tally, ready: fill(tally, scope, period) };
    known.set(key, loaded);
    loaded.ready.catch(() => known.delete(key));
    return loaded;
  }

  return {
    async open(scope, kind, day) {
      const period = periodOf(kind, day);
      const key = `${scope}:${period}`;
      const { tally, ready } = known.get(key) ?? load(key, scope, kind, period);
      await ready;
      return tally;
    },

    put(id, day, channel, rows) {
      for (const kind of ['day', 'month'] as const) {
        for (const scope of [workspaceOf(channel), everything]) {
          known.get(`${scope}:${periodOf(kind, day)}`)?.tally.put(id, channel, rows);
        }
      }
    },
  };
}
