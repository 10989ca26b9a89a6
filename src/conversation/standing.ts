import type { ChatMessage, ToolSpec } from '../model/model.ts';
import type { Tool } from '../tools/tool.ts';
import type { Example, Profile } from './profile.ts';
import { perMessageTokens, replyPrimerTokens, type TokenCounter } from './tokens.ts';
import { countMessages, systemText } from './wire.ts';

/** What stands before everything that was said, in every prompt of a channel, the same bytes each time. */
export interface Standing {
  system: string;
  examples: ChatMessage[];
  tools: readonly ToolSpec[];
  /** The role with its frame and the reply's primer; examples; what describes the tools. */
  tokens: { role: number; examples: number; tools: number };
}

export async function toStanding(
  profile: Pick<Profile, 'role' | 'examples'>,
  tools: readonly Tool[],
  direct: boolean,
  counter: TokenCounter,
): Promise<Standing> {
  const system = systemText(profile.role, direct, tools.length > 0);
  const specs = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  const examples = (profile.examples ?? []).flatMap(toExample);
  let toolTokens = 0;
  for (const tool of tools) toolTokens += await countTool(tool, counter);
  return {
    system,
    examples,
    tools: specs,
    tokens: {
      role: perMessageTokens + replyPrimerTokens + (await counter.count(system)),
      examples: await countMessages(examples, counter),
      tools: toolTokens,
    },
  };
}

export function standingTokens({ tokens }: Standing): number {
  return tokens.role + tokens.examples + tokens.tools;
}

function toExample({ user, assistant }: Example): ChatMessage[] {
  return [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ];
}

/** A tool's description may be long (a database's schema): counted once, as long as the tool is the same object. */
const counted = new WeakMap<TokenCounter, WeakMap<Tool, number>>();

async function countTool(tool: Tool, counter: TokenCounter): Promise<number> {
  const known = counted.get(counter) ?? new WeakMap<Tool, number>();
  counted.set(counter, known);
  const before = known.get(tool);
  if (before !== undefined) return before;
  const tokens = await countSpec(tool, counter);
  known.set(tool, tokens);
  return tokens;
}

/** Providers put it in forms of their own, none longer than the JSON that is sent. */
export async function countSpec({ name, description, parameters }: ToolSpec, counter: TokenCounter): Promise<number> {
  return perMessageTokens + (await counter.count(JSON.stringify({ name, description, parameters })));
}
