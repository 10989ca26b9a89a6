/** Whether work grows with the length of a text and no faster. */

const lengths = [3_000, 30_000] as const;
/** Ten times the text may take ten times as long, and caches are small. */
const allowed = 15;
/** Less than this is too little to be compared. */
const leastMs = 8;
/** What would not end in a lifetime is seen before it begins: each of these lengths is little more than the one before. */
const steps = Array.from({ length: 31 }, (_, step) => Math.round(16 * 1.15 ** step));
const mostStepMs = 30;
const mostRounds = 10;
/** Longer than this is no accident, and is not measured again. */
const enoughMs = 400;

/** How many times as long the longer text takes: undefined where it takes too little time to matter, or grows as it may. */
export function excess(
  run: (text: string) => unknown,
  make: (length: number) => string,
  [shortLength, longLength]: readonly [short: number, long: number] = lengths,
  matteringMs = leastMs,
): number | undefined {
  for (const length of steps) {
    const text = make(length);
    const begun = performance.now();
    run(text);
    if (performance.now() - begun < mostStepMs) continue;
    if (costMs(() => run(text)) > mostStepMs) return Number.POSITIVE_INFINITY;
  }
  const long = make(longLength);
  let longMs = costMs(() => run(long));
  if (longMs < matteringMs) return undefined;
  const short = make(shortLength);
  const times = longLength / shortLength;
  let shortMs = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= mostRounds; round++) {
    // As many characters as the long one has, so that the clock can tell; the fastest round is what it takes.
    const begun = performance.now();
    for (let time = 0; time < times; time++) run(short);
    const roundMs = performance.now() - begun;
    shortMs = Math.min(shortMs, roundMs / times);
    const again = longMs < enoughMs ? costMs(() => run(long)) : longMs;
    longMs = Math.min(longMs, again);
    if (longMs < matteringMs || longMs / shortMs <= allowed) return undefined;
    if (longMs >= enoughMs && round >= 2) break;
  }
  return longMs / shortMs;
}

/**
 * No more than the thread has worked, and no more than has passed, so that what else the machine does adds nothing. The
 * clock of a thread's work may advance in steps of some milliseconds.
 */
export function costMs(work: () => unknown): number {
  const begun = performance.now();
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return Math.min(performance.now() - begun, (user + system) / 1_000);
}
