import { createDelivery, type Delivery } from './slack-delivery.ts';
import type { MethodState } from './slack-methods.ts';
import { type ApiRequest, type Fault, type Gate, startServer } from './slack-server.ts';
import {
  buttonsOf,
  createWorld,
  type Message,
  type Person,
  type Place,
  type SlackFile,
  textOf,
} from './slack-world.ts';

/**
 * A Slack of one's own: Web API, Socket Mode, signed requests and streams, with the limits and refusals of the real one
 * and faults to inject. Everything a person can do there is a function.
 */

export const slackTokens = {
  bot: 'xoxb-simulated-bot-token',
  app: 'xapp-simulated-app-token',
  signing: 'simulated-signing-secret',
};

export interface SlackOptions {
  ackMs?: number;
  retryMs?: number;
  streamMs?: number;
  /** What the token may do; everything where it is not said. */
  scopes?: readonly string[];
  /** The events subscribed to; all where it is not said. */
  events?: readonly string[];
}

/** So often an address takes an answer. */
const mostResponses = 5;

export type Slack = Awaited<ReturnType<typeof startSlackServer>>;

interface Said {
  thread?: string;
  files?: SlackFile[];
  changes?: Partial<Message>;
}

interface Kept {
  size?: number;
  /** Instead of where it is. */
  url?: string;
  /** Whoever asks for it is sent there. */
  movedTo?: string;
}

