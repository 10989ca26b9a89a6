import type { OnStray } from './event.ts';
import type { Log } from './log.ts';

/**
 * Errors that nobody caught. One that an adapter claims costs that adapter its line, and nobody else anything. A promise
 * that failed and that nobody looked at is written down: what waits for its event does not wait for it. After an exception
 * nobody knows in which state the rest is, so the program ends in good order: what is unfinished is in the inbox.
 */
export function watchStrayErrors(log: Log, end: () => void): OnStray {
  const claims: Parameters<OnStray>[0][] = [];
  const isClaimed = (error: unknown): boolean => claims.some((claim) => claim(error));
  process.on('unhandledRejection', (error) => {
    if (!isClaimed(error)) log.error({ error }, 'a promise failed, and nobody looked at it');
  });
  process.on('uncaughtException', (error) => {
    if (isClaimed(error)) return;
    log.error({ error }, 'something failed in a way that nobody expected: I end, and go on at the next start');
    end();
  });
  return (claim) => void claims.push(claim);
}
