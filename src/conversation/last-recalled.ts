import { type ChannelId, parentChannel } from '../event.ts';
import type { Conversations } from './conversations.ts';
import { isSpoken, type Turn } from './turn.ts';

/** What was found again for the last answer of a channel, as far as it is still there. */
export interface LastRecalled {
  channel: ChannelId;
  turn: Turn;
  /** The answer names it. */
  cited: boolean;
}

export async function lastRecalled({ read, journal }: Conversations, channel: ChannelId): Promise<LastRecalled[]> {
  const { tail } = await read(channel);
  const answer = tail.findLast((turn) => turn.role === 'assistant');
  const found = await Promise.all(
    (answer?.recalled ?? []).map(async ({ above, epoch, seq, cited = false }) => {
      const where = above ? (parentChannel(channel) ?? channel) : channel;
      const turn = (await journal.page(where, { epoch, seq })).find((one) => one.seq === seq);
      return turn !== undefined && isSpoken(turn) ? { channel: where, turn, cited } : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}
