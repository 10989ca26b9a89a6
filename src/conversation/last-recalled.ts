import { BotError } from '../errors.ts';
import { type ChannelId, parentChannel } from '../event.ts';
import type { Conversations } from './conversations.ts';
import type { TurnRef } from './page.ts';
import { isSpoken, type Turn } from './turn.ts';

/** What was found again for the last answer of a channel, as far as it is still there. */
export interface LastRecalled {
  channel: ChannelId;
  turn: Turn;
  /** The answer names it. */
  cited: boolean;
}

export async function lastRecalled(conversations: Conversations, channel: ChannelId): Promise<LastRecalled[]> {
  const { tail } = await conversations.read(channel);
  const answer = tail.findLast((turn) => turn.role === 'assistant');
  const found = await Promise.all(
    (answer?.recalled ?? []).map(async ({ above, epoch, seq, cited = false }) => {
      const where = above ? (parentChannel(channel) ?? channel) : channel;
      const turn = await turnAt(conversations, where, { epoch, seq });
      return turn !== undefined && isSpoken(turn) ? { channel: where, turn, cited } : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** Nothing where the page cannot be read any more. */
async function turnAt({ journal }: Conversations, channel: ChannelId, ref: TurnRef): Promise<Turn | undefined> {
  try {
    return (await journal.page(channel, ref)).find((one) => one.seq === ref.seq);
  } catch (error) {
    if (error instanceof BotError && error.kind === 'damaged') return undefined;
    throw error;
  }
}
