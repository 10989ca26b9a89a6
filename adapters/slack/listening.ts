import type { App } from '@slack/bolt';
import type { z } from 'zod';
import type { Author } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import {
  type PersonCommands,
  takesPerson,
  toClickEvent,
  toHomeEvents,
  toSlashEvent,
  type Where,
  withIds,
} from './command.ts';
import { toPlatformError } from './failure.ts';
import { isDirect } from './ids.ts';
import { createInOrder } from './in-order.ts';
import { inTime } from './in-time.ts';
import { type Installation, isFor } from './installation.ts';
import type { Pane } from './pane.ts';
import type { People } from './people.ts';
import type { Taking } from './taking.ts';
import { idsIn, toText } from './text.ts';
import { type Around, isPersons, isTombstone, toDeleteEvents, toEditEvent, toMessageEvent } from './to-event.ts';
import {
  changeSchema,
  clickSchema,
  deletionSchema,
  homeSchema,
  kindSchema,
  messageSchema,
  paneSchema,
  slashSchema,
  type WireMessage,
} from './wire.ts';

/** From Slack's events, commands and clicks to the core's intake. Each resolves when Slack may be told so. */

export interface ListeningDeps {
  people: People;
  taking: Taking;
  pane: Pane;
  where: Where;
  installation: Installation;
  commands: readonly PersonCommands[];
  self: string;
  log: Log;
  now(): number;
  /** The app was removed, or its token revoked. */
  onRemoved(): void;
}

/** The events that are listened to; the manifest asks for these. */
export const listenedEvents = [
  'app_home_opened',
  'app_mention',
  'app_uninstalled',
  'assistant_thread_context_changed',
  'assistant_thread_started',
  'message.channels',
  'message.groups',
  'message.im',
  'message.mpim',
  'tokens_revoked',
] as const;

const maxOrders = 1000;
const mostIssues = 5;
const notKept =
  '⚠️ I am just restarting, or my memory is out of reach. If nothing comes of this in a minute, please try again.';
const noSuchButton = '⚠️ That button is no longer understood. Mention me and write what you want.';

