import type { ChannelId } from '../src/event.ts';
import type { Program } from './process.ts';

/** A platform with one bot in it. */
export interface Stage {
  name: 'slack' | 'discord';
  apiUrl: string;
  env: Record<string, string>;
  /** What this program needs beside. */
  ownEnv: Record<string, string>;
  channels: ChannelId[];
  /** Resolves when the bot can be spoken to. `ending`: what completes an answer, a method or this program's buttons. */
  connect(program: Program, ending: string): Promise<void>;
  /** Says it in the channel of this number, and resolves when it is answered to the end. */
  ask(channel: number, text: string): Promise<void>;
  /** How long each event since the last time waited for its acknowledgement, in ms; nothing where there is none. */
  takeAcks(): number[];
  close(): Promise<void>;
}

const longestMs = 30_000;

/** One question at a time in each channel. `standing`: what stands there, for whoever wonders why no answer came. */
export function createAnswers(standing: (channel: string) => unknown) {
  const open = new Map<string, PromiseWithResolvers<void>>();
  return {
    async begin(channel: string): Promise<void> {
      const answered = Promise.withResolvers<void>();
      open.set(channel, answered);
      const timer = setTimeout(() => {
        answered.reject(new Error(`a question was not answered: ${JSON.stringify(standing(channel))}`));
      }, longestMs);
      await answered.promise.finally(() => clearTimeout(timer));
    },
    end(channel: string): void {
      open.get(channel)?.resolve();
      open.delete(channel);
    },
  };
}
