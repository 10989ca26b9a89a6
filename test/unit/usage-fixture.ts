import { toChannelId } from '../../src/event.ts';
import type { Usage } from '../../src/model/model.ts';
import type { Backend } from '../../src/storage/backend.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import type { Limits } from '../../src/usage/budget.ts';
import { type Charge, createLedger, type Ledger, type Reservation } from '../../src/usage/ledger.ts';
import { loadPrices } from '../../src/usage/prices.ts';

export const prices = await loadPrices(undefined);

export const workspace = 'discord/guild';
export const general = toChannelId({ platform: 'discord', workspace: 'guild', channel: 'general' });
export const random = toChannelId({ platform: 'discord', workspace: 'guild', channel: 'random' });
export const thread = toChannelId({ platform: 'discord', workspace: 'guild', channel: 'general', thread: 't1' });

/** Noon in London; 13:00 in Berlin. */
export const noon = Date.UTC(2026, 10, 21, 12);

export interface Bench {
  ledger: Ledger;
  store: Store;
  backend: Backend;
  clock: { now: number };
}

export interface BenchOptions {
  limits?: Limits;
  timeZone?: string;
  now?: number;
  backend?: Backend;
}

export function createBench(options: BenchOptions = {}): Bench {
  const { limits = {}, timeZone = 'UTC', now = noon, backend = createMemoryBackend() } = options;
  const clock = { now };
  const store = createStore(backend);
  return { ledger: createLedger({ store, prices, timeZone, limits, now: () => clock.now }), store, backend, clock };
}

export function usage(prompt: number, completion: number, more: Partial<Usage> = {}): Usage {
  return { prompt, completion, cached: 0, reasoning: 0, estimated: false, ...more };
}

export function charge(prompt: number, completion: number, more: Partial<Charge> = {}): Charge {
  return {
    person: 'ann',
    payer: undefined,
    kind: 'answer',
    model: 'gpt-5-mini',
    usage: usage(prompt, completion),
    at: noon,
    ...more,
  };
}

export const request = {
  channel: general,
  person: 'ann',
  payer: undefined,
  model: 'gpt-5-mini',
  promptTokens: 100,
  completionTokens: 50,
};

/** Bills, commits and settles, as an answer does under its channel's lock. */
export async function pay(bench: Bench, channel: typeof general, charges: Charge[], held?: Reservation): Promise<void> {
  const bill = await bench.ledger.bill(channel, charges, held);
  await bench.store.commit(bill.records);
  bill.settle();
}

export async function usedTokens(ledger: Ledger): Promise<number> {
  const rows = await ledger.report({ workspace, from: '2026-01-01', to: '2026-12-31' });
  return rows.reduce((sum, row) => sum + row.prompt + row.completion, 0);
}
