import type { MessageEvent } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { type Api, slackError } from './api.ts';
import { toPlace } from './ids.ts';

/** The assistant's pane: what it suggests when it is opened, and what its threads are called. */
export interface Pane {
  opened(channel: string, thread: string): Promise<void>;
  /** Whoever has it open has gone to another channel. */
  changed(channel: string, thread: string): Promise<void>;
  /** The first thing said in a thread gives it its title. */
  said(event: MessageEvent): void;
}

export const prompts = [
  { title: 'What can you do?', message: '/help' },
  { title: 'What do you remember?', message: '/memory show' },
  { title: 'Explain something', message: 'Explain to me, in a few sentences, how ' },
  { title: 'Draft a message', message: 'Help me write a message to my team about ' },
];
const maxUntitled = 1000;
const maxTitleChars = 60;

export function createPane(api: Api, log: Log): Pane {
  const untitled = new Set<string>();

  async function suggest(channel: string, thread: string): Promise<void> {
    try {
      await api.unhurried(() => api.setPrompts(channel, thread, prompts));
    } catch (error) {
      log.info({ channel, error: slackError(error) }, 'nothing could be suggested');
    }
  }

  return {
    async opened(channel, thread) {
      untitled.add(thread);
      const [oldest] = untitled;
      if (untitled.size > maxUntitled && oldest !== undefined) untitled.delete(oldest);
      await suggest(channel, thread);
    },

    // It keeps the title that its first question gave it.
    changed: suggest,

    said(event) {
      const { channel, thread } = toPlace(event.channel);
      if (thread === undefined || !untitled.delete(thread)) return;
      const title = event.text.replace(/\s+/g, ' ').trim().slice(0, maxTitleChars).toWellFormed();
      if (title === '') return;
      api.setTitle(channel, thread, title).catch((error: unknown) => {
        log.info({ channel, error: slackError(error) }, 'a thread could not be given its title');
      });
    },
  };
}
