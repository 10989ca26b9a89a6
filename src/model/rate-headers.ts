/** What a server's headers say about how soon it may be asked again. Pure: `now` is passed in. */

export interface RateNews {
  /** Nothing more before this much time has passed. */
  blockedMs: number | undefined;
  /** Requests that may still be sent, and for how long that holds. */
  remaining: number | undefined;
  resetMs: number | undefined;
  /** Tokens a minute, where the server tells. */
  tokenLimit: number | undefined;
}

/** OpenAI counts requests and tokens apart; the bare names are OpenRouter's. */
const buckets = ['-requests', '-tokens', ''];

export function readRateHeaders(headers: Headers, status: number, now: number): RateNews {
  const refused = status === 429 || status === 503;
  const asked = statedWaitMs(headers, now);
  const exhausted = resets(headers, now, (remaining) => remaining === 0);
  const all = refused ? resets(headers, now, () => true) : [];
  const blockedMs = (refused ? asked : undefined) ?? longest(exhausted) ?? longest(status === 429 ? all : []);
  return {
    blockedMs,
    remaining: toNumber(headers.get('x-ratelimit-remaining-requests') ?? headers.get('x-ratelimit-remaining')),
    resetMs: toMs(headers.get('x-ratelimit-reset-requests') ?? headers.get('x-ratelimit-reset'), now),
    tokenLimit: toNumber(headers.get('x-ratelimit-limit-tokens')),
  };
}

function statedWaitMs(headers: Headers, now: number): number | undefined {
  const precise = toNumber(headers.get('retry-after-ms'));
  if (precise !== undefined && precise > 0) return precise;
  return toMs(headers.get('retry-after'), now);
}

function resets(headers: Headers, now: number, wanted: (remaining: number | undefined) => boolean): number[] {
  return buckets
    .filter((bucket) => wanted(toNumber(headers.get(`x-ratelimit-remaining${bucket}`))))
    .map((bucket) => toMs(headers.get(`x-ratelimit-reset${bucket}`), now))
    .filter((ms) => ms !== undefined);
}

function longest(waits: number[]): number | undefined {
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/**
 * `20ms`, `1m0s`, `1h2m3.5s`, plain seconds, a time stamp in seconds or milliseconds, or a date. Nothing that has
 * passed already, and nothing that cannot be read.
 */
function toMs(text: string | null, now: number): number | undefined {
  const value = text?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^[\d.]+$/.test(value) ? fromNumber(Number(value), now) : (fromSpan(value) ?? Date.parse(value) - now);
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

function fromNumber(value: number, now: number): number {
  if (value > 1e11) return value - now;
  if (value > 1e8) return value * 1000 - now;
  return value * 1000;
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function fromSpan(value: string): number | undefined {
  if (!/^([\d.]+(ms|[smhd]))+$/.test(value)) return undefined;
  const parts = value.matchAll(/(?<![\d.])([\d.]+)(ms|[smhd])/g);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
}

function toNumber(text: string | null): number | undefined {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
