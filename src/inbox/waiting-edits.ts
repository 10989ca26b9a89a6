import type { ChannelId } from '../event.ts';
import type { Pending } from './entry.ts';

/**
 * Edits that were accepted and wait for their place. Of one message only the newest is worth carrying out: whichever has
 * its turn first is carried out as the newest, and the others are done with it. What is asked after the first of them
 * already sees the newest text; nothing sees an older one again.
 */
export interface WaitingEdits {
  /** Answers how to ask, when the place has come, what is to be done: nothing where an edit before it did it all. */
  wait(pending: Pending): () => DueEdits | undefined;
}

interface DueEdits {
  newest: Pending;
  older: Pending[];
}

interface Waiting {
  pending: Pending;
  isTaken: boolean;
}

export function createWaitingEdits(): WaitingEdits {
  const byMessage = new Map<string, Waiting[]>();

  return {
    wait(pending) {
      const { event } = pending;
      if (event.kind !== 'edit') return () => ({ newest: pending, older: [] });
      const key = keyOf(event.channel, event.messageId);
      const mine: Waiting = { pending, isTaken: false };
      const group = byMessage.get(key) ?? [];
      group.push(mine);
      byMessage.set(key, group);
      return () => {
        if (mine.isTaken) return undefined;
        byMessage.delete(key);
        for (const one of group) one.isTaken = true;
        return newestOf(group.map((one) => one.pending));
      };
    },
  };
}

/** Of two made at one time the one that came later. */
function newestOf([first, ...others]: Pending[]): DueEdits | undefined {
  if (first === undefined) return undefined;
  let newest = first;
  const older: Pending[] = [];
  for (const one of others) {
    const isNewer = one.event.at >= newest.event.at;
    older.push(isNewer ? newest : one);
    if (isNewer) newest = one;
  }
  return { newest, older };
}

function keyOf(channel: ChannelId, messageId: string): string {
  return `${channel}:${messageId}`;
}
