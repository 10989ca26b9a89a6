import { z } from 'zod';
import type { ChannelId } from '../event.ts';
import { defineTool, type Tool } from './tool.ts';

/** Lets the model look for what was said in the channel it speaks in, and nowhere else. */

/** One line a message: when, who, what. */
export type SearchLines = (channel: ChannelId, words: string, most: number) => Promise<readonly string[]>;

/** What it finds stands in the journal, and must be gone when it is gone there: an answer does not keep it. */
export const searchHistory = 'search_history';

const usual = 8;
const most = 25;

const schema = z.object({
  words: z.string().min(1).max(500).describe('What to look for: words and names that were probably used'),
  most: z.number().int().min(1).max(most).optional().describe(`At most so many messages, ${usual} unless given`),
});

export function createSearchHistory(search: SearchLines): Tool {
  return defineTool({
    name: searchHistory,
    description:
      'Finds messages that were said in this conversation at any time, also long ago, by the words in them. Use it when ' +
      'somebody asks about something said earlier that is not in front of you.',
    schema,
    async run({ words, most = usual }, { channel }) {
      const lines = await search(channel, words, most);
      return lines.length === 0 ? 'Nothing was found. Other words may find it.' : lines.join('\n');
    },
  });
}
