import { ChannelType, type Client, PermissionFlagsBits } from 'discord.js';
import type { Api } from './api.ts';
import type { Place } from './ids.ts';
import type { Around } from './to-event.ts';
import type { WireChannel } from './wire.ts';

/** What is known of the places things are said in: from discord.js's caches, else asked for once. */

export type Places = ReturnType<typeof createPlaces>;

const maxAsked = 2000;
const threadTypes: number[] = [ChannelType.PublicThread, ChannelType.PrivateThread, ChannelType.AnnouncementThread];

/** Nothing for a channel of no server that is no direct one either. */
export function placeOf(channel: WireChannel): Place | undefined {
  const { id, type } = channel;
  if (type === ChannelType.DM) return { id, guild: undefined, parent: undefined };
  const guild = channel.guild_id ?? undefined;
  if (guild === undefined) return undefined;
  return { id, guild, parent: threadTypes.includes(type) ? (channel.parent_id ?? undefined) : undefined };
}

export function createPlaces(api: Api, self: string) {
  let client: Client | undefined;
  const asked = new Map<string, WireChannel>();

  function cached(id: string): WireChannel | undefined {
    const channel = client?.channels.cache.get(id);
    if (channel === undefined) return asked.get(id);
    const parent = 'parentId' in channel ? channel.parentId : undefined;
    const guild = 'guildId' in channel ? channel.guildId : undefined;
    return { id, type: channel.type, guild_id: guild, parent_id: parent };
  }

  async function ask(id: string): Promise<WireChannel> {
    const channel = await api.patiently(() => api.channel(id));
    asked.set(id, channel);
    const [oldest] = asked.keys();
    if (asked.size > maxAsked && oldest !== undefined) asked.delete(oldest);
    return channel;
  }

  return {
    self,
    use(next: Client): void {
      client = next;
    },

    /** `guild` as the packet has it. */
    async of(id: string, guild: string | null | undefined): Promise<Place | undefined> {
      const channel = cached(id) ?? (await ask(id));
      return placeOf({ ...channel, guild_id: channel.guild_id ?? guild });
    },

    around(guildId: string | undefined): Around {
      const guild = guildId === undefined ? undefined : client?.guilds.cache.get(guildId);
      const roles = guild?.roles.cache;
      const own = roles?.filter((role) => role.tags?.botId === self).keys();
      const mayManage = (id: string): boolean =>
        roles?.get(id)?.permissions.has(PermissionFlagsBits.ManageGuild) === true;
      return {
        self,
        ownRoles: new Set(own),
        role: (id) => roles?.get(id)?.name,
        channel(id) {
          const channel = client?.channels.cache.get(id);
          return channel !== undefined && 'name' in channel ? (channel.name ?? undefined) : undefined;
        },
        isAdmin: (userId, ids) =>
          guild !== undefined && (guild.ownerId === userId || [guild.id, ...ids].some(mayManage)),
      };
    },
  };
}
