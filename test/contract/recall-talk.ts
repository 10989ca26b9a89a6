import type { Conversations } from '../../src/conversation/conversations.ts';
import { appendTurn } from '../../src/conversation/journal.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import type { ChannelId } from '../../src/event.ts';
import { person, room } from './core.ts';

/** Long talks, quickly. */

const minute = 60_000;

/** Said by Ann and Bob in turns, without the inbox and many at a time: `mN` at minute N. */
export async function fill(
  conversations: Conversations,
  texts: readonly string[],
  channel: ChannelId = room,
): Promise<void> {
  await conversations.change(channel, (before) => {
    let state = before;
    const records = new Map<string, { key: string; value: unknown }>();
    for (const text of texts) {
      const n = state.nextSeq;
      const at = Date.UTC(2026, 0, 1) + n * minute;
      const who = n % 2 === 0 ? 'Ann' : 'Bob';
      const turn: Omit<Turn, 'seq' | 'rev'> = {
        id: `m${n}`,
        at,
        role: 'user',
        author: person(who).id,
        name: who,
        text,
        tokens: 8 + Math.ceil(text.length / 4),
      };
      const step = appendTurn(state, turn, conversations.limit);
      for (const one of step.records) records.set(one.key, one);
      state = step.state;
    }
    return { step: { state, records: [...records.values()] }, value: undefined };
  });
}
