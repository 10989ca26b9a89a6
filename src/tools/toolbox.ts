import type { Profile } from '../conversation/profile.ts';
import type { ChannelId } from '../event.ts';
import type { Tool } from './tool.ts';

/** Which tools there are, and which of them the model may call where. */
export interface Toolbox {
  /** Those a channel's profile names that are there now. Never fails: what is not there is not offered. */
  offered(channel: ChannelId, profile: Pick<Profile, 'tools'>): Promise<readonly Tool[]>;
  /** The name of everything that is offered somewhere, for settings and their completion. */
  names(): readonly string[];
}

/** Where tools come from: those built in, a server's. */
export interface ToolSource {
  /** What can be called in a channel now: quickly, because every answer asks. The same objects while nothing changes. */
  tools(channel: ChannelId): readonly Tool[] | Promise<readonly Tool[]>;
  names(): readonly string[];
}

export const noTools: Toolbox = { offered: async () => [], names: () => [] };

/**
 * `allowed`: the names that the operator offers of all that the sources have; `all` among them is all of these. Of two
 * with one name the first source's counts.
 */
export function createToolbox(
  sources: readonly ToolSource[],
  allowed: readonly string[],
  onTrouble: (error: unknown) => void,
): Toolbox {
  const isAllowed = (name: string): boolean => allowed.includes('all') || allowed.includes(name);

  async function toolsOf(source: ToolSource, channel: ChannelId): Promise<readonly Tool[]> {
    try {
      return await source.tools(channel);
    } catch (error) {
      // A source that fails takes no answer with it.
      onTrouble(error);
      return [];
    }
  }

  return {
    async offered(channel, { tools: wanted = [] }) {
      if (wanted !== 'all' && wanted.length === 0) return [];
      const found = await Promise.all(sources.map((source) => toolsOf(source, channel)));
      const byName = new Map<string, Tool>();
      for (const tool of found.flat()) {
        const isMeant = isAllowed(tool.name) && (wanted === 'all' || wanted.includes(tool.name));
        if (isMeant && !byName.has(tool.name)) byName.set(tool.name, tool);
      }
      return [...byName.values()];
    },
    names: () => [...new Set(sources.flatMap((source) => source.names()).filter(isAllowed))],
  };
}
