import type { Logger, LogLevel } from '@slack/bolt';
import type { Log } from '../../src/log.ts';

export type BoltLogger = Logger;

/** What Slack's libraries have to say is for whoever looks for a fault: nothing of it is decided by its words. */
export function createBoltLogger(log: Log): BoltLogger {
  let level = 'info' as LogLevel;
  const write = (...words: unknown[]): void => log.debug({ words: words.map(String) }, 'a Slack library says');
  return {
    // Bodies of messages are in these, and tokens' traces: the adapter logs what matters itself.
    debug() {},
    info: write,
    warn: write,
    error: write,
    setLevel(next) {
      level = next;
    },
    getLevel: () => level,
    setName() {},
  };
}
