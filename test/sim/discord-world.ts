import {
  type APIAttachment,
  type APIChannel,
  type APIDMChannel,
  type APIGuildMember,
  type APIMessage,
  type APIPublicThreadChannel,
  type APIRole,
  type APITextChannel,
  type APIUser,
  ChannelType,
  type GatewayGuildCreateDispatchData,
  GuildDefaultMessageNotifications,
  GuildExplicitContentFilter,
  GuildMemberFlags,
  GuildMFALevel,
  GuildNSFWLevel,
  GuildPremiumTier,
  GuildSystemChannelFlags,
  GuildVerificationLevel,
  Locale,
  MessageReferenceType,
  MessageType,
  PermissionFlagsBits,
  RoleFlags,
} from 'discord-api-types/v10';

/** Who and what there is: people, servers, channels, and what stands in them. */

export const botName = 'Channelore';
const everyonePermissions =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.ReadMessageHistory |
  PermissionFlagsBits.AttachFiles |
  PermissionFlagsBits.SendMessagesInThreads;
const epochMs = 1_420_070_400_000;

export interface Person {
  user: APIUser;
  /** What they may do in a server, beyond everybody. */
  permissions: bigint;
  nick: string | null;
  roles: string[];
  /** They take no direct messages from this bot. */
  closed: boolean;
}

export type Place = APITextChannel | APIPublicThreadChannel | APIDMChannel;

export interface MessageDraft {
  channel: Place;
  author: APIUser;
  content: string;
  reference?: APIMessage | undefined;
  changes?: Partial<APIMessage>;
}

export type World = ReturnType<typeof createWorld>;

export function createWorld(now: () => number) {
  const newId = createSnowflakes(now);
  const bot = toUser(newId(), botName, true);
  const people = new Map<string, Person>();
  const guilds = new Map<string, GatewayGuildCreateDispatchData>();
  const places = new Map<string, Place>();
  const messages = new Map<string, APIMessage[]>();
  const dms = new Map<string, APIDMChannel>();

  function addPlace<P extends Place>(place: P): P {
    places.set(place.id, place);
    messages.set(place.id, []);
    return place;
  }

  function addGuild(name = 'Test server'): GatewayGuildCreateDispatchData {
    const id = newId();
    const guild = toGuild(id, name, newId(), new Date(now()).toISOString());
    guild.roles.push(toRole(id, '@everyone', everyonePermissions));
    const own = toRole(newId(), botName, everyonePermissions);
    own.managed = true;
    own.tags = { bot_id: bot.id };
    guild.roles.push(own);
    guild.members.push(toMember(bot, null, [own.id]));
    guilds.set(id, guild);
    return guild;
  }

  function addPerson(name: string, more: Partial<Omit<Person, 'user'>> = {}): Person {
    const user = toUser(newId(), name, false);
    const person = { user, permissions: 0n, nick: null, roles: [], closed: false, ...more };
    people.set(user.id, person);
    return person;
  }

  return {
    newId,
    bot,
    people,
    guilds,
    places,
    messages,
    addGuild,
    addPerson,

    addRole(guild: GatewayGuildCreateDispatchData, name: string, permissions = 0n): APIRole {
      const role = toRole(newId(), name, permissions);
      guild.roles.push(role);
      return role;
    },

    addChannel(guild: GatewayGuildCreateDispatchData, name: string): APITextChannel {
      const channel = addPlace<APITextChannel>({
        id: newId(),
        type: ChannelType.GuildText,
        guild_id: guild.id,
        name,
        position: guild.channels.length,
        permission_overwrites: [],
        parent_id: null,
        topic: null,
        nsfw: false,
        last_message_id: null,
        rate_limit_per_user: 0,
      });
      guild.channels.push(channel);
      return channel;
    },

    /** From a message the thread has that message's id. */
    addThread(channel: APITextChannel, name: string, from?: APIMessage): APIPublicThreadChannel {
      const thread = addPlace<APIPublicThreadChannel>({
        id: from?.id ?? newId(),
        type: ChannelType.PublicThread,
        guild_id: channel.guild_id ?? '',
        parent_id: channel.id,
        owner_id: bot.id,
        name,
        message_count: 0,
        member_count: 1,
        total_message_sent: 0,
        last_message_id: null,
        rate_limit_per_user: 0,
        thread_metadata: {
          archived: false,
          locked: false,
          auto_archive_duration: 1440,
          archive_timestamp: new Date(now()).toISOString(),
          create_timestamp: new Date(now()).toISOString(),
        },
        applied_tags: [],
      });
      guilds.get(channel.guild_id ?? '')?.threads.push(thread);
      return thread;
    },

    dm(person: Person): APIDMChannel {
      const known = dms.get(person.user.id);
      if (known !== undefined) return known;
      const channel = addPlace<APIDMChannel>({
        id: newId(),
        type: ChannelType.DM,
        name: null,
        last_message_id: null,
        recipients: [person.user],
      });
      dms.set(person.user.id, channel);
      return channel;
    },

    addMessage({ channel, author, content, reference, changes = {} }: MessageDraft): APIMessage {
      const id = newId();
      const message: APIMessage = {
        id,
        channel_id: channel.id,
        author,
        content,
        timestamp: new Date(now()).toISOString(),
        edited_timestamp: null,
        tts: false,
        mention_everyone: false,
        mentions: mentioned(content, [bot, ...[...people.values()].map((one) => one.user)], reference),
        mention_roles: [...content.matchAll(/<@&(\d+)>/g)].map((match) => match[1] ?? ''),
        attachments: [],
        embeds: [],
        pinned: false,
        type: reference === undefined ? MessageType.Default : MessageType.Reply,
        ...toReference(channel, reference),
        ...changes,
      };
      messages.get(channel.id)?.push(message);
      channel.last_message_id = id;
      return message;
    },

    find(channelId: string, messageId: string): APIMessage | undefined {
      return messages.get(channelId)?.find((one) => one.id === messageId);
    },

    remove(channelId: string, ids: readonly string[]): void {
      const left = messages.get(channelId)?.filter((one) => !ids.includes(one.id)) ?? [];
      messages.set(channelId, left);
    },

    memberOf(person: Person): APIGuildMember {
      return toMember(person.user, person.nick, person.roles);
    },

    guildOf(place: Place): string | undefined {
      return 'guild_id' in place ? place.guild_id : undefined;
    },
  };
}