export function createListening(deps: ListeningDeps) {
  const { people, taking, pane, where, self, log } = deps;
  const inOrder = createInOrder();
  /** A slash command says not when it was given: at its first delivery. */
  const orderedAt = new Map<string, number>();

  /** What cannot be read is refused here: sent again it would be no better. What it says is nobody's to log. */
  function read<T>(schema: z.ZodType<T>, given: unknown, what: string): T | undefined {
    const { data, error } = schema.safeParse(given);
    const where = error?.issues.slice(0, mostIssues).map(({ path }) => path.join('.'));
    if (where !== undefined) log.warn({ what, where }, 'something of Slack’s cannot be read and was refused');
    return data;
  }

  /** `channel`: where it was said, which has a name, too. */
  async function around(text: string, channel?: string): Promise<Around> {
    const named = idsIn(text);
    const channels = channel === undefined || isDirect(channel) ? named.channels : [...named.channels, channel];
    return { ...(await people.names({ ...named, channels })), team: where.team };
  }

  async function onMessage(message: WireMessage): Promise<void> {
    if (message.user === undefined || !isPersons(message, self)) return;
    const looked = Promise.all([people.author(message.user), around(message.text, message.channel)]);
    await inOrder.add(message.channel, async () => {
      const [author, names] = await looked;
      const event = toMessageEvent(message, author, names);
      if (event === undefined) return;
      if (event.to === 'direct') pane.said(event);
      await taking.take(event);
    });
  }

  async function onChange(data: unknown): Promise<void> {
    const change = read(changeSchema, data, 'an edit');
    if (change === undefined) return;
    const { channel, message, previous_message: before } = change;
    if (isTombstone(change)) return await onDeletion({ channel, deleted_ts: message.ts, previous_message: before });
    const looked = around(message.text);
    await inOrder.add(channel, async () => {
      const event = toEditEvent(change, await looked);
      if (event !== undefined) await taking.take(event);
    });
  }

  async function onDeletion(deletion: Parameters<typeof toDeleteEvents>[0]): Promise<void> {
    await inOrder.add(deletion.channel, async () => {
      for (const event of toDeleteEvents(deletion, { team: where.team, self })) await taking.take(event);
    });
  }

  async function onAnyMessage(data: unknown): Promise<void> {
    const kind = read(kindSchema, data, 'a message');
    if (kind === undefined) return;
    const { subtype } = kind;
    if (subtype === 'message_changed') return await onChange(data);
    if (subtype === 'message_deleted') {
      const deletion = read(deletionSchema, data, 'a deletion');
      return deletion === undefined ? undefined : await onDeletion(deletion);
    }
    const message = read(messageSchema, data, 'a message');
    if (message !== undefined) await onMessage(message);
  }

  async function onPane(data: unknown, what: 'opened' | 'changed'): Promise<void> {
    const found = read(paneSchema, data, 'a pane');
    if (found === undefined) return;
    const { channel_id: channel, thread_ts: thread } = found.assistant_thread;
    void pane[what](channel, thread);
  }

  async function onHome(data: unknown): Promise<void> {
    const home = read(homeSchema, data, 'a Home tab');
    if (home === undefined || home.tab !== 'home') return;
    const author = await people.author(home.user);
    for (const event of toHomeEvents(home, author, where)) await taking.take(event);
  }

  function firstAt(id: string): number {
    const at = orderedAt.get(id) ?? deps.now();
    orderedAt.set(id, at);
    const [oldest] = orderedAt.keys();
    if (orderedAt.size > maxOrders && oldest !== undefined) orderedAt.delete(oldest);
    return at;
  }

  /** What Slack is answered at once: nothing where the answer follows. */
  async function onSlash(data: unknown): Promise<string | undefined> {
    const slash = read(slashSchema, data, 'a command');
    if (slash === undefined) return undefined;
    const at = firstAt(slash.trigger_id);
    const typed = takesPerson(slash.text, deps.commands) ? withIds(slash.text) : slash.text;
    const [author, names] = await Promise.all([people.author(slash.user_id, slash.user_name), around(typed)]);
    const line = toText({ text: typed }, { ...names, self: '' });
    await taking.take(toSlashEvent(slash, line, author, at, where));
    return undefined;
  }

  async function onClick(data: unknown): Promise<string | undefined> {
    const click = read(clickSchema, data, 'a click');
    if (click === undefined) return undefined;
    const author = await authorOf(click.user);
    const event = toClickEvent(click, author, where);
    if (event === undefined) return noSuchButton;
    await taking.take(event);
    return undefined;
  }

  async function authorOf(user: {
    id: string;
    username?: string | undefined;
    name?: string | undefined;
  }): Promise<Author> {
    return await people.author(user.id, user.name ?? user.username);
  }

  /** Commands and clicks do not come again: whoever gave one is told. */
  async function orTold(task: () => Promise<string | undefined>): Promise<string | undefined> {
    try {
      return await inTime(task);
    } catch (error) {
      log.warn({ error }, 'a command could not be kept');
      return notKept;
    }
  }

  return {
    /** Read, not sent; as it stands now. */
    async missed(message: WireMessage): Promise<void> {
      await onMessage(message);
      if (message.edited === undefined) return;
      await onChange({ subtype: 'message_changed', channel: message.channel, message });
    },

    to(app: App): void {
      app.use(async ({ body, next }) => {
        if (isFor(deps.installation, body)) return await next();
        log.warn({ type: body.type }, 'something for another workspace than the app is installed in was refused');
      });
      app.event('app_mention', ({ event }) => inTime(() => onAnyMessage(event)));
      app.event('message', ({ event }) => inTime(() => onAnyMessage(event)));
      app.event('assistant_thread_started', ({ event }) => onPane(event, 'opened'));
      app.event('assistant_thread_context_changed', ({ event }) => onPane(event, 'changed'));
      app.event('app_home_opened', ({ event }) => inTime(() => onHome(event)));
      app.event('tokens_revoked', async ({ event }) => {
        if (event.tokens.bot?.includes(self)) deps.onRemoved();
      });
      app.event('app_uninstalled', async () => deps.onRemoved());
      app.command(/.*/, async ({ command, ack }) => {
        const text = await orTold(() => onSlash(command));
        await (text === undefined ? ack() : ack({ response_type: 'ephemeral', text }));
      });
      app.action(/.*/, async ({ body, ack, respond }) => {
        const text = await orTold(() => onClick(body));
        await ack();
        if (text === undefined) return;
        // Slack waits for no more than the acknowledgement.
        respond({ response_type: 'ephemeral', replace_original: false, text }).catch((error: unknown) => {
          log.warn({ error: toPlatformError(error, deps.now()) }, 'whoever clicked could not be told');
        });
      });
      // Not acknowledged then: it comes again.
      app.error(async (error) => {
        throw error;
      });
    },
  };
}
