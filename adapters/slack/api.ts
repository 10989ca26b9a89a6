import { setTimeout as delay } from 'node:timers/promises';
import { type types, webApi } from '@slack/bolt';
import { z } from 'zod';
import type { Notice } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { errorName, neededScopes, retryAfterMs, troubleOf } from './failure.ts';
import { neutralised } from './markdown.ts';
import { type Method, methodScopes } from './methods.ts';
import { type Post, postSchema, userSchema } from './wire.ts';

/** The requests that are made, and nothing else of the Web API. */

export type Blocks = types.KnownBlock[];

export interface Body {
  text: string;
  blocks: Blocks;
  metadata?: types.MessageMetadata;
}

export type Api = ReturnType<typeof createApi>;

interface ApiDeps {
  web: webApi.WebClient;
  log: Log;
  signal: AbortSignal;
  /** The token is no longer good for anything. */
  onUnauthorized(error: unknown): void;
}

const pageSize = 200;
const pausesMs = [500, 1000, 2000, 4000];
const longestWaitMs = 60_000;
/** Of a text without blocks Slack would make links and calls itself. */
const literal = { parse: 'none', link_names: false };
const quiet = { ...literal, unfurl_links: false, unfurl_media: false };

export function createApi(deps: ApiDeps) {
  const { web, log, signal } = deps;
  const lacking = new Set<string>();

  async function call(method: Method, given: Record<string, unknown>): Promise<Record<string, unknown>> {
    try {
      return { ...(await web.apiCall(method, given)) };
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'unauthorized') deps.onUnauthorized(error);
      if (trouble === 'scope') nameScope(method, error);
      throw error;
    }
  }

  /** Once for each: with what the operator has to do. */
  function nameScope(method: Method, error: unknown): void {
    if (lacking.has(method)) return;
    lacking.add(method);
    const scopes = neededScopes(error) ?? methodScopes[method].join(', ');
    const remedy = `the app lacks the scope ${scopes}: add it under OAuth & Permissions (or paste what npm run slack:manifest prints under App Manifest), then reinstall the app`;
    log.error({ method, scopes }, remedy);
  }

  async function rest(ms: number): Promise<void> {
    await delay(Math.min(ms, longestWaitMs), undefined, { signal }).catch(() => undefined);
  }

  /** Waits as long as Slack asks for; this call alone, the others go on. */
  async function unhurried<T>(task: () => Promise<T>): Promise<T> {
    for (let waits = 0; ; waits++) {
      try {
        return await task();
      } catch (error) {
        if (troubleOf(error) !== 'limited' || waits === pausesMs.length || signal.aborted) throw error;
        const ms = retryAfterMs(error) ?? 1000;
        log.info({ ms }, 'Slack asks for a pause');
        await rest(ms);
      }
    }
  }

  async function* pages(method: 'conversations.replies' | 'conversations.history', given: Record<string, unknown>) {
    let cursor: string | undefined;
    do {
      const more = cursor === undefined ? {} : { cursor };
      const found = await call(method, { ...given, ...more, limit: pageSize, include_all_metadata: true });
      const page = pageShape.parse(found);
      yield page.messages;
      cursor = page.response_metadata?.next_cursor || undefined;
    } while (cursor !== undefined);
  }

  return {
    unhurried,

    /** What must be done is tried again for some seconds; each attempt must be harmless beside the others. */
    async patiently<T>(task: () => Promise<T>): Promise<T> {
      for (const pauseMs of pausesMs) {
        try {
          return await unhurried(task);
        } catch (error) {
          const helps = ['passing', 'streaming', 'stream-over'].includes(troubleOf(error)) && !signal.aborted;
          if (!helps) throw error;
          // A shutdown ends the waiting; the next attempt is then the last.
          await rest(pauseMs);
        }
      }
      return await unhurried(task);
    },

    async self() {
      const found = await call('auth.test', {});
      return selfShape.parse(found);
    },

    async post(channel: string, thread: string | undefined, body: Body): Promise<string> {
      const where = thread === undefined ? { channel } : { channel, thread_ts: thread };
      return tsShape.parse(await call('chat.postMessage', { ...where, ...body, ...quiet })).ts;
    },

    async postEphemeral(channel: string, thread: string | undefined, user: string, body: Body): Promise<void> {
      const where = thread === undefined ? { channel, user } : { channel, user, thread_ts: thread };
      const { metadata: _, ...shown } = body;
      await call('chat.postEphemeral', { ...where, ...shown, ...literal });
    },

    async update(channel: string, ts: string, body: Body): Promise<void> {
      await call('chat.update', { channel, ts, ...body, ...literal });
    },

    /** Gone already is as good. */
    async remove(channel: string, ts: string): Promise<void> {
      try {
        await call('chat.delete', { channel, ts });
      } catch (error) {
        if (troubleOf(error) !== 'message-gone') throw error;
      }
    },

    async startStream(given: {
      channel: string;
      thread: string;
      recipient: { user: string; team: string };
      chunks: types.AnyChunk[];
    }): Promise<string> {
      const { channel, thread, recipient, chunks } = given;
      const to = { recipient_user_id: recipient.user, recipient_team_id: recipient.team };
      return tsShape.parse(await call('chat.startStream', { channel, thread_ts: thread, ...to, chunks })).ts;
    },

    async appendStream(channel: string, ts: string, text: string): Promise<void> {
      await call('chat.appendStream', { channel, ts, markdown_text: text });
    },

    async stopStream(channel: string, ts: string): Promise<void> {
      await call('chat.stopStream', { channel, ts });
    },

    /** What was said in the thread, or in the channel, since then, oldest first; nothing where the thread is gone. */
    async messagesAfter(channel: string, thread: string | undefined, after: string): Promise<unknown[]> {
      const found: unknown[] = [];
      const given =
        thread === undefined
          ? pages('conversations.history', { channel, oldest: after })
          : pages('conversations.replies', { channel, ts: thread, oldest: after });
      try {
        for await (const page of given) found.push(...page);
      } catch (error) {
        if (troubleOf(error) !== 'thread-gone') throw error;
      }
      return thread === undefined ? found.reverse() : found;
    },

    async user(id: string) {
      return userSchema.parse(await call('users.info', { user: id })).user;
    },

    async channel(id: string): Promise<{ name: string | undefined; isGroup: boolean }> {
      const shape = z.object({ name: z.string().optional(), is_mpim: z.boolean().default(false) });
      const found = await call('conversations.info', { channel: id });
      const { name, is_mpim: isGroup } = z.object({ channel: shape }).parse(found).channel;
      return { name, isGroup };
    },

    async openDirect(user: string): Promise<string> {
      return z
        .object({ channel: z.object({ id: z.string() }) })
        .parse(await call('conversations.open', { users: user })).channel.id;
    },

    async setStatus(channel: string, thread: string, status: string): Promise<void> {
      const shown = neutralised(status);
      await call('assistant.threads.setStatus', { channel_id: channel, thread_ts: thread, status: shown });
    },

    async setTitle(channel: string, thread: string, title: string): Promise<void> {
      const shown = neutralised(title);
      await call('assistant.threads.setTitle', { channel_id: channel, thread_ts: thread, title: shown });
    },

    async setPrompts(channel: string, thread: string, prompts: { title: string; message: string }[]): Promise<void> {
      await call('assistant.threads.setSuggestedPrompts', { channel_id: channel, thread_ts: thread, prompts });
    },

    async publishHome(user: string, blocks: Blocks): Promise<void> {
      await call('views.publish', { user_id: user, view: { type: 'home', blocks } });
    },

    async upload(channel: string, files: Notice['files']): Promise<void> {
      const done: { id: string; title: string }[] = [];
      for (const { name: given, content, encoding } of files) {
        const name = neutralised(given);
        const body = Buffer.from(content, encoding);
        const found = await call('files.getUploadURLExternal', { filename: name, length: body.length });
        const { upload_url: url, file_id: id } = uploadShape.parse(found);
        const response = await fetch(url, { method: 'POST', body, redirect: 'error', signal });
        if (!response.ok) throw new webApi.WebAPIRequestError(new Error(`upload answered ${response.status}`));
        done.push({ id, title: name });
      }
      await call('files.completeUploadExternal', { channel_id: channel, files: done });
    },
  };
}

const tsShape = z.object({ ts: z.string() });
const selfShape = z.object({
  user_id: z.string(),
  team_id: z.string(),
  bot_id: z.string().optional(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().nullish(),
  /** The workspace's own address. */
  url: z.string(),
});
const uploadShape = z.object({ upload_url: z.string(), file_id: z.string() });
const pageShape = z.object({
  messages: z.array(z.unknown()),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

export function toPosts(found: readonly unknown[]): Post[] {
  return found.flatMap((one) => postSchema.safeParse(one).data ?? []);
}

/** For the log: what Slack called it. */
export function slackError(error: unknown): string {
  return errorName(error) ?? troubleOf(error);
}
