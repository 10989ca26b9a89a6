import { setTimeout as delay } from 'node:timers/promises';
import { InteractionResponseType, MessageFlags } from 'discord.js';
import type { CommandEvent } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import type { Api } from './api.ts';
import { readOrigin } from './interaction.ts';

/** Discord waits three seconds for a word on a command, and after it a quarter of an hour for the answer. */
export interface Acknowledging {
  /** As soon as the command is durable, or when waiting longer would be too long. */
  begin(event: CommandEvent, kept: Promise<boolean>): void;
  /** Resolves when Discord has been told; what is answered before would be refused. */
  done(event: CommandEvent): Promise<void>;
}

const mostWaitMs = 1500;
const notKept = '⏹️ I am just restarting, or my memory is out of reach. Please give the command again in a moment.';

export function createAcknowledging({ api, log }: { api: Api; log: Log }): Acknowledging {
  const pending = new Map<string, Promise<void>>();

  async function acknowledge(event: CommandEvent, kept: Promise<boolean>): Promise<void> {
    const { interaction, key, how } = readOrigin(event.origin);
    const isKept = await Promise.race([kept, delay(mostWaitMs, true, { ref: false })]);
    const flags = MessageFlags.Ephemeral;
    const deferred =
      how === 'slash'
        ? { type: InteractionResponseType.DeferredChannelMessageWithSource, data: { flags } }
        : { type: InteractionResponseType.DeferredMessageUpdate };
    const refused = { type: InteractionResponseType.ChannelMessageWithSource, data: { flags, content: notKept } };
    await api.answerInteraction(interaction, key, isKept ? deferred : refused);
  }

  return {
    begin(event, kept) {
      const id = `${event.channel}:${event.id}`;
      if (pending.has(id)) return;
      const told = acknowledge(event, kept).catch((error: unknown) => {
        // Too late, or told already: the command itself is kept, and its answer finds another way.
        log.info({ channel: event.channel, event: event.id, error }, 'a command could not be acknowledged');
      });
      pending.set(id, told);
      void told.then(() => pending.delete(id));
    },
    done: (event) => pending.get(`${event.channel}:${event.id}`) ?? Promise.resolve(),
  };
}
