import { toBotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import type { Embedded, Embedder } from '../model/embed.ts';
import type { StoredRecord } from '../storage/store.ts';
import type { Charge, Ledger, Reservation } from '../usage/ledger.ts';
import { nobody } from '../usage/usage-record.ts';
import type { Conversations } from './conversations.ts';
import type { TokenCounter } from './tokens.ts';

/** Embedding within budgets, and what it cost brought into the books. */
export interface PaidEmbedder {
  /** Nothing where a budget or the server says no; after a failure nothing is tried for a while. */
  embed(channel: ChannelId, texts: readonly string[], signal: AbortSignal): Promise<Paid | undefined>;
  isPaused(): boolean;
  /** Commits, with what the plan made under the channel's lock. */
  charge(channel: ChannelId, bills: readonly Owed[], plan: () => Promise<StoredRecord[]>): Promise<void>;
  /** Charged with the next batch: a question does not wait for the disk. */
  owe(channel: ChannelId, owed: Owed): void;
  settle(channel: ChannelId): Promise<void>;
}

export interface PaidDeps {
  conversations: Conversations;
  embedder: Embedder;
  ledger: Ledger;
  counter(): Promise<TokenCounter>;
  signal: AbortSignal;
  log: Log;
  now(): number;
}

interface Owed {
  charge: Charge;
  held: Reservation;
}

interface Paid {
  embedded: Embedded;
  owes: Owed;
}

const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;

export function createPaidEmbedder(deps: PaidDeps): PaidEmbedder {
  const { conversations, embedder, ledger, log, now } = deps;
  const owed = new Map<ChannelId, Owed[]>();
  let pause = { until: 0, ms: firstPauseMs };
  const isPaused = (): boolean => now() < pause.until || deps.signal.aborted;

  async function charge(
    channel: ChannelId,
    bills: readonly Owed[],
    plan: () => Promise<StoredRecord[]>,
  ): Promise<void> {
    const [first] = bills;
    if (first === undefined) return;
    // One bill: a second one would begin from what the store held before the first.
    const release = (): void =>
      bills.forEach(({ held }) => {
        held.release();
      });
    const charges = bills.map((one) => one.charge);
    const settle = await conversations.change(channel, async () => {
      const bill = await ledger.bill(channel, charges, { day: first.held.day, release });
      return { also: [...(await plan()), ...bill.records], value: bill.settle };
    });
    settle();
  }

  function rest(channel: ChannelId, error: unknown): void {
    pause = { until: now() + pause.ms, ms: Math.min(pause.ms * 2, longestPauseMs) };
    log.warn({ channel, err: error }, 'nothing was embedded: what was said is found by its words alone for a while');
  }

  return {
    isPaused,
    charge,

    async embed(channel, texts, signal) {
      if (isPaused()) return undefined;
      let held: Reservation | undefined;
      try {
        const counter = await deps.counter();
        let promptTokens = 0;
        for (const text of texts) promptTokens += await counter.count(text);
        held = await ledger.reserve({
          channel,
          person: nobody,
          payer: undefined,
          model: embedder.model,
          promptTokens,
          completionTokens: 0,
        });
        const embedded = await embedder.embed(texts, AbortSignal.any([deps.signal, signal]));
        pause = { until: 0, ms: firstPauseMs };
        const { model, usage } = embedded;
        return {
          embedded,
          owes: { charge: { person: nobody, payer: undefined, kind: 'recall', model, usage, at: now() }, held },
        };
      } catch (error) {
        held?.release();
        if (deps.signal.aborted) return undefined;
        // A budget is asked again each time: it costs nothing, and others have budgets of their own.
        if (toBotError(error).kind === 'forbidden') log.debug({ channel, err: error }, 'no budget is left to embed');
        else rest(channel, error);
        return undefined;
      }
    },

    owe(channel, one) {
      owed.set(channel, [...(owed.get(channel) ?? []), one]);
    },

    async settle(channel) {
      const bills = owed.get(channel) ?? [];
      if (bills.length === 0) return;
      await charge(channel, bills, async () => []);
      const left = (owed.get(channel) ?? []).filter((one) => !bills.includes(one));
      if (left.length > 0) owed.set(channel, left);
      else owed.delete(channel);
    },
  };
}
