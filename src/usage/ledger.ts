import { type ChannelId, parentChannel } from '../event.ts';
import { record, type Store, type StoredRecord } from '../storage/store.ts';
import {
  type Budget,
  type BudgetLine,
  isMoneyBudget,
  isNearlyOver,
  isOver,
  type Limits,
  overBudget,
  type Spender,
  scopeOf,
  subjectOf,
  toBudgets,
  unknownPrice,
  warningText,
} from './budget.ts';
import { dayOf, endOf } from './days.ts';
import type { Prices } from './prices.ts';
import { createTallies, type Tally, withPrices } from './tally.ts';
import { type Charge, type UsageRow, usageFrom, usageId, usageKind, withCharge } from './usage-record.ts';

export type { Charge };

/**
 * Who used what, and whether more may be used. The store holds the truth; the counters beside it are the sum of what it
 * holds, and reservations live in memory only. Usage holds ids and no words, so forgetting a person leaves it alone.
 */
export interface Ledger {
  /**
   * To be called before a model call. Throws `forbidden` when a budget does not allow it, and whatever the store throws
   * when a budget cannot be checked. Without budgets it neither reads nor refuses.
   */
  reserve(request: Request): Promise<Reservation>;
  /**
   * What must be committed for the charges to count; to be called under the channel's commit lock. With a reservation
   * the charges belong to its day. Whoever commits calls `settle`, which also gives the reservation back.
   */
  bill(channel: ChannelId, charges: readonly Charge[], held?: Pick<Reservation, 'day' | 'release'>): Promise<Bill>;
  report(query: ReportQuery): Promise<ReportRow[]>;
  /** What is used of each budget that the person's next call in the channel would be taken from; none without limits. */
  remaining(spender: Spender): Promise<BudgetLine[]>;
}

interface Request extends Spender {
  payer: string | undefined;
  model: string;
  promptTokens: number;
  /** The most it may write. */
  completionTokens: number;
}

export interface Reservation extends Request {
  /** The day it was made, which its charges belong to also when they come after midnight. */
  day: string;
  /** To be told to the person, in our words. */
  warning: string | undefined;
  /** Gives it back uncharged; harmless when repeated. */
  release(): void;
}

interface Bill {
  records: StoredRecord[];
  settle(): void;
}

interface ReportQuery {
  workspace: string;
  /** Its threads included. */
  channel?: ChannelId | undefined;
  person?: string | undefined;
  /** First and last day. */
  from: string;
  to: string;
}

export interface ReportRow extends UsageRow {
  day: string;
  channel: ChannelId;
}

interface LedgerDeps {
  store: Store;
  prices: Prices;
  timeZone: string;
  limits: Limits;
  now: () => number;
}

