import { withoutOwnMentions } from '../../src/event.ts';
import type { WireMember, WireMessage, WireUser } from './wire.ts';

/** From what Discord sends to what people read: names instead of ids. */

export interface Names {
  /** The bot's own id, and the role that stands for it in this server. */
  self: string;
  ownRoles: ReadonlySet<string>;
  role(id: string): string | undefined;
  channel(id: string): string | undefined;
}

export function shownName(user: WireUser, member: WireMember | undefined): string {
  return member?.nick ?? user.global_name ?? user.username;
}

/** The bot's own mention says who is meant, and is no part of what is said. */
export function toText(message: WireMessage, names: Names): string {
  const own = toReadable(message.content, message, names);
  const forwarded = (message.message_snapshots ?? []).map(
    ({ message: one }) => `[forwarded message]\n${toReadable(one.content, message, names)}`,
  );
  const stickers = (message.sticker_items ?? []).map(({ name }) => `[sticker: ${name}]`);
  return [own, ...forwarded, ...stickers].filter((part) => part !== '').join('\n');
}

export function isOwnMention(
  message: Pick<WireMessage, 'content' | 'mentions' | 'mention_roles'>,
  names: Names,
): boolean {
  const isNamed = message.mentions.some((user) => user.id === names.self);
  // Whoever is replied to is among the mentions without being named.
  const spellings = [`<@${names.self}>`, `<@!${names.self}>`];
  if (isNamed && spellings.some((spelling) => message.content.includes(spelling))) return true;
  return message.mention_roles.some((role) => names.ownRoles.has(role));
}

const tokens = /<@!?(\d+)>|<@&(\d+)>|<#(\d+)>|<a?:(\w+):\d+>|<\/([^:>]+):\d+>|<t:(-?\d{1,13})(?::[a-zA-Z])?>/g;

function toReadable(content: string, message: WireMessage, names: Names): string {
  // Discord finds no mention in code: what it has not found there stays as it was written.
  const people = new Map(message.mentions.map((user) => [user.id, shownName(user, user.member)]));
  const roles = new Set(message.mention_roles);
  const readable = withoutOwn(content, people, roles, names).replace(
    tokens,
    (
      whole: string,
      person?: string,
      role?: string,
      channel?: string,
      emoji?: string,
      command?: string,
      time?: string,
    ) => {
      if (person !== undefined) return people.has(person) ? `@${people.get(person)}` : whole;
      if (role !== undefined) return roles.has(role) ? `@${names.role(role) ?? 'unknown role'}` : whole;
      if (channel !== undefined) return `#${names.channel(channel) ?? 'unknown channel'}`;
      if (emoji !== undefined) return `:${emoji}:`;
      if (command !== undefined) return `/${command}`;
      return toDate(Number(time)) ?? whole;
    },
  );
  return readable.trim();
}

function withoutOwn(
  content: string,
  people: ReadonlyMap<string, string>,
  roles: ReadonlySet<string>,
  names: Names,
): string {
  return withoutOwnMentions(content, tokens, ([, person, role]) => {
    if (person !== undefined) return person === names.self && people.has(person);
    return role !== undefined && names.ownRoles.has(role) && roles.has(role);
  });
}

function toDate(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
