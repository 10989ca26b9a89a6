import type { App, Receiver } from '@slack/bolt';
import type { Log } from '../../src/log.ts';

/** The line on which Slack's events come in: a socket of ours, or requests of Slack's. */
export interface Line extends Receiver {
  /** Resolves when events can come; what will not pass is thrown. */
  open(): Promise<void>;
  health(): { ready: boolean; detail: string };
  /** Begins anew, after something has gone wrong that nobody expected; where nothing is kept open there is nothing to do. */
  reopen(): void;
  /** Takes nothing more in. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** Hands over what came in; resolves, when all of it is done, with what Slack is to be answered. */
export type Deliver = (body: Record<string, unknown>) => Promise<unknown>;

/**
 * Bolt acknowledges events before it calls a listener, so that a crash in between loses them. It is given an
 * acknowledgement that only notes what is to be said; Slack is told when the listeners have done their part.
 *
 * Bolt throws at what has not the shape that it expects. Sent again it would have the same, so it counts as dealt with;
 * what fails once the listeners have it is not, and comes again.
 */
export function createDeliver(log: Log): { init(app: App): void; deliver: Deliver } {
  const reached = new WeakSet<object>();
  let app: App | undefined;

  async function deliver(body: Record<string, unknown>): Promise<unknown> {
    let answer: unknown;
    const ack = async (response?: unknown): Promise<void> => {
      answer = response ?? answer;
    };
    try {
      await app?.processEvent({ body, ack });
    } catch (error) {
      if (reached.has(body)) throw error;
      log.warn({ error }, 'something of Slack’s cannot be read and was refused');
    }
    return answer;
  }

  return {
    init(given) {
      app = given;
      app.use(async ({ body, next }) => {
        reached.add(body);
        await next();
      });
    },
    deliver,
  };
}