export async function startSlackServer(options: SlackOptions = {}) {
  const now = Date.now;
  const world = createWorld(now);
  const requests: ApiRequest[] = [];
  const faults: Fault[] = [];
  const watchers = new Set<() => void>();
  const files: Parameters<typeof startServer>[0]['files'] = new Map();
  const tokens: Parameters<typeof startServer>[0]['tokens'] = { bot: 'valid', app: 'valid' };
  const granted = { granted: options.scopes === undefined ? undefined : new Set(options.scopes) };
  const hello = { said: true };
  const responses = new Map<string, { user: string; said: Record<string, unknown>[] }>();
  let gate: Gate | undefined;
  let origin = '';
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const ackMs = options.ackMs ?? 3000;
  const delivery = createDelivery({
    now,
    signingSecret: slackTokens.signing,
    ackMs,
    retryMs: options.retryMs ?? ackMs + 500,
    onAcknowledged: () => setImmediate(changed),
  });

  function isSubscribed(event: Record<string, unknown>): boolean {
    const { events } = options;
    if (events === undefined) return true;
    if (event.type !== 'message') return events.includes(String(event.type));
    const kinds: Record<string, string> = { channel: 'channels', im: 'im', mpim: 'mpim' };
    return events.includes(`message.${kinds[String(event.channel_type)]}`);
  }

  function emit(event: Record<string, unknown>): Delivery | undefined {
    if (!isSubscribed(event)) return undefined;
    const authorizations = [{ team_id: world.team, user_id: world.bot.id, is_bot: true, is_enterprise_install: false }];
    const base = { type: 'event_callback', team_id: world.team, api_app_id: world.bot.appId, authorizations };
    const event_id = world.newId('Ev');
    return delivery.send('events_api', { ...base, event, event_id, event_time: Math.floor(now() / 1000) });
  }

  const state: MethodState = {
    world,
    now,
    streamMs: options.streamMs ?? 300_000,
    emit,
    ephemerals: [],
    statuses: [],
    titles: new Map(),
    prompts: new Map(),
    homes: new Map(),
    uploads: new Map(),
    shared: [],
    origin: () => origin,
  };
  const server = await startServer({
    state,
    botToken: slackTokens.bot,
    appToken: slackTokens.app,
    faults,
    files,
    tokens,
    scopes: granted,
    hello,
    onSocket: (socket) => {
      delivery.accept(socket, hello.said);
      setImmediate(changed);
    },
    onRequest: (request) => void requests.push(request),
    onResponseUrl(id, body) {
      const found = responses.get(id);
      if (found === undefined || found.said.length >= mostResponses) return 404;
      found.said.push(body);
      setImmediate(changed);
      return 200;
    },
    async gate(request, when) {
      const passage = await gate?.(request, when);
      setImmediate(changed);
      return passage ?? 'pass';
    },
  });
  origin = server.origin;

  const mention = `<@${world.bot.id}>`;
  /** What tells of each message, to be sent again. */
  const told = new Map<string, Delivery[]>();

  function isMention(place: Place, { subtype, text, user }: Message): boolean {
    const isSaid = [undefined, 'file_share', 'thread_broadcast', 'me_message'].includes(subtype);
    return isSaid && text.includes(mention) && place.kind !== 'im' && user !== world.bot.id;
  }

  /** Told beside the message, also of one that has become a mention by an edit. */
  function mentionOf(place: Place, message: Message): Record<string, unknown> {
    const { subtype: _, ...said } = message;
    return { ...said, type: 'app_mention', channel: place.id, event_ts: message.ts, user_team: message.team };
  }

  function tellOf(place: Place, message: Message): void {
    const event = { ...message, channel: place.id, event_ts: message.ts, user_team: message.team };
    const copies = [emit({ ...event, channel_type: place.kind })];
    if (isMention(place, message)) copies.push(emit(mentionOf(place, message)));
    told.set(
      message.ts,
      copies.flatMap((one) => one ?? []),
    );
  }

  function write(person: Pick<Person, 'id' | 'team'>, place: Place, text: string, said: Said): Message {
    const { thread, files: attached, changes = {} } = said;
    return world.add(place.id, {
      type: 'message',
      ts: world.newTs(),
      user: person.id,
      team: person.team,
      text,
      ...(thread === undefined ? {} : { thread_ts: thread }),
      ...(attached === undefined ? {} : { files: attached, subtype: 'file_share' }),
      ...changes,
    });
  }

  function responseUrl(user: string): { url: string; id: string } {
    const id = world.newId('R');
    responses.set(id, { user, said: [] });
    return { url: `${origin}/response/${id}`, id };
  }

  return {
    /** As SLACK_API_URL takes it. */
    url: `${origin}/api/`,
    origin,
    world,
    state,
    delivery,
    requests,
    faults,
    tokens,
    hello,
    responses,
    mention,
    bot: world.bot,
    emit,
    grant: (scopes: readonly string[]) => {
      granted.granted = new Set(scopes);
    },
    /** Waited for before each request is done, and before its answer goes out; `drop` ends it there. */
    gateWith(next: Gate | undefined): void {
      gate = next;
    },

    say(person: Pick<Person, 'id' | 'team'>, place: Place, text: string, said: Said = {}): Message {
      const message = write(person, place, text, said);
      tellOf(place, message);
      return message;
    },

    /** Said while nobody listens: it stands there, but no event tells of it. */
    sayUnheard: (person: Person, place: Place, text: string, said: Said = {}) => write(person, place, text, said),

    /** The same events again. */
    repeat(message: Message): void {
      for (const one of told.get(message.ts) ?? []) delivery.repeat(one);
    },

    edit(place: Place, message: Message, text: string): void {
      const previous = { ...message };
      message.text = text;
      message.edited = { user: message.user, ts: world.newTs() };
      const base = { type: 'message', subtype: 'message_changed', hidden: true, ts: world.newTs() };
      emit({
        ...base,
        channel: place.id,
        channel_type: place.kind,
        message: { ...message },
        previous_message: previous,
      });
      if (isMention(place, message)) emit(mentionOf(place, message));
    },

    /** What Slack sends when it has looked at a link: the text is the same. */
    unfurl(place: Place, message: Message): void {
      const previous = { ...message };
      message.attachments = [{ title: 'A page' }];
      const base = { type: 'message', subtype: 'message_changed', hidden: true, ts: world.newTs() };
      emit({
        ...base,
        channel: place.id,
        channel_type: place.kind,
        message: { ...message },
        previous_message: previous,
      });
    },

    /** A message with replies leaves its place to a tombstone, as Slack does it. */
    remove(place: Place, ts: string): void {
      const message = world.find(place.id, ts);
      if (message === undefined) return;
      const base = { type: 'message', hidden: true, ts: world.newTs(), channel: place.id, channel_type: place.kind };
      const previous = { ...message };
      if ((message.reply_count ?? 0) > 0) {
        Object.assign(message, { subtype: 'tombstone', text: 'This message was deleted.', user: 'USLACKBOT' });
        emit({ ...base, subtype: 'message_changed', message: { ...message }, previous_message: previous });
        return;
      }
      world.remove(place.id, ts);
      emit({ ...base, subtype: 'message_deleted', deleted_ts: ts, previous_message: previous });
    },

    attach(name: string, type: string, body: Uint8Array, more: Kept = {}): SlackFile {
      const id = world.newId('F');
      files.set(id, { type, body, token: slackTokens.bot, movedTo: more.movedTo });
      const url = more.url ?? `${origin}/files/${id}`;
      return { id, name, mimetype: type, size: more.size ?? body.length, url_private: url };
    },

    /** `/channelore role show` */
    command(person: Person, place: Place, text: string, command = '/channelore') {
      const { url, id } = responseUrl(person.id);
      const payload = {
        token: 'x',
        team_id: world.team,
        api_app_id: world.bot.appId,
        channel_id: place.id,
        channel_name: place.kind === 'im' ? 'directmessage' : place.name,
        user_id: person.id,
        user_name: person.name.toLowerCase(),
        command,
        text,
        response_url: url,
        trigger_id: `${world.newId('1')}.2.abc`,
      };
      return Object.assign(delivery.send('slash_commands', payload), { responseId: id });
    },

    press(
      person: Person,
      place: Place,
      message: Pick<Message, 'ts' | 'thread_ts'> & { blocks?: readonly unknown[] },
      label: string,
      isEphemeral = false,
    ) {
      const button = buttonsOf(message).find((one) => one.label === label);
      if (button === undefined) throw new Error(`there is no button ${label}`);
      const { url, id } = responseUrl(person.id);
      const { action_id, block_id, value } = button;
      const thread = message.thread_ts === undefined ? {} : { thread_ts: message.thread_ts };
      const payload = {
        type: 'block_actions',
        team: { id: world.team, domain: 'sim' },
        user: { id: person.id, username: person.name.toLowerCase(), name: person.name, team_id: person.team },
        api_app_id: world.bot.appId,
        container: {
          type: 'message',
          message_ts: message.ts,
          channel_id: place.id,
          is_ephemeral: isEphemeral,
          ...thread,
        },
        channel: { id: place.id, name: place.name },
        ...(isEphemeral ? {} : { message }),
        response_url: url,
        trigger_id: `${world.newId('1')}.2.abc`,
        actions: [{ type: 'button', action_id, block_id, value, action_ts: world.newTs() }],
      };
      return Object.assign(delivery.send('interactive', payload), { responseId: id });
    },

    openHome(person: Person): void {
      const channel = world.im(person.id).id;
      emit({ type: 'app_home_opened', user: person.id, channel, tab: 'home', event_ts: world.newTs() });
    },

    /** The assistant's pane is opened; gives its thread. */
    openPane(person: Person): string {
      const channel_id = world.im(person.id).id;
      const thread_ts = world.newTs();
      const context = { channel_id: 'C1', team_id: world.team };
      const assistant_thread = { user_id: person.id, context, channel_id, thread_ts };
      emit({ type: 'assistant_thread_started', assistant_thread, event_ts: thread_ts });
      return thread_ts;
    },

    /** What of the bot's stands there, oldest first; in a thread where one is named. */
    posts(place: Place, thread?: string): Message[] {
      const own = world.inPlace(place.id).filter((one) => one.user === world.bot.id);
      return thread === undefined ? own : own.filter((one) => one.thread_ts === thread);
    },

    textOf,
    buttonsOf,
    isStreaming: (message: Message) => world.streams.has(message.ts),

    /** What one person alone has been told, however it came to them. */
    toldPrivately(person: Person): string[] {
      const answers = [...responses.values()].filter((one) => one.user === person.id).flatMap((one) => one.said);
      const shown = state.ephemerals.filter((one) => one.user === person.id).map((one) => one.message);
      return [...answers.map((one) => ({ text: '', ...one })), ...shown].map(textOf);
    },

    /** Resolves when it holds; looked at whenever something happens. */
    async until<T>(check: () => T | undefined | false, what: string, ms = 15_000): Promise<T> {
      const deadline = now() + ms;
      for (;;) {
        const found = check();
        if (found !== undefined && found !== false) return found;
        if (now() > deadline) throw new Error(`waited in vain until ${what}`);
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            watchers.delete(done);
            resolve();
          };
          const timer = setTimeout(done, 50);
          watchers.add(done);
        });
      }
    },

    /** What was sent that the real one would have refused as malformed. */
    refused: () =>
      requests.filter(({ answer }) => /^(invalid_|msg_|no_text|unknown_method|missing_recipient)/.test(answer ?? '')),

    async close(): Promise<void> {
      delivery.close();
      await server.close();
    },
  };
}
