import type { ChannelId } from '../../src/event.ts';
import type { MemoryViews } from './host.ts';
import { familyOf } from './live.ts';
import { toName } from './names.ts';
import type { ChannelRecord, ThreadRecord } from './own-channels.ts';
import type { TurnView } from './views.ts';
import type { OwnThread } from './wire.ts';

/**
 * Names a thread by the message it hangs from, as the memory has it now: an edit renames the thread, and what was taken
 * back is no name any more.
 */
export interface ThreadNames {
  of(channel: ChannelRecord): Promise<readonly OwnThread[]>;
  /** To be called when a channel's memory has changed. Resolves with whether a name that was given has changed with it. */
  refresh(channel: ChannelId): Promise<boolean>;
}

interface Named {
  record: ChannelRecord;
  threads: Promise<readonly OwnThread[]>;
}

const threadNameChars = 40;
const maxChannels = 500;

export function createThreadNames(views: Pick<MemoryViews, 'messages'>): ThreadNames {
  /** Dropped as soon as the memory behind them changes. */
  const known = new Map<ChannelId, Named>();

  async function read({ id, threads }: ChannelRecord): Promise<readonly OwnThread[]> {
    if (threads.length === 0) return [];
    const messages = await views.messages(
      id,
      threads.map((thread) => thread.branchedFrom),
    );
    return threads.map((thread) => toOwnThread(thread, messages.get(thread.branchedFrom)));
  }

  function of(record: ChannelRecord): Promise<readonly OwnThread[]> {
    const before = known.get(record.id);
    if (before?.record.threads === record.threads) return before.threads;
    const named: Named = { record, threads: read(record) };
    known.set(record.id, named);
    const [oldest] = known.keys();
    if (known.size > maxChannels && oldest !== undefined) known.delete(oldest);
    named.threads.catch(() => {
      if (known.get(record.id) === named) known.delete(record.id);
    });
    return named.threads;
  }

  return {
    of,
    async refresh(channel) {
      const id = familyOf(channel);
      const before = known.get(id);
      if (before === undefined || id !== channel || before.record.threads.length === 0) return false;
      known.delete(id);
      const [then, now] = await Promise.all([before.threads, of(before.record)]);
      return then.some((thread, n) => thread.name !== now[n]?.name);
    },
  };
}

export function toOwnThread({ id, branchedFrom, openedAt }: ThreadRecord, message: TurnView | undefined): OwnThread {
  // The rest of a long text need not be looked at.
  const name = toName((message?.text ?? '').slice(0, 10 * threadNameChars), threadNameChars);
  return { id, branchedFrom, openedAt, ...(name !== '' && { name }) };
}