export function createLedger(deps: LedgerDeps): Ledger {
  const { store, prices, timeZone, now } = deps;
  const budgets = toBudgets(deps.limits);
  const tallies = createTallies(store, prices);
  const recent = createRecent(store);

  /** Each budget with where it is counted. How it stands is not read here: by the time of the return it may be old. */
  async function opened(spender: Spender, day: string): Promise<{ budget: Budget; tally: Tally }[]> {
    const open = (budget: Budget) => tallies.open(scopeOf(budget, spender), budget.per, day);
    return await Promise.all(budgets.map(async (budget) => ({ budget, tally: await open(budget) })));
  }

  function toStanding({ budget, tally }: { budget: Budget; tally: Tally }, of: Asked): Standing {
    const subject = subjectOf(budget, of);
    const resetAt = endOf(budget.per, of.at, timeZone);
    return {
      line: { ...budget, used: tally.used(subject), reserved: tally.reserved(subject), resetAt },
      tally,
      subject,
    };
  }

  return {
    async reserve(request) {
      const at = now();
      const day = dayOf(at, timeZone);
      const open = await opened(request, day);
      // Nothing is awaited from here on, so that nobody else can reserve between the check and the reservation.
      const standings = open.map((one) => toStanding(one, { ...request, at }));
      const wishes = standings.map((one) => ({ ...one, wanted: wantedOf(one, request, prices) }));
      for (const { line, wanted } of wishes) {
        if (isOver(line, wanted)) throw overBudget(line, wanted, at, timeZone);
      }
      const warnings = wishes
        .filter(({ line, wanted, tally, subject }) => isNearlyOver(line, wanted) && tally.isNew(`${day} ${subject}`))
        .map(({ line, wanted }) => warningText(line, wanted, timeZone));
      const releases = wishes.map(({ tally, subject, wanted }) => tally.reserve(subject, wanted));
      return {
        ...request,
        day,
        warning: warnings.length === 0 ? undefined : warnings.join('\n'),
        release() {
          for (const release of releases) release();
        },
      };
    },

    async bill(channel, charges, held) {
      const days = Map.groupBy(charges, (charge) => held?.day ?? dayOf(charge.at, timeZone));
      const billed: { id: string; day: string; entry: Entry }[] = [];
      for (const [day, ofDay] of days) {
        const id = usageId(channel, day);
        const rows = ofDay.reduce(
          (before, charge) => withCharge(before, charge, prices.costOf(charge.usage, charge.model)),
          await recent.rows(id),
        );
        billed.push({ id, day, entry: recent.add(id, rows) });
      }
      return {
        records: billed.map(({ id, entry }) => record(usageKind, id, entry.rows)),
        settle() {
          for (const { id, day, entry } of billed) {
            entry.settled = true;
            tallies.put(id, day, channel, entry.rows);
          }
          held?.release();
        },
      };
    },

    async report({ workspace, channel, person, from, to }) {
      const report: ReportRow[] = [];
      for await (const one of usageFrom(store, workspace, from)) {
        if (one.day > to) break;
        if (channel !== undefined && one.channel !== channel && parentChannel(one.channel) !== channel) continue;
        const rows = withPrices(one.rows, prices).filter((row) => person === undefined || row.person === person);
        report.push(...rows.map((row) => ({ ...row, day: one.day, channel: one.channel })));
      }
      return report;
    },

    async remaining(spender) {
      const at = now();
      const open = await opened(spender, dayOf(at, timeZone));
      return open.map((one) => toStanding(one, { ...spender, at }).line);
    },
  };
}

interface Asked extends Spender {
  at: number;
}

/** A budget, how it stands, and where it is counted. */
interface Standing {
  line: BudgetLine;
  tally: Tally;
  subject: string;
}

/** What the call would take of a budget. Money cannot be kept to where a price is unknown, be it this one or one before. */
function wantedOf({ line, tally }: Standing, request: Request, prices: Prices): number {
  const { model, promptTokens: prompt, completionTokens: completion } = request;
  if (!isMoneyBudget(line)) return prompt + completion;
  const cost = prices.costOf({ prompt, cached: 0, completion }, model);
  if (cost === undefined) throw unknownPrice(line, model, false);
  const unpriced = tally.unpricedModel();
  if (unpriced !== undefined) throw unknownPrice(line, unpriced, true);
  return cost;
}

interface Entry {
  rows: readonly UsageRow[];
  /** Whether the store is known to hold it so. */
  settled: boolean;
}

const maxRecent = 1000;

/** The records billed last, so that the next bill of a channel needs no read. What was not settled is read again. */
function createRecent(store: Store) {
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  return {
    async rows(id: string): Promise<readonly UsageRow[]> {
      const entry = entries.get(id);
      return entry?.settled ? entry.rows : ((await store.get(usageKind, id)) ?? []);
    },
    add(id: string, rows: readonly UsageRow[]): Entry {
      const entry = { rows, settled: false };
      entries.delete(id);
      entries.set(id, entry);
      const oldest = entries.keys().next().value;
      if (entries.size > maxRecent && oldest !== undefined) entries.delete(oldest);
      return entry;
    },
  };
}
