import { createHash } from 'node:crypto';
import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';

/** Discord's ids tell when a thing was made, so that the same thing has the same time at every delivery. */

const epochMs = 1_420_070_400_000;
/** Direct messages belong to no server. */
const directWorkspace = 'dm';

export function snowflakeMs(id: string): number {
  return Number(BigInt(id) >> 22n) + epochMs;
}

/** An id that everything made since then is above. */
export function snowflakeAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - epochMs)) << 22n);
}

export function isNewer(id: string, than: string): boolean {
  return BigInt(id) > BigInt(than);
}

/** At most 25 characters; the same for the same thing, also after a restart. */
export function toNonce(...parts: (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url').slice(0, 24);
}

/** Where something is said. A thread is a place of its own, inside its channel. */
export interface Place {
  /** What messages are posted to. */
  id: string;
  guild: string | undefined;
  /** For a thread: the channel it stands in. */
  parent: string | undefined;
}

export function toChannel(place: Place): ChannelId {
  const { id, guild, parent } = place;
  if (guild === undefined) return toChannelId({ platform: 'discord', workspace: directWorkspace, channel: id });
  const parts = { platform: 'discord', workspace: guild };
  return toChannelId(parent === undefined ? { ...parts, channel: id } : { ...parts, channel: parent, thread: id });
}

/** The way back: after a restart a channel's id is all there is. */
export function toPlace(channel: ChannelId): Place {
  const { workspace, channel: id, thread } = channelParts(channel);
  const guild = workspace === directWorkspace ? undefined : workspace;
  return thread === undefined ? { id, guild, parent: undefined } : { id: thread, guild, parent: id };
}

/** Where a message is opened in Discord's own apps and pages. */
export function toLink(channel: ChannelId, messageId: string): string {
  const { id, guild } = toPlace(channel);
  return `https://discord.com/channels/${guild ?? '@me'}/${id}/${messageId}`;
}
