import { ApplicationCommandOptionType, InteractionType, MessageFlags, PermissionFlagsBits } from 'discord.js';
import type { CommandEvent } from '../../src/event.ts';
import { commandOf } from './buttons.ts';
import { type Place, snowflakeMs, toChannel } from './ids.ts';
import { shownName } from './text.ts';
import type { WireInteraction } from './wire.ts';

/** From slash commands and buttons to the core's commands. */

/** What is needed to answer one, also after a restart. */
export interface InteractionOrigin {
  interaction: string;
  application: string;
  key: string;
  /** `slash`: an answer of its own is awaited; `button`: under a message all see; `own`: under one only they see. */
  how: 'slash' | 'button' | 'own';
  /** The question whose answer the button stands under. */
  question?: string;
}

export interface Typed {
  path: string[];
  options: Record<string, string>;
  /** What is being typed just now. */
  focused: string | undefined;
}

type Options = NonNullable<NonNullable<WireInteraction['data']>['options']>;

export function typedIn(interaction: WireInteraction): Typed {
  const path = [interaction.data?.name ?? ''];
  let options: Options = interaction.data?.options ?? [];
  for (let first = options[0]; first !== undefined && isGroup(first.type); first = options[0]) {
    path.push(first.name);
    options = first.options ?? [];
  }
  const given = options.flatMap(({ name, value }) => (value === undefined ? [] : [[name, String(value)] as const]));
  return { path, options: Object.fromEntries(given), focused: options.find((one) => one.focused)?.name };
}

function isGroup(type: number): boolean {
  return type === ApplicationCommandOptionType.Subcommand || type === ApplicationCommandOptionType.SubcommandGroup;
}

/** Nothing for what is none of ours. */
export function toCommandEvent(interaction: WireInteraction, place: Place): CommandEvent | undefined {
  const { id, member, message } = interaction;
  const user = member?.user ?? interaction.user;
  const command = toCommand(interaction);
  if (user === undefined || command === undefined) return undefined;
  const target = message?.message_reference?.message_id ?? message?.id;
  return {
    kind: 'command',
    id,
    channel: toChannel(place),
    at: snowflakeMs(id),
    author: {
      id: user.id,
      name: shownName(user, member),
      admin: member !== undefined && maySteer(member.permissions),
      roles: member?.roles ?? [],
    },
    command,
    ...(target === undefined ? {} : { target }),
    direct: place.guild === undefined,
    origin: { ...toOrigin(interaction) },
  };
}

function toCommand(interaction: WireInteraction): CommandEvent['command'] | undefined {
  if (interaction.type === InteractionType.ApplicationCommand) {
    const { path, options } = typedIn(interaction);
    return { path, options };
  }
  if (interaction.type !== InteractionType.MessageComponent) return undefined;
  const line = commandOf(interaction.data?.custom_id ?? '');
  return line === undefined ? undefined : { line };
}

function toOrigin(interaction: WireInteraction): InteractionOrigin {
  const { id, application_id: application, token: key, message } = interaction;
  const question = message?.message_reference?.message_id;
  const isOwn = ((message?.flags ?? 0) & MessageFlags.Ephemeral) !== 0;
  const how = message === undefined ? 'slash' : isOwn ? 'own' : 'button';
  return { interaction: id, application, key, how, ...(question === undefined ? {} : { question }) };
}

/** As Discord worked it out for this person in this channel. */
export function maySteer(permissions: string): boolean {
  const bits = BigInt(permissions);
  return (bits & (PermissionFlagsBits.ManageGuild | PermissionFlagsBits.Administrator)) !== 0n;
}

export function readOrigin(origin: Record<string, string>): InteractionOrigin {
  const { interaction = '', application = '', key = '', how, question } = origin;
  const kind = how === 'button' || how === 'own' ? how : 'slash';
  return { interaction, application, key, how: kind, ...(question === undefined ? {} : { question }) };
}
