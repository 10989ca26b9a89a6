import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';

/** Channels in which a fold failed: when it is tried again, and who hears of it. */
export interface FoldTroubles {
  /** It failed lately: the pause doubles in turns and in seconds. */
  mustWait(channel: ChannelId, nextSeq: number): boolean;
  /** Answers whether people should now be told; they are told once. */
  failed(channel: ChannelId, nextSeq: number, error: unknown): boolean;
  over(channel: ChannelId): void;
}

interface Trouble {
  failures: number;
  notBefore: number;
  notBeforeSeq: number;
  loggedAt: number;
}

const longestPauseMs = 600_000;
const longestPauseTurns = 64;
const failuresUntilTold = 3;
const failuresUntilQuiet = 5;
const quietLogMs = 3_600_000;

export function createFoldTroubles(log: Log, now: () => number): FoldTroubles {
  const troubles = new Map<ChannelId, Trouble>();

  return {
    mustWait(channel, nextSeq) {
      const trouble = troubles.get(channel);
      return trouble !== undefined && (now() < trouble.notBefore || nextSeq < trouble.notBeforeSeq);
    },

    failed(channel, nextSeq, error) {
      const before = troubles.get(channel);
      const failures = (before?.failures ?? 0) + 1;
      const isQuiet = before !== undefined && failures > failuresUntilQuiet && now() - before.loggedAt < quietLogMs;
      if (!isQuiet) log.warn({ channel, failures, error }, 'a fold failed; the turns stay as they are');
      troubles.set(channel, {
        failures,
        notBefore: now() + Math.min(longestPauseMs, 1000 * 2 ** failures),
        notBeforeSeq: nextSeq + Math.min(longestPauseTurns, 2 ** failures),
        loggedAt: isQuiet ? before.loggedAt : now(),
      });
      return failures === failuresUntilTold;
    },

    over(channel) {
      troubles.delete(channel);
    },
  };
}
