import { z } from 'zod';
import { type RecordKind, record, type Store } from '../storage/store.ts';

/**
 * How a model's own token counts compare with ours, learnt from every answer. One above one makes budgets tighter at
 * once; one below never makes them wider than what we count ourselves, it only makes estimates truer.
 */
export interface Calibration {
  /** What budgets go by: never less than what was learnt or than one, and the same as long as that hardly changes. */
  ratio(model: string): Promise<number>;
  learn(model: string, counted: number, reported: number): Promise<void>;
  /** A request of so many tokens, prompt and longest reply together, was too much, or was not. */
  fitted(model: string, requestTokens: number, fits: boolean): void;
  /** What a model's window has been seen to be, where one request was too much for it lately. */
  window(model: string): number;
}

const calibrationKind: RecordKind<{ ratio: number }> = {
  name: 'calibration',
  version: 1,
  schema: z.object({ ratio: z.number() }),
  upgrades: {},
};

const lowest = 0.8;
const highest = 1.5;
const weight = 0.3;
/** Every answer moves the ratio a little; a prompt that changed with it would be in no provider's cache. */
const step = 0.02;
const afterOverflow = 0.6;
/** A server may be set up anew. */
const believedMs = 3_600_000;
const worthWriting = 0.02;
/** Short prompts say more about a server's overhead than about its tokeniser. */
const smallestSample = 50;

export function smoothed(before: number, counted: number, reported: number): number {
  if (counted < smallestSample || reported <= 0) return before;
  const seen = Math.min(highest, Math.max(lowest, reported / counted));
  return before + weight * (seen - before);
}

export function steadyRatio(before: number | undefined, ratio: number): number {
  const needed = Math.max(1, Math.ceil(ratio / step - 1e-9) * step);
  return before !== undefined && needed <= before && before - needed < 2 * step ? before : needed;
}

export function createCalibration(store: Store, now: () => number): Calibration {
  const windows = new Map<string, { most: number; fits: number; until: number }>();
  const ratios = new Map<string, { now: number; written: number }>();
  const steady = new Map<string, number>();

  async function load(model: string): Promise<{ now: number; written: number }> {
    const known = ratios.get(model);
    if (known !== undefined) return known;
    const stored = (await store.get(calibrationKind, encodeURIComponent(model)))?.ratio ?? 1;
    const fresh = ratios.get(model) ?? { now: stored, written: stored };
    ratios.set(model, fresh);
    return fresh;
  }

  return {
    fitted(model, requestTokens, fits) {
      const before = windows.get(model) ?? { most: Number.POSITIVE_INFINITY, fits: 0, until: 0 };
      if (fits) {
        const most = requestTokens > before.most ? Number.POSITIVE_INFINITY : before.most;
        windows.set(model, { ...before, most, fits: Math.max(before.fits, requestTokens) });
      } else if (requestTokens > before.fits) {
        // What fitted before cannot have been too much: such a refusal has another reason.
        const most = Math.max(before.fits, Math.floor(requestTokens * afterOverflow));
        windows.set(model, { ...before, most: Math.min(before.most, most), until: now() + believedMs });
      }
    },
    window(model) {
      const known = windows.get(model);
      return known === undefined || known.until < now() ? Number.POSITIVE_INFINITY : known.most;
    },
    async ratio(model) {
      const ratio = steadyRatio(steady.get(model), (await load(model)).now);
      steady.set(model, ratio);
      return ratio;
    },
    async learn(model, counted, reported) {
      const known = await load(model);
      known.now = smoothed(known.now, counted, reported);
      if (Math.abs(known.now - known.written) < worthWriting) return;
      known.written = known.now;
      await store.commit([record(calibrationKind, encodeURIComponent(model), { ratio: known.now })]);
    },
  };
}
