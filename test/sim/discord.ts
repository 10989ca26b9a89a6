import {
  type APIMessage,
  type APIUser,
  ApplicationCommandOptionType,
  ComponentType,
  type GatewayDispatchEvents,
  type GatewayGuildCreateDispatchData,
  InteractionType,
  Locale,
} from 'discord-api-types/v10';
import { createGateway } from './discord-gateway.ts';
import type { Fault, RestRequest } from './discord-limits.ts';
import { emitMessage, type Interaction, type RestState } from './discord-rest.ts';
import { startServer } from './discord-server.ts';
import { createWorld, everyonesPermissions, type Person, type Place, toAttachment } from './discord-world.ts';

/**
 * A Discord of one's own: gateway and REST, typed by discord-api-types, with the limits and refusals of the real one
 * and faults to inject. Everything a person can do there is a function.
 */

export const discordToken = 'MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.simulated.token';

export interface DiscordOptions {
  heartbeatMs?: number;
  /** Posts and edits of one channel, each; by default 5 in 5 seconds. */
  limits?: { count: number; windowMs: number };
  ackMs?: number;
  tokenMs?: number;
  shards?: number;
}

export type Discord = Awaited<ReturnType<typeof startDiscordServer>>;

interface Said {
  replyTo?: APIMessage;
  attachments?: APIMessage['attachments'];
  changes?: Partial<APIMessage>;
}

