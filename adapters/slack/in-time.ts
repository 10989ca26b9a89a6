import { BotError } from '../../src/errors.ts';

/** Slack waits three seconds from the moment it sends; some of them are the way there and back. */
const mostMs = 2200;

/**
 * All that must be done before Slack is answered. Where that takes too long, Slack is told no in time: it sends an event
 * again, and if the first was kept after all, the second is known.
 */
export async function inTime<T>(task: () => Promise<T>): Promise<T> {
  // A timer and no signal: an abort makes an error with its stack, and events come by the thousand.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BotError('store', 'it takes too long to keep an event')), mostMs);
  });
  const doing = task();
  doing.catch(() => undefined);
  try {
    return await Promise.race([doing, late]);
  } finally {
    clearTimeout(timer);
  }
}
