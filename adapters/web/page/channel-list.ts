import { computed, signal } from '@preact/signals';
import type { ChannelView } from '../views.ts';
import type { Channels, NamePost, OwnChannel, OwnThread, ThreadPost } from '../wire.ts';
import { addressOf, go, place } from './place.ts';
import { channelPath, get, send } from './server.ts';
import { toMoment } from './time.ts';

/** The channels there are, and what can be done with them. */
export const channels = signal<Channels>({ own: [], others: [] });

export const ownChannel = computed(() => channels.value.own.find(({ id }) => id === place.value.channel));

const otherChannel = computed(() => channels.value.others.find(({ id }) => id === place.value.channel));

export const channelName = computed(() => ownChannel.value?.name ?? otherChannel.value?.name ?? '');

/** As people call it: `Slack`. */
export const platformName = computed(() => {
  const { platform = '' } = otherChannel.value ?? {};
  return platform.charAt(0).toUpperCase() + platform.slice(1);
});

/** Only the console's own channels can be talked in here. */
export const isOwn = computed(() => place.value.channel?.startsWith('web/console/') ?? false);

export const threadName = computed(() => {
  const { thread } = place.value;
  const own = ownChannel.value?.threads.find(({ id }) => id === thread);
  if (own !== undefined) return threadLabel(own);
  return channels.value.others.find(({ id }) => id === thread)?.name ?? 'Thread';
});

/** What was taken back names no thread: when it was opened tells it from the others. */
export function threadLabel({ name, openedAt }: OwnThread): string {
  if (name !== undefined) return name;
  return openedAt === undefined ? 'Thread' : `Thread, ${toMoment(openedAt)}`;
}

export function threadOn(message: string): OwnThread | undefined {
  return ownChannel.value?.threads.find(({ branchedFrom }) => branchedFrom === message);
}

/** Those of other platforms, together where they belong together. */
export const otherPlaces = computed((): { title: string; channels: ChannelView[] }[] => {
  const groups = Map.groupBy(
    channels.value.others,
    ({ platform, workspace }) => `${platform.charAt(0).toUpperCase()}${platform.slice(1)} · ${workspace}`,
  );
  return [...groups].map(([title, group]) => ({ title, channels: group }));
});

export async function loadChannels(): Promise<void> {
  channels.value = await get<Channels>('/api/channels');
  const isGone = place.value.channel === undefined || (isOwn.value && ownChannel.value === undefined);
  if (isGone) leave(undefined);
}

/** To the first of the others. */
function leave(gone: string | undefined): void {
  const first = channels.value.own.find(({ id }) => id !== gone);
  if (first !== undefined) location.replace(addressOf(first.id));
}

export async function makeChannel(name: string): Promise<void> {
  const post: NamePost = { name };
  const made = await send<OwnChannel>('POST', '/api/channels', post);
  await loadChannels();
  go(made.id);
}

export async function renameChannel(key: string, name: string): Promise<void> {
  const post: NamePost = { name };
  await send('PATCH', channelPath(key), post);
  await loadChannels();
}

export async function deleteChannel(key: string): Promise<void> {
  // Nobody looks at it while it goes.
  if (place.value.channel === key) leave(key);
  await send('DELETE', channelPath(key));
  await loadChannels();
}

export async function openThread(message: string): Promise<void> {
  const { channel } = place.value;
  if (channel === undefined) return;
  const post: ThreadPost = { branchedFrom: message };
  const thread = await send<OwnThread>('POST', channelPath(channel, '/threads'), post);
  await loadChannels();
  go(thread.id);
}
