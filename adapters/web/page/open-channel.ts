import { computed, effect, signal } from '@preact/signals';
import type { LiveEvent } from '../wire.ts';
import { announce } from './announcer.ts';
import { isOwn, loadChannels } from './channel-list.ts';
import { refreshInspection } from './inspected.ts';
import { place } from './place.ts';
import { channelPath } from './server.ts';
import { type Link, openStream } from './stream.ts';
import { createTalk, type Talk } from './talk.ts';

/** The channel that is open, with its threads: one stream tells of all of them. */
interface OpenChannel {
  id: string;
  talk: Talk;
  threads: Map<string, Talk>;
}

const open = signal<OpenChannel | undefined>(undefined);

export const link = signal<Link>('connecting');

export const channelTalk = computed(() => open.value?.talk);

export const threadTalk = computed(() => {
  const { thread } = place.value;
  if (thread === undefined || open.value === undefined) return undefined;
  return threadOf(open.value, thread);
});

/** The conversation whose memory is looked at. */
export const inspectedTalk = computed(() => threadTalk.value ?? channelTalk.value);

function threadOf(channel: OpenChannel, id: string): Talk {
  const there = channel.threads.get(id);
  if (there !== undefined) return there;
  const talk = createTalk(id);
  channel.threads.set(id, talk);
  talk.renew('soft');
  return talk;
}

const channelId = computed(() => place.value.channel);

/** Follows the address for as long as the page lives. */
export function followPlace(): void {
  effect(() => {
    const id = channelId.value;
    if (id === undefined) return;
    const channel: OpenChannel = { id, talk: createTalk(id), threads: new Map() };
    let wasLost = false;
    const stream = openStream(channelPath(id, '/events'), {
      onEvent: (_name, data) => {
        const event: LiveEvent = JSON.parse(data);
        take(channel, event);
      },
      onLink(now) {
        link.value = now;
        // Only what is asked for after the stream stands cannot be missed.
        if (now === 'live') {
          for (const talk of talksOf(channel)) talk.renew('soft');
          refreshInspection();
          if (wasLost) announce('Connected again');
        }
        if (now === 'refused') channel.talk.renew('soft');
        if (now === 'lost' && !wasLost) announce('The connection is lost');
        wasLost = now === 'lost';
      },
    });
    open.value = channel;
    return () => stream.close();
  });
}

function talksOf(channel: OpenChannel): Talk[] {
  return [channel.talk, ...channel.threads.values()];
}

function take(channel: OpenChannel, event: LiveEvent): void {
  // Before the turns are there, what comes was said earlier.
  const isNews = channel.talk.state.value.is === 'ready' && isOwn.value;
  switch (event.type) {
    case 'channels':
      void loadChannels().catch(() => undefined); // The next event asks again.
      return;
    case 'reload':
      for (const talk of talksOf(channel)) talk.take(event);
      refreshInspection();
      return;
    case 'memory':
      if (event.change.what !== 'folding') refreshInspection();
      break;
    case 'piece':
      if (isNews && event.piece.last && event.piece.done) announce(`Channelore answered: ${event.piece.text}`);
      break;
    case 'said':
      if (isNews) announce(event.said.text);
      break;
    case 'message':
    case 'edited':
    case 'deleted':
    case 'progress':
    case 'append':
    case 'withdrawn':
      break;
  }
  const talk = event.channel === channel.id ? channel.talk : channel.threads.get(event.channel);
  talk?.take(event);
}