export async function startDiscordServer(options: DiscordOptions = {}) {
  const now = Date.now;
  const world = createWorld(now);
  const requests: RestRequest[] = [];
  const faults: Fault[] = [];
  const watchers = new Set<() => void>();
  let gate: (request: RestRequest, when: 'before' | 'after') => Promise<void> | void = () => {};
  let origin = '';
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const gateway = createGateway({
    world,
    token: discordToken,
    url: () => origin.replace('http', 'ws'),
    heartbeatMs: options.heartbeatMs ?? 41_250,
  });
  const state: RestState = {
    world,
    interactions: new Map(),
    commands: [],
    files: new Map(),
    nonces: new Map(),
    denied: new Map(),
    attachments: new Map(),
    typing: [],
    ackMs: options.ackMs ?? 3000,
    tokenMs: options.tokenMs ?? 900_000,
    shards: options.shards ?? 1,
    gatewayUrl: () => origin.replace('http', 'ws'),
    emit: gateway.emit,
    now,
  };
  const server = await startServer({
    state,
    token: discordToken,
    limits: options.limits ?? { count: 5, windowMs: 5000 },
    faults,
    onSocket: (socket) => {
      gateway.accept(socket);
      socket.onMessage(() => setImmediate(changed));
    },
    onRequest: (request) => void requests.push(request),
    async gate(request, when) {
      await gate(request, when);
      setImmediate(changed);
    },
  });
  origin = server.origin;

  function interact(person: Person, channel: Place, type: InteractionType, data: unknown, message?: APIMessage) {
    const id = world.newId();
    const token = `interaction-${id}`;
    const interaction: Interaction = {
      id,
      token,
      channel,
      user: person.user,
      at: now(),
      message,
      state: 'open',
      answers: [],
      choices: undefined,
      files: [],
    };
    state.interactions.set(token, interaction);
    const guild = world.guildOf(channel);
    const member = { ...world.memberOf(person), permissions: everyonesPermissions(person.permissions) };
    const who = guild === undefined ? { user: person.user } : { guild_id: guild, member };
    const base = { id, application_id: world.bot.id, type, data, token, version: 1, locale: Locale.EnglishUS };
    const place = { channel_id: channel.id, channel: { id: channel.id, type: channel.type } };
    const rest = {
      app_permissions: '0',
      entitlements: [],
      authorizing_integration_owners: {},
      attachment_size_limit: 0,
    };
    const shown = message === undefined ? {} : { message };
    gateway.emit(
      'INTERACTION_CREATE' as GatewayDispatchEvents,
      { ...base, ...place, ...rest, ...who, ...shown },
      guild,
    );
    return interaction;
  }

  function say(person: Pick<Person, 'user'>, channel: Place, content: string, said: Said = {}): APIMessage {
    const { replyTo, attachments = [], changes = {} } = said;
    const draft = { channel, author: person.user, content, reference: replyTo };
    const message = world.addMessage({ ...draft, changes: { attachments, ...changes } });
    emitMessage(state, 'MESSAGE_CREATE', channel, message);
    return message;
  }

  return {
    /** As DISCORD_API_URL takes it. */
    url: `${origin}/api`,
    world,
    state,
    gateway,
    requests,
    faults,
    bot: world.bot,
    mention: `<@${world.bot.id}>`,
    /** Waited for before each request is done, and before its answer goes out. */
    gateWith(next: typeof gate): void {
      gate = next;
    },
    say,

    /** Said while nobody listens: it stands there, but no event tells of it. */
    sayUnheard(person: Person, channel: Place, content: string, replyTo?: APIMessage): APIMessage {
      return world.addMessage({ channel, author: person.user, content, reference: replyTo });
    },

    /** The same event again. */
    repeat(channel: Place, message: APIMessage): void {
      emitMessage(state, 'MESSAGE_CREATE', channel, message);
    },

    edit(channel: Place, message: APIMessage, content: string): void {
      message.content = content;
      message.edited_timestamp = new Date(now()).toISOString();
      emitMessage(state, 'MESSAGE_UPDATE', channel, message);
    },

    /** What Discord sends when it has looked at a link. */
    embed(channel: Place, message: APIMessage): void {
      message.embeds = [{ title: 'A page' }];
      emitMessage(state, 'MESSAGE_UPDATE', channel, message);
    },

    remove(channel: Place, ...ids: string[]): void {
      world.remove(channel.id, ids);
      const guild = world.guildOf(channel);
      const where = { channel_id: channel.id, ...(guild === undefined ? {} : { guild_id: guild }) };
      const [id] = ids;
      if (ids.length === 1) gateway.emit('MESSAGE_DELETE' as GatewayDispatchEvents, { id, ...where }, guild);
      else gateway.emit('MESSAGE_DELETE_BULK' as GatewayDispatchEvents, { ids, ...where }, guild);
    },

    removeChannel(channel: Place): void {
      world.places.delete(channel.id);
      gateway.emit('CHANNEL_DELETE' as GatewayDispatchEvents, channel, world.guildOf(channel));
    },

    announceThread(thread: Place): void {
      gateway.emit('THREAD_CREATE' as GatewayDispatchEvents, { ...thread, newly_created: true }, world.guildOf(thread));
    },

    join(guild: GatewayGuildCreateDispatchData): void {
      gateway.emit('GUILD_CREATE' as GatewayDispatchEvents, guild, guild.id);
    },

    attach(name: string, type: string, body: Uint8Array, more: { size?: number; ms?: number; origin?: string } = {}) {
      const id = world.newId();
      const path = `/attachments/${id}/${encodeURIComponent(name)}`;
      state.attachments.set(path, { body, type, ms: more.ms ?? 0 });
      return toAttachment(id, `${more.origin ?? origin}${path}`, name, type, more.size ?? body.length);
    },

    /** `/role set text:…` */
    slash(person: Person, channel: Place, path: readonly string[], values: Record<string, string | number> = {}) {
      return interact(person, channel, InteractionType.ApplicationCommand, toData(path, values));
    },

    /** What is offered while the option named last is being typed. */
    type(person: Person, channel: Place, path: readonly string[], values: Record<string, string>) {
      return interact(person, channel, InteractionType.ApplicationCommandAutocomplete, toData(path, values, true));
    },

    press(person: Person, channel: Place, message: APIMessage, label: string) {
      const customId = buttonsOf(message).find((button) => button.label === label)?.custom_id;
      if (customId === undefined) throw new Error(`there is no button ${label}`);
      const data = { custom_id: customId, component_type: ComponentType.Button };
      return interact(person, channel, InteractionType.MessageComponent, data, message);
    },

    /** What of the bot's stands in the channel, oldest first. */
    posts(channel: Place, by: APIUser = world.bot): APIMessage[] {
      return (world.messages.get(channel.id) ?? []).filter((one) => one.author.id === by.id);
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

    /** What was sent that the real one would have refused. */
    refused: () => requests.filter((one) => one.status === 400),

    async close(): Promise<void> {
      gateway.drop();
      await server.close();
    },
  };
}

export interface ShownButton {
  label: string;
  custom_id: string;
}

export function buttonsOf(message: APIMessage): ShownButton[] {
  const rows: unknown[] = message.components ?? [];
  const shown: unknown[] = rows.flatMap((row) =>
    typeof row === 'object' && row !== null && 'components' in row && Array.isArray(row.components)
      ? row.components
      : [],
  );
  return shown.flatMap((button) => {
    if (typeof button !== 'object' || button === null) return [];
    const { label, custom_id: id } = { label: undefined, custom_id: undefined, ...button };
    return typeof label === 'string' && typeof id === 'string' ? [{ label, custom_id: id }] : [];
  });
}

function toData(path: readonly string[], values: Record<string, string | number>, isFocused = false): unknown {
  const entries = Object.entries(values);
  const options = entries.map(([name, value], n) => ({
    name,
    value,
    type:
      typeof value === 'number'
        ? ApplicationCommandOptionType.Integer
        : name === 'who'
          ? ApplicationCommandOptionType.User
          : ApplicationCommandOptionType.String,
    ...(isFocused && n === entries.length - 1 ? { focused: true } : {}),
  }));
  const [name, sub] = path;
  const inner = { type: ApplicationCommandOptionType.Subcommand, name: sub, options };
  return { id: '1', type: 1, name, options: sub === undefined ? options : [inner] };
}
