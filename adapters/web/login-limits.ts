import type { Rights } from './access.ts';
import type { Mark } from './sessions.ts';

/**
 * How often passwords may be tried: a few times at once, then with growing waits, by one address and by all together.
 * A right password takes back nothing but its own attempt, so that whoever knows one of them cannot guess the other.
 * Whoever guesses behind an address that many share shuts out nobody who has logged in before: a browser with a mark has
 * a count of its own, and while the others wait it may still have what it had.
 */
export interface LoginLimits {
  attempt(from: { address: string; mark: Mark | undefined }): Attempt;
}

interface Attempt {
  /** When the next one may come, where this one is not looked at, or not for all it may be (ms since 1970). */
  retryAt: number | undefined;
  /** The most it may give; nothing where the password is not looked at. */
  most: Rights | undefined;
  /** To be called at once where the password was right. */
  succeeded(): void;
}

interface Tries {
  count: number;
  /** The next attempt is not looked at before. */
  notBefore: number;
  /** When the last one came. */
  at: number;
}

interface Rule {
  free: number;
  longestWaitMs: number;
  /** One attempt less counts after so long without any. */
  fallMs: number;
}

const firstWaitMs = 2_000;
const ofAddress: Rule = { free: 5, longestWaitMs: 60_000, fallMs: 600_000 };
/** The door must not be shut for everybody by one who knocks from everywhere. */
const ofAll: Rule = { free: 50, longestWaitMs: 10_000, fallMs: 60_000 };
/** Right passwords: each makes a session, and sessions have a share of what the server can do. */
const ofEntries: Rule = { free: 30, longestWaitMs: 60_000, fallMs: 60_000 };
const maxKnown = 10_000;

export function createLoginLimits(now: () => number): LoginLimits {
  const addresses = createCounts(ofAddress, now);
  const marks = createCounts(ofAddress, now);
  const entries = createCounts(ofEntries, now);
  const all = createCounts(ofAll, now);

  return {
    attempt({ address, mark }) {
      const network = toNetwork(address);
      const who = mark?.id ?? network;
      const own = Math.max(entries.waitOf(who), mark === undefined ? 0 : marks.waitOf(mark.id));
      const shared = Math.max(addresses.waitOf(network), all.waitOf(''));
      if (own > now() || (shared > now() && mark === undefined)) {
        return { retryAt: Math.max(own, shared), most: undefined, succeeded: () => {} };
      }
      // Counted before it is looked at: many at once are not one.
      const takeBack = mark === undefined ? [] : [marks.count(mark.id)];
      const isWaiting = shared > now();
      if (!isWaiting) takeBack.push(addresses.count(network), all.count(''));
      return {
        retryAt: isWaiting ? shared : undefined,
        most: isWaiting ? mark?.rights : 'admin',
        succeeded() {
          for (const one of takeBack) one();
          entries.count(who);
        },
      };
    },
  };
}

function createCounts(rule: Rule, now: () => number) {
  /** The one counted last stands last. */
  const known = new Map<string, Tries>();

  function current(key: string): Tries {
    const { count, notBefore, at } = known.get(key) ?? { count: 0, notBefore: 0, at: now() };
    const fallen = Math.max(0, Math.floor((now() - at) / rule.fallMs));
    return { count: Math.max(0, count - fallen), notBefore, at: at + fallen * rule.fallMs };
  }

  function put(key: string, tries: Tries): void {
    known.delete(key);
    known.set(key, tries);
    const [oldest] = known.keys();
    if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
  }

  return {
    waitOf: (key: string): number => current(key).notBefore,
    /** Returns how to take it back. */
    count(key: string): () => void {
      const before = current(key);
      const beyond = before.count + 1 - rule.free;
      const waitMs = beyond < 0 ? 0 : Math.min(rule.longestWaitMs, firstWaitMs * 2 ** beyond);
      put(key, { count: before.count + 1, notBefore: now() + waitMs, at: now() });
      return () => put(key, before);
    },
  };
}

/** Whoever has one IPv6 address has 2^64 of them. */
export function toNetwork(address: string): string {
  const plain = address.replace(/^::ffff:/i, '');
  return plain.includes(':') ? plain.split(':').slice(0, 4).join(':') : plain;
}
