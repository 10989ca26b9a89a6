import { type Client, GatewayDispatchEvents, InteractionResponseType, InteractionType } from 'discord.js';
import type { z } from 'zod';
import type { CommandEvent } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import type { Acknowledging } from './acknowledging.ts';
import type { Api } from './api.ts';
import { catchUp, isRecent } from './catch-up.ts';
import { troubleOf } from './failure.ts';
import type { Place } from './ids.ts';
import { createInOrder } from './in-order.ts';
import { toCommandEvent, typedIn } from './interaction.ts';
import { type Places, placeOf } from './places.ts';
import { type SlashSpec, toSuggestions } from './slash-commands.ts';
import type { Taking } from './taking.ts';
import { toDeleteEvent, toEditEvent, toMessageEvent } from './to-event.ts';
import { deletionSchema, guildSchema, interactionSchema, messageSchema, type WireInteraction } from './wire.ts';

/** From the gateway's packets to the core's intake. */

export interface ListeningDeps {
  api: Api;
  places: Places;
  taking: Taking;
  acknowledging: Acknowledging;
  commands: readonly SlashSpec[];
  /** What an option may be that the list does not know, by what was chosen before it. */
  valuesFor(option: string, values: Record<string, string>): readonly string[];
  log: Log;
  now(): number;
  catchUpMs: number;
  isOpen(): boolean;
  /** Direct channels heard from, newest last: Discord does not list them. */
  direct: Set<string>;
}

const maxDirect = 1000;
const mostIssues = 5;

export function createListening(deps: ListeningDeps) {
  const { api, places, taking, log, direct } = deps;
  const inOrder = createInOrder((error) => log.error({ error }, 'a packet could not be taken in'));

  /** What cannot be read is refused here. What it says is nobody's to log. */
  function read<T>(schema: z.ZodType<T>, given: unknown, what: string): T | undefined {
    const { data, error } = schema.safeParse(given);
    const where = error?.issues.slice(0, mostIssues).map(({ path }) => path.join('.'));
    if (where !== undefined) log.warn({ what, where }, 'something of Discord’s cannot be read and was refused');
    return data;
  }

  function onMessage(data: unknown): void {
    const message = read(messageSchema, data, 'a message');
    if (message === undefined || message.author.bot === true) return;
    if (message.guild_id === undefined) rememberDirect(message.channel_id);
    inOrder.add(message.channel_id, async () => {
      const place = await places.of(message.channel_id, message.guild_id);
      const event = place && toMessageEvent(message, place, places.around(place.guild));
      if (event !== undefined) await taking.take(event, true);
    });
  }

  function onEdit(data: unknown): void {
    const message = read(messageSchema, data, 'an edit');
    if (message === undefined || message.author.bot === true) return;
    inOrder.add(message.channel_id, async () => {
      const place = await places.of(message.channel_id, message.guild_id);
      const event = place && toEditEvent(message, place, places.around(place.guild));
      if (event !== undefined) await taking.take(event, true);
    });
  }

  function onDelete(data: unknown): void {
    const deletion = read(deletionSchema, data, 'a deletion');
    if (deletion === undefined) return;
    const { channel_id: channel, guild_id: guild, id, ids = id === undefined ? [] : [id] } = deletion;
    inOrder.add(channel, async () => {
      const place = await places.of(channel, guild);
      const event = place && toDeleteEvent(ids, place);
      if (event !== undefined) await taking.take(event, true);
    });
  }

  function rememberDirect(channel: string): void {
    direct.delete(channel);
    direct.add(channel);
    const [oldest] = direct;
    if (direct.size > maxDirect && oldest !== undefined) direct.delete(oldest);
  }

  async function onInteraction(data: unknown): Promise<void> {
    const interaction = read(interactionSchema, data, 'an interaction');
    if (interaction === undefined) return;
    if (interaction.type === InteractionType.ApplicationCommandAutocomplete) return await suggest(interaction);
    const place = await placeOfInteraction(interaction);
    const event = place && toCommandEvent(interaction, place);
    if (event === undefined) return;
    await take(event);
  }

  async function placeOfInteraction({ channel, channel_id: id, guild_id: guild }: WireInteraction) {
    const known = channel?.parent_id === undefined ? undefined : placeOf({ ...channel, guild_id: guild });
    return known ?? (await places.of(id, guild));
  }

  async function take(event: CommandEvent): Promise<void> {
    const kept = deps.isOpen() ? taking.take(event, true) : Promise.resolve(false);
    deps.acknowledging.begin(event, kept);
    await kept;
  }

  async function suggest(interaction: WireInteraction): Promise<void> {
    const { path, options, focused = '' } = typedIn(interaction);
    const spec = deps.commands.find((one) => one.path.join(' ') === path.join(' '));
    const option = spec?.options.find(({ name }) => name === focused);
    const choices = option?.choices ?? (option?.live ? deps.valuesFor(focused, options) : []);
    const data = { choices: toSuggestions(choices, options[focused] ?? '') };
    await api.answerInteraction(interaction.id, interaction.token, {
      type: InteractionResponseType.ApplicationCommandAutocompleteResult,
      data,
    });
  }

  /** A new session: what was said before it began is nobody's to tell but the channels'. */
  function catchUpIn(place: Place): void {
    inOrder.add(place.id, async () => {
      const take = (event: Parameters<Taking['take']>[0]) => taking.take(event, false);
      try {
        const count = await catchUp({ api, places, take, backMs: deps.catchUpMs, now: deps.now }, place);
        if (count > 0) log.info({ channel: place.id, count }, 'looked at what was said meanwhile');
      } catch (error) {
        log.warn({ channel: place.id, trouble: troubleOf(error) }, 'cannot see what was said there meanwhile');
        log.debug({ error }, 'why it cannot be seen');
      }
    });
  }

  function onGuild(data: unknown): void {
    const guild = read(guildSchema, data, 'a server');
    if (guild === undefined || deps.catchUpMs === 0) return;
    const since = deps.now() - deps.catchUpMs;
    for (const channel of [...guild.channels, ...guild.threads].filter((one) => isRecent(one, since))) {
      const place = placeOf({ ...channel, guild_id: guild.id });
      if (place !== undefined) catchUpIn(place);
    }
  }

  function onReady(): void {
    if (deps.catchUpMs === 0) return;
    for (const id of direct) catchUpIn({ id, guild: undefined, parent: undefined });
  }

  return {
    to(client: Client): void {
      const on = (type: GatewayDispatchEvents, listener: (data: unknown) => void): void => {
        client.ws.on(type, (data: unknown) => {
          if (deps.isOpen()) listener(data);
        });
      };
      on(GatewayDispatchEvents.Ready, onReady);
      on(GatewayDispatchEvents.GuildCreate, onGuild);
      on(GatewayDispatchEvents.MessageCreate, onMessage);
      on(GatewayDispatchEvents.MessageUpdate, onEdit);
      for (const type of [GatewayDispatchEvents.MessageDelete, GatewayDispatchEvents.MessageDeleteBulk]) {
        on(type, onDelete);
      }
      client.ws.on(GatewayDispatchEvents.InteractionCreate, (data: unknown) => {
        onInteraction(data).catch((error: unknown) => log.warn({ error }, 'an interaction could not be taken in'));
      });
    },
    idle: inOrder.idle,
  };
}
