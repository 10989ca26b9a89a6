import { type ChannelId, channelParts, toChannelId } from '../../src/event.ts';

/** Slack's time stamps are its message ids: seconds, a point, and what makes them unique in their channel. */

/** Where something is said. A thread is a place of its own, inside its channel. */
export interface Place {
  channel: string;
  thread: string | undefined;
}

export function tsMs(ts: string): number {
  return Math.floor(Number(ts) * 1000);
}

export function isNewer(ts: string, than: string): boolean {
  return Number(ts) > Number(than);
}

/** The message a thread hangs from stands in the channel, though it names the thread, too. */
export function threadOf(message: { ts: string; thread_ts?: string | undefined }): string | undefined {
  return message.thread_ts === message.ts ? undefined : message.thread_ts;
}

export function isDirect(channel: string): boolean {
  return channel.startsWith('D');
}

export function toChannel(team: string, place: Place): ChannelId {
  const { channel, thread } = place;
  const parts = { platform: 'slack', workspace: team, channel };
  return toChannelId(thread === undefined ? parts : { ...parts, thread });
}

/** The way back: after a restart a channel's id is all there is. */
export function toPlace(id: ChannelId): Place {
  const { channel, thread } = channelParts(id);
  return { channel, thread };
}

/**
 * Where a message is opened. `team` is the workspace's own address, with a slash at its end. An answer to what was said in
 * the channel itself stands in a thread, too: under the message it replies to.
 */
export function toLink(team: string, id: ChannelId, ts: string, repliesTo?: string): string {
  const { channel, thread = repliesTo } = toPlace(id);
  const within = thread === undefined ? '' : `?thread_ts=${thread}&cid=${channel}`;
  return `${team}archives/${channel}/p${ts.replace('.', '')}${within}`;
}
