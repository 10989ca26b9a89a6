import { z } from 'zod';
import { type RecordKind, record, type Store } from '../storage/store.ts';

/**
 * How a model's own token counts compare with ours, learnt from every answer. One above one makes budgets tighter at
 * once; one below never makes them wider than what we count ourselves, it only makes estimates truer.
 */
export interface Calibration {
  ratio(model: string): Promise<number>;
  learn(model: string, counted: number, reported: number): Promise<void>;
  /** The model could not read a prompt of so many tokens: later ones are made smaller from the start. */
  overflowed(model: string, promptTokens: number): void;
  /** By what was learnt so. */
  mostTokens(model: string): number;
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
const afterOverflow = 0.6;
/** A shorter prompt that is refused for its length is refused for something else: cutting questions would not help. */
const smallestWindow = 500;
const worthWriting = 0.02;
/** Short prompts say more about a server's overhead than about its tokeniser. */
const smallestSample = 50;

export function smoothed(before: number, counted: number, reported: number): number {
  if (counted < smallestSample || reported <= 0) return before;
  const seen = Math.min(highest, Math.max(lowest, reported / counted));
  return before + weight * (seen - before);
}

export function createCalibration(store: Store): Calibration {
  const most = new Map<string, number>();
  const ratios = new Map<string, { now: number; written: number }>();

  async function load(model: string): Promise<{ now: number; written: number }> {
    const known = ratios.get(model);
    if (known !== undefined) return known;
    const stored = (await store.get(calibrationKind, encodeURIComponent(model)))?.ratio ?? 1;
    const fresh = ratios.get(model) ?? { now: stored, written: stored };
    ratios.set(model, fresh);
    return fresh;
  }

  const mostTokens = (model: string): number => most.get(model) ?? Number.POSITIVE_INFINITY;

  return {
    mostTokens,
    overflowed(model, promptTokens) {
      const fits = Math.max(smallestWindow, Math.floor(promptTokens * afterOverflow));
      most.set(model, Math.min(mostTokens(model), fits));
    },
    async ratio(model) {
      return (await load(model)).now;
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
