import type { Profile } from '../conversation/profile.ts';
import type { Turn } from '../conversation/turn.ts';
import { countMessages, toMessages } from '../conversation/wire.ts';
import type { ChannelId } from '../event.ts';
import { type PrepareDeps, type Prepared, preparePrompt } from './prepare.ts';

/** The prompt as it would be sent now, with `…` for a question that nobody has asked yet. */
export async function prepareNextPrompt(
  deps: PrepareDeps,
  channel: ChannelId,
  asking: { profile: Profile; name: string | undefined; at: number },
): Promise<Prepared> {
  const { nextSeq: seq } = await deps.conversations.read(channel);
  const { profile, name, at } = asking;
  const asked: Turn = { seq, id: '', rev: 0, at, role: 'user', text: '…', tokens: 0, ...(name && { name }) };
  const counter = await deps.counterFor(profile.model);
  const question = { ...asked, tokens: await countMessages(toMessages(asked), counter) };
  return await preparePrompt(deps, { channel, question, images: [], profile });
}
