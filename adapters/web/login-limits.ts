/** How often passwords may be tried: a few times at once, then with growing waits, by one address and by all together. */
export interface LoginLimits {
  /** Counts an attempt and lets it pass, or says when the next one may come (ms since 1970). */
  attempt(address: string): { retryAt: number } | undefined;
  succeeded(address: string): void;
}

interface Tries {
  count: number;
  /** The next attempt is not looked at before. */
  notBefore: number;
}

const freeTries = 5;
const freeTriesOfAll = 50;
const firstWaitMs = 2_000;
/** Behind a proxy all have one address: nobody is to be kept out for long by another's guesses. */
const longestWaitMs = 60_000;
/** The door must not be shut for everybody by one who knocks from everywhere. */
const longestWaitOfAllMs = 10_000;
/** After so long without an attempt, the count begins anew. */
const forgottenMs = 3_600_000;
const maxAddresses = 10_000;

export function createLoginLimits(now: () => number): LoginLimits {
  const byAddress = new Map<string, Tries>();
  let all: Tries = { count: 0, notBefore: 0 };

  return {
    attempt(address) {
      const key = toNetwork(address);
      const mine = current(byAddress.get(key), now());
      all = current(all, now());
      const retryAt = Math.max(mine.notBefore, all.notBefore);
      if (retryAt > now()) return { retryAt };
      // Counted before it is looked at: many at once are not one.
      byAddress.delete(key);
      byAddress.set(key, counted(mine, now(), freeTries, longestWaitMs));
      all = counted(all, now(), freeTriesOfAll, longestWaitOfAllMs);
      const [oldest] = byAddress.keys();
      if (byAddress.size > maxAddresses && oldest !== undefined) byAddress.delete(oldest);
      return undefined;
    },
    succeeded(address) {
      byAddress.delete(toNetwork(address));
      all = { count: Math.max(0, all.count - 1), notBefore: 0 };
    },
  };
}

function current(tries: Tries | undefined, now: number): Tries {
  const isOver = tries === undefined || now - tries.notBefore > forgottenMs;
  return isOver ? { count: 0, notBefore: now } : tries;
}

function counted({ count }: Tries, now: number, free: number, longestMs: number): Tries {
  const beyond = count + 1 - free;
  return { count: count + 1, notBefore: beyond < 0 ? now : now + Math.min(longestMs, firstWaitMs * 2 ** beyond) };
}

/** Whoever has one IPv6 address has 2^64 of them. */
function toNetwork(address: string): string {
  const plain = address.replace(/^::ffff:/i, '');
  return plain.includes(':') ? plain.split(':').slice(0, 4).join(':') : plain;
}
