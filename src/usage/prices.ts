import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import type { Usage } from '../model/model.ts';

/**
 * What a call costs. Money is counted in whole billionths of a dollar (nano-dollars): published prices are whole
 * numbers of them a token, so that sums are exact and never drift.
 */
export interface Prices {
  /** When the prices were true, for people to read. */
  readonly asOf: string;
  /** Nano-dollars; nothing where the price is not known. Sums of a model's usage may be given as well as single calls. */
  costOf(usage: Pick<Usage, 'prompt' | 'cached' | 'completion'>, model: string): number | undefined;
}

export const nanosPerDollar = 1_000_000_000;

const price = z.number('must be a number').min(0, 'must not be below 0');

/** Dollars for a million tokens. */
const priceSchema = z.strictObject({
  prompt: price,
  /** What the provider had in its cache; absent: as `prompt`. */
  cached: price.optional(),
  /**
   * What goes into the cache where that costs more. Usage does not say how much did: all that did not come from the
   * cache is taken to have gone there, so that a cost is never too low.
   */
  cacheWrite: price.optional(),
  completion: price,
});

type Price = z.infer<typeof priceSchema>;

const fileSchema = z.strictObject({
  asOf: z.iso.date('must be a date such as 2026-11-05'),
  models: z.record(z.string().min(1), priceSchema),
});

const shippedAsOf = '2026-11-05';

/** OpenAI's list prices for prompts of up to 272,000 tokens, standard tier. */
const shipped: Record<string, Price> = {
  demo: { prompt: 0, completion: 0 },
  'gpt-6.1-sol': { prompt: 2, cached: 0.1, cacheWrite: 2.5, completion: 10 },
  'gpt-6.1-terra': { prompt: 1, cached: 0.05, cacheWrite: 1.25, completion: 5 },
  'gpt-6-astra': { prompt: 10, cached: 1, cacheWrite: 12.5, completion: 50 },
  'gpt-6-sol': { prompt: 2, cached: 0.2, cacheWrite: 2.5, completion: 10 },
  'gpt-6-luna': { prompt: 0.1, cached: 0.01, cacheWrite: 0.125, completion: 0.5 },
  'gpt-5.6': { prompt: 4, cached: 0.4, cacheWrite: 5, completion: 20 },
  'gpt-5.6-sol': { prompt: 4, cached: 0.4, cacheWrite: 5, completion: 20 },
  'gpt-5.6-terra': { prompt: 2, cached: 0.2, cacheWrite: 2.5, completion: 12 },
  'gpt-5.6-luna': { prompt: 0.2, cached: 0.02, cacheWrite: 0.25, completion: 1.2 },
  'gpt-5.5': { prompt: 5, cached: 0.5, completion: 30 },
  'gpt-5.4': { prompt: 2.5, cached: 0.25, completion: 15 },
  'gpt-5.4-mini': { prompt: 0.75, cached: 0.075, completion: 4.5 },
  'gpt-5.4-nano': { prompt: 0.2, cached: 0.02, completion: 1.25 },
  'gpt-5.2': { prompt: 1.75, cached: 0.175, completion: 14 },
  'gpt-5.1': { prompt: 1.25, cached: 0.125, completion: 10 },
  'gpt-5': { prompt: 1.25, cached: 0.125, completion: 10 },
  'gpt-5-mini': { prompt: 0.25, cached: 0.025, completion: 2 },
  'gpt-5-nano': { prompt: 0.05, cached: 0.005, completion: 0.4 },
  'gpt-4.1': { prompt: 2, cached: 0.5, completion: 8 },
  'gpt-4.1-mini': { prompt: 0.4, cached: 0.1, completion: 1.6 },
  'gpt-4.1-nano': { prompt: 0.1, cached: 0.025, completion: 0.4 },
  'gpt-4o': { prompt: 2.5, cached: 1.25, completion: 10 },
  'gpt-4o-2024-05-13': { prompt: 5, completion: 15 },
  'gpt-4o-mini': { prompt: 0.15, cached: 0.075, completion: 0.6 },
  o3: { prompt: 2, cached: 0.5, completion: 8 },
  'o3-mini': { prompt: 1.1, cached: 0.55, completion: 4.4 },
  'o4-mini': { prompt: 1.1, cached: 0.275, completion: 4.4 },
  'gpt-3.5-turbo': { prompt: 0.5, completion: 1.5 },
  'gpt-3.5-turbo-0125': { prompt: 0.5, completion: 1.5 },
  'text-embedding-3-small': { prompt: 0.02, completion: 0 },
  'text-embedding-3-large': { prompt: 0.13, completion: 0 },
};

/** The shipped table, with what PRICES_FILE says in place of it or beside it. */
export async function loadPrices(file: string | undefined): Promise<Prices> {
  if (file === undefined) return toPrices(shippedAsOf, shipped);
  const own = parsePrices(await read(file));
  return toPrices(`${own.asOf} (PRICES_FILE), others ${shippedAsOf}`, shipped, own.models);
}

function toPrices(asOf: string, ...tables: Record<string, Price>[]): Prices {
  const prices = new Map(tables.flatMap((table) => Object.entries(table)));
  return {
    asOf,
    costOf(usage, model) {
      const found = prices.get(model) ?? prices.get(withoutDate(model));
      return found === undefined ? undefined : cost(found, usage);
    },
  };
}

/** A snapshot costs what its model costs; `gpt-5-codex` is not a snapshot of `gpt-5`. */
function withoutDate(model: string): string {
  return model.replace(/-\d{4}-\d{2}-\d{2}$/, '');
}

function cost(found: Price, usage: Pick<Usage, 'prompt' | 'cached' | 'completion'>): number {
  // In millionths of what is returned, because a price may have more digits than nano-dollars can hold.
  const rate = (dollars: number): number => Math.round(dollars * 1_000_000);
  const cached = Math.min(usage.cached, usage.prompt);
  const fresh = usage.prompt - cached;
  const exact =
    fresh * rate(found.cacheWrite ?? found.prompt) +
    cached * rate(found.cached ?? found.prompt) +
    usage.completion * rate(found.completion);
  return Math.ceil(exact / 1000);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw problems(['the file cannot be read'], error);
  }
}

function parsePrices(text: string): z.infer<typeof fileSchema> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw problems(['the file is not JSON'], error);
  }
  const parsed = fileSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw problems(
    parsed.error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(' → ')}: ${message}`)),
    parsed.error,
  );
}

function problems(list: string[], cause: unknown): BotError {
  const lines = list.map((line) => `  - PRICES_FILE: ${line}`);
  return new BotError(
    'config',
    `the configuration has ${lines.length === 1 ? 'a problem' : 'problems'}:\n${lines.join('\n')}`,
    {
      cause,
    },
  );
}
