import type { Log } from '../../src/log.ts';
import { type Api, slackError } from './api.ts';

/** “is thinking…” beside the bot's name in a thread. Slack takes it away itself when something is posted there. */
export interface Status {
  show(note: string): void;
  /** Nothing of it is on its way any more: what is posted now ends it. */
  settled(): Promise<void>;
  /** Something was posted for all to see, and has ended it. */
  ended(): void;
  /** No message was posted. */
  clear(): Promise<void>;
}

const thinking = 'is thinking…';
const maxChars = 50;

/** It stands behind the bot's name: “is folding…”. A note that begins with a sign says itself what it is. */
export function toStatus(note: string): string {
  if (note === '') return thinking;
  const words = /^\p{L}/u.test(note) ? `is ${note}` : note;
  return words.length < maxChars && words.endsWith('…') ? words : `${words.slice(0, maxChars - 1).toWellFormed()}…`;
}

export function createStatus(api: Api, log: Log, channel: string, thread: string | undefined): Status {
  let shown = '';
  let under: Promise<void> = Promise.resolve();

  function set(text: string): void {
    if (thread === undefined || text === shown) return;
    shown = text;
    under = under
      .then(() => api.setStatus(channel, thread, text))
      .catch((error: unknown) => {
        // An answer without a status is still an answer.
        log.debug({ channel, error: slackError(error) }, 'a status could not be shown');
      });
  }

  return {
    show: (note) => set(toStatus(note)),
    settled: () => under,
    ended() {
      shown = '';
    },
    async clear() {
      if (shown === '') return;
      set('');
      await under;
    },
  };
}
