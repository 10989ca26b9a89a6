import { type MessageEvent, parentChannel } from '../event.ts';
import type { Conversations } from './conversations.ts';

/** Is it said to the bot? What the platform cannot tell, the conversation does. */

/** So far behind a question its answer is looked for. */
const turnsBehind = 64;

/** Without a mention, in a thread or a closed group: as long as nobody but this person has spoken where the bot takes part. */
export async function isAddressed(conversations: Conversations, event: MessageEvent): Promise<boolean> {
  if (!isOpen(event)) return event.to !== 'none';
  const { head, page, tail } = await conversations.read(event.channel);
  const others = Object.keys(head.people).filter((id) => id !== event.author.id);
  if (others.length > 0) return false;
  if (event.to === 'group') return true;
  if ([...page, ...tail].some((turn) => turn.role === 'assistant' || turn.unanswered !== undefined)) return true;
  return await hangsFromAnswer(conversations, event);
}

/** Who takes part decides whether it is said to the bot. */
export function isOpen({ to }: Pick<MessageEvent, 'to'>): boolean {
  return to === 'thread' || to === 'group';
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
