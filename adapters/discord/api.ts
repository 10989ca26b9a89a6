import { setTimeout as delay } from 'node:timers/promises';
import {
  type RawFile,
  type REST,
  type RESTPatchAPIChannelMessageJSONBody,
  type RESTPostAPIChannelMessageJSONBody,
  Routes,
} from 'discord.js';
import { z } from 'zod';
import { troubleOf } from './failure.ts';
import { channelSchema, memberSchema, messageSchema, type Post, postSchema, type WireChannel } from './wire.ts';

/** The requests that are made, and nothing else of the REST API. */

export type MessageBody = RESTPostAPIChannelMessageJSONBody;

export type Api = ReturnType<typeof createApi>;

const pageSize = 100;
const pausesMs = [500, 1000, 2000, 4000];

export function createApi(rest: REST, signal: AbortSignal) {
  const withFiles = (files: RawFile[]) => (files.length === 0 ? {} : { files });

  async function page(channel: string, after: string) {
    const query = new URLSearchParams({ after, limit: String(pageSize) });
    return z.array(z.unknown()).parse(await rest.get(Routes.channelMessages(channel), { query }));
  }

  return {
    /** What must be done is tried again for some seconds; each attempt must be harmless beside the others. */
    async patiently<T>(task: () => Promise<T>): Promise<T> {
      for (const pauseMs of pausesMs) {
        try {
          return await task();
        } catch (error) {
          if (troubleOf(error) !== 'passing' || signal.aborted) throw error;
          // A shutdown ends the waiting; the next attempt is then the last.
          await delay(pauseMs, undefined, { signal }).catch(() => undefined);
        }
      }
      return await task();
    },

    async post(channel: string, body: MessageBody, files: RawFile[] = []): Promise<Post> {
      return postSchema.parse(await rest.post(Routes.channelMessages(channel), { body, ...withFiles(files) }));
    },

    async edit(channel: string, id: string, body: RESTPatchAPIChannelMessageJSONBody): Promise<void> {
      await rest.patch(Routes.channelMessage(channel, id), { body });
    },

    /** Gone already is as good. */
    async remove(channel: string, id: string): Promise<void> {
      try {
        await rest.delete(Routes.channelMessage(channel, id));
      } catch (error) {
        if (troubleOf(error) !== 'message-gone') throw error;
      }
    },

    async type(channel: string): Promise<void> {
      await rest.post(Routes.channelTyping(channel));
    },

    /** What stands in the channel since then, oldest first, a page at a time. */
    async *messagesAfter(channel: string, after: string, maxPages: number): AsyncGenerator<unknown[]> {
      let from = after;
      for (let n = 0; n < maxPages; n++) {
        const found = (await page(channel, from)).reverse();
        yield found;
        const last = postSchema.safeParse(found.at(-1));
        if (found.length < pageSize || !last.success) return;
        from = last.data.id;
      }
    },

    async message(channel: string, id: string) {
      return messageSchema.parse(await rest.get(Routes.channelMessage(channel, id)));
    },

    async channel(id: string): Promise<WireChannel> {
      return channelSchema.parse(await rest.get(Routes.channel(id)));
    },

    async self(): Promise<string> {
      return z.object({ id: z.string() }).parse(await rest.get(Routes.user())).id;
    },

    async application(): Promise<string> {
      return z.object({ id: z.string() }).parse(await rest.get(Routes.currentApplication())).id;
    },

    async member(guild: string, user: string) {
      return memberSchema.parse(await rest.get(Routes.guildMember(guild, user)));
    },

    async directChannel(user: string): Promise<string> {
      const body = { recipient_id: user };
      return channelSchema.parse(await rest.post(Routes.userChannels(), { body })).id;
    },

    /** These carry their own key: no token of ours. */
    async answerInteraction(id: string, key: string, body: unknown): Promise<void> {
      await rest.post(Routes.interactionCallback(id, key), { body, auth: false });
    },

    async editAnswer(application: string, key: string, body: MessageBody, files: RawFile[] = []): Promise<void> {
      await rest.patch(Routes.webhookMessage(application, key), { body, auth: false, ...withFiles(files) });
    },

    async addAnswer(application: string, key: string, body: MessageBody, files: RawFile[] = []): Promise<void> {
      await rest.post(Routes.webhook(application, key), { body, auth: false, ...withFiles(files) });
    },

    async removeAnswer(application: string, key: string): Promise<void> {
      await rest.delete(Routes.webhookMessage(application, key), { auth: false });
    },

    async commands(application: string): Promise<unknown> {
      return await rest.get(Routes.applicationCommands(application));
    },

    async registerCommands(application: string, body: unknown): Promise<void> {
      await rest.put(Routes.applicationCommands(application), { body });
    },
  };
}
