/** The same cases each time, so that a test that passes on one machine passes on the next; any, and many, when asked for. */
export function runs(count: number): { numRuns: number; seed?: number } {
  return process.env.LONG === undefined ? { numRuns: count, seed: 20261121 } : { numRuns: count * longer };
}

const longer = 50;
