import type { App, Receiver } from '@slack/bolt';

/** The line on which Slack's events come in: a socket of ours, or requests of Slack's. */
export interface Line extends Receiver {
  /** Resolves when events can come; what will not pass is thrown. */
  open(): Promise<void>;
  health(): { ready: boolean; detail: string };
  /** Takes nothing more in. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** Hands over what came in; resolves, when all of it is done, with what Slack is to be answered. */
export type Deliver = (body: Record<string, unknown>) => Promise<unknown>;

/**
 * Bolt acknowledges events before it calls a listener, so that a crash in between loses them. It is given an
 * acknowledgement that only notes what is to be said; Slack is told when the listeners have done their part.
 */
export function createDeliver(app: () => App | undefined): Deliver {
  return async (body) => {
    let answer: unknown;
    await app()?.processEvent({
      body,
      ack: async (response?: unknown) => {
        answer = response ?? answer;
      },
    });
    return answer;
  };
}
