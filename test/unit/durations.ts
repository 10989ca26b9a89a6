/** What else runs on the machine can only make work slower: it is measured again while it seems too slow. */

const fewestRounds = 2;
const enoughMs = 10_000;

export function timed(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

/** How many times as long `long` takes as `short`, by the fastest of each. */
export function slowdown(long: () => void, short: () => void, allowed: number): number {
  let [most, least] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const begun = performance.now();
  for (let round = 1; round <= fewestRounds || performance.now() - begun < enoughMs; round++) {
    most = Math.min(most, timed(long));
    least = Math.min(least, timed(short));
    if (round >= fewestRounds && most / least <= allowed) break;
  }
  return most / least;
}

/** The longest that a turn of the event loop kept a core busy until then, in milliseconds. */
export async function longestTurn(until: Promise<unknown>): Promise<number> {
  let going = true;
  const done = until.finally(() => {
    going = false;
  });
  let longest = 0;
  while (going) {
    const begun = process.threadCpuUsage();
    await new Promise((resolve) => setImmediate(resolve));
    const { user, system } = process.threadCpuUsage(begun);
    longest = Math.max(longest, (user + system) / 1000);
  }
  await done;
  return longest;
}