export function everyonesPermissions(more: bigint): string {
  return String(everyonePermissions | more);
}

function createSnowflakes(now: () => number): () => string {
  let last = 0n;
  return () => {
    const next = BigInt(now() - epochMs) << 22n;
    last = next > last ? next : last + 1n;
    return String(last);
  };
}

function toUser(id: string, name: string, isBot: boolean): APIUser {
  const username = name.toLowerCase().replace(/[^a-z0-9_.]/g, '_');
  const user: APIUser = { id, username, discriminator: '0', global_name: name, avatar: null };
  return isBot ? { ...user, bot: true } : user;
}

function toMember(user: APIUser, nick: string | null, roles: string[]): APIGuildMember {
  return {
    user,
    nick,
    roles,
    joined_at: '2024-01-01T00:00:00.000Z',
    deaf: false,
    mute: false,
    flags: GuildMemberFlags.CompletedOnboarding,
  };
}

function toRole(id: string, name: string, permissions: bigint): APIRole {
  return {
    id,
    name,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    position: 0,
    permissions: String(permissions),
    managed: false,
    mentionable: true,
    flags: RoleFlags.InPrompt,
  };
}

function toGuild(id: string, name: string, owner: string, joined: string): GatewayGuildCreateDispatchData {
  return {
    id,
    name,
    icon: null,
    splash: null,
    banner: null,
    description: null,
    features: [],
    verification_level: GuildVerificationLevel.None,
    vanity_url_code: null,
    discovery_splash: null,
    owner_id: owner,
    afk_channel_id: null,
    afk_timeout: 300,
    default_message_notifications: GuildDefaultMessageNotifications.OnlyMentions,
    explicit_content_filter: GuildExplicitContentFilter.Disabled,
    roles: [],
    emojis: [],
    mfa_level: GuildMFALevel.None,
    application_id: null,
    system_channel_id: null,
    system_channel_flags: GuildSystemChannelFlags.SuppressJoinNotifications,
    rules_channel_id: null,
    premium_tier: GuildPremiumTier.None,
    preferred_locale: Locale.EnglishUS,
    public_updates_channel_id: null,
    nsfw_level: GuildNSFWLevel.Default,
    premium_progress_bar_enabled: false,
    hub_type: null,
    safety_alerts_channel_id: null,
    incidents_data: null,
    joined_at: joined,
    large: false,
    member_count: 2,
    voice_states: [],
    members: [],
    channels: [],
    threads: [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

/** A reply mentions whom it answers, as clients send it by default. */
function mentioned(content: string, users: readonly APIUser[], reference: APIMessage | undefined): APIUser[] {
  const plain = content.replace(/```[\s\S]*?```|`[^`\n]*`/g, '');
  const ids = new Set([...plain.matchAll(/<@!?(\d+)>/g)].map((match) => match[1]));
  if (reference !== undefined) ids.add(reference.author.id);
  return users.filter((user) => ids.has(user.id));
}

function toReference(channel: APIChannel, reference: APIMessage | undefined): Partial<APIMessage> {
  if (reference === undefined) return {};
  const { referenced_message: _, ...referenced } = reference;
  return {
    message_reference: { type: MessageReferenceType.Default, channel_id: channel.id, message_id: reference.id },
    referenced_message: referenced,
  };
}

export function toAttachment(id: string, url: string, name: string, type: string, size: number): APIAttachment {
  return { id, filename: name, size, url, proxy_url: url, content_type: type };
}
