import type { NoteDamage } from '../conversation/damage-log.ts';
import { type Head, headKind, openSpan } from '../conversation/head.ts';
import { epochPrefix, pageKind } from '../conversation/page.ts';
import { shownPlace } from '../conversation/shown-names.ts';
import type { Turn } from '../conversation/turn.ts';
import { type ChannelId, channelParts, parentChannel } from '../event.ts';
import type { Store } from '../storage/store.ts';

/** The channels that have a memory, for whoever may look into it. */
export interface ChannelView {
  id: ChannelId;
  platform: string;
  workspace: string;
  name: string;
  thread: boolean;
  turns: number;
  lastAt: number | undefined;
}

const headsAtOnce = 256;
/** More than anybody scrolls through; the newest of all are shown. */
const mostChannels = 2000;

/** Most recently used first. What was said in direct messages, of one person or of a closed group, is not among them. */
export async function listChannels(store: Store, noteDamage: NoteDamage): Promise<ChannelView[]> {
  const found: ChannelView[] = [];
  for await (const { channel, head } of heads(store, noteDamage)) {
    const page = await lastPage(store, channel, head, noteDamage);
    if (isPrivate(head, page)) continue;
    const { platform, workspace } = channelParts(channel);
    const turns = (page.at(-1)?.seq ?? openSpan(head).from - 1) + 1;
    const thread = parentChannel(channel) !== undefined;
    found.push({
      id: channel,
      platform,
      workspace,
      name: shownPlace(channel, head),
      thread,
      turns,
      lastAt: page.at(-1)?.at,
    });
  }
  return found.sort((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0)).slice(0, mostChannels);
}

async function* heads(store: Store, noteDamage: NoteDamage): AsyncGenerator<{ channel: ChannelId; head: Head }> {
  let after: string | undefined;
  for (;;) {
    const range = after === undefined ? { limit: headsAtOnce } : { limit: headsAtOnce, after };
    const batch = await store.list(headKind, '', range);
    for (const one of batch) {
      try {
        yield { channel: one.id as ChannelId, head: one.read() };
      } catch (error) {
        // Told to whoever uses its channel; the other channels are listed all the same.
        noteDamage(`${headKind.name}:${one.id}`, error);
      }
    }
    if (batch.length < headsAtOnce) return;
    after = batch.at(-1)?.id;
  }
}

async function lastPage(store: Store, channel: ChannelId, head: Head, noteDamage: NoteDamage): Promise<Turn[]> {
  const prefix = epochPrefix(channel, openSpan(head).epoch);
  const [last] = await store.list(pageKind, prefix, { reverse: true, limit: 1 });
  try {
    return last?.read() ?? [];
  } catch (error) {
    noteDamage(`${pageKind.name}:${last?.id}`, error);
    return []; // The same: told to whoever uses it.
  }
}

/** Heads of an older version do not say so themselves: a direct message has no name before it. */
function isPrivate(head: Head, page: readonly Turn[]): boolean {
  if (head.private === true) return true;
  if (head.direct !== undefined) return head.direct;
  return page.findLast((turn) => turn.role === 'user')?.name === undefined;
}
