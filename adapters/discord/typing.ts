import type { Api } from './api.ts';
import { troubleOf } from './failure.ts';

/** "… is typing": Discord shows it for ten seconds, so it is renewed until the answer begins. */
export interface Typing {
  /** Throws what keeps the bot from writing there at all; anything else is no reason not to answer. */
  start(): Promise<void>;
  stop(): void;
}

const renewMs = 8_000;

export function createTyping(api: Api, channel: string): Typing {
  let timer: NodeJS.Timeout | undefined;
  let first: Promise<void> | undefined;

  async function type(): Promise<void> {
    try {
      await api.type(channel);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'forbidden' || trouble === 'channel-gone') throw error;
    }
  }

  return {
    async start() {
      timer ??= setInterval(() => void type().catch(() => undefined), renewMs).unref();
      // The first is on its way while the question is read; whoever asks again hears what came of it.
      if (first !== undefined) return await first;
      first = type();
      first.catch(() => undefined);
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
      first = undefined;
    },
  };
}
