import { type MessageEvent, parentChannel } from '../event.ts';
import type { Conversations } from './conversations.ts';

/** Is it said to the bot? What the platform cannot tell, the conversation does. */

/** So far behind a question its answer is looked for. */
const turnsBehind = 64;

/** In a thread without a mention: as long as nobody but this person has spoken where the bot takes part. */
export async function isAddressed(conversations: Conversations, event: MessageEvent): Promise<boolean> {
  if (event.to !== 'thread') return event.to !== 'none';
  const { head, page, tail } = await conversations.read(event.channel);
  const others = Object.keys(head.people).filter((id) => id !== event.author.id);
  if (others.length > 0) return false;
  if ([...page, ...tail].some((turn) => turn.role === 'assistant' || turn.unanswered !== undefined)) return true;
  return await hangsFromAnswer(conversations, event);
}

/** The thread was opened on something the bot said, or on what it answered. */
async function hangsFromAnswer({ journal }: Conversations, { channel, branchedFrom }: MessageEvent): Promise<boolean> {
  const above = parentChannel(channel);
  if (above === undefined || branchedFrom === undefined) return false;
  const ref = await journal.find(above, branchedFrom);
  if (ref === undefined) return false;
  const near = await journal.turns(above, { epoch: ref.epoch, from: ref.seq, to: ref.seq + turnsBehind });
  return near[0]?.role === 'assistant' || near.some((turn) => turn.answers === ref.seq);
}
