import type { ChatMessage, ToolSpec } from '../model/model.ts';
import type { Tool } from '../tools/tool.ts';
import type { Example, Profile } from './profile.ts';
import { perMessageTokens, replyPrimerTokens, type TokenCounter } from './tokens.ts';
import { countMessages, systemText } from './wire.ts';

/** What stands before everything that was said, in every prompt of a channel, the same bytes each time. */
export interface Standing {
  system: string;
  examples: ChatMessage[];
  /** Those that fit into their share, in their order. */
  tools: readonly Tool[];
  /** The names of the others. */
  leftOut: readonly string[];
  /** The role with its frame and the reply's primer; examples; what describes the tools. */
  tokens: { role: number; examples: number; tools: number };
}

/** So much of all that is sent what describes tools may take (a server may offer hundreds), and examples. */
export const toolShare = 0.4;
const exampleShare = 0.25;
/** More are refused by providers. */
const mostTools = 128;

/** `budget`: all that is sent. */
export async function toStanding(
  profile: Pick<Profile, 'role' | 'examples' | 'memory'>,
  offered: readonly Tool[],
  direct: boolean,
  counter: TokenCounter,
  budget = profile.memory.tokens,
): Promise<Standing> {
  const { tools, tokens } = await toolsThatFit(offered, Math.floor(budget * toolShare), counter);
  const system = systemText(profile.role, direct, tools.length > 0);
  const examples = await examplesThatFit(profile.examples ?? [], Math.floor(budget * exampleShare), counter);
  return {
    system,
    examples: examples.messages,
    tools,
    leftOut: offered.filter((tool) => !tools.includes(tool)).map(({ name }) => name),
    tokens: {
      role: perMessageTokens + replyPrimerTokens + (await counter.count(system)),
      examples: examples.tokens,
      tools: tokens,
    },
  };
}

async function toolsThatFit(
  offered: readonly Tool[],
  room: number,
  counter: TokenCounter,
): Promise<{ tools: Tool[]; tokens: number }> {
  const tools: Tool[] = [];
  let tokens = 0;
  for (const tool of offered) {
    const cost = await countTool(tool, counter);
    if (tools.length === mostTools || tokens + cost > room) continue;
    tools.push(tool);
    tokens += cost;
  }
  return { tools, tokens };
}

export function standingTokens({ tokens }: Standing): number {
  return tokens.role + tokens.examples + tokens.tools;
}

async function examplesThatFit(
  examples: readonly Example[],
  room: number,
  counter: TokenCounter,
): Promise<{ messages: ChatMessage[]; tokens: number }> {
  const messages: ChatMessage[] = [];
  let tokens = 0;
  for (const { user, assistant } of examples) {
    const pair: ChatMessage[] = [
      { role: 'user', content: user },
      { role: 'assistant', content: assistant },
    ];
    const cost = await countMessages(pair, counter);
    if (tokens + cost > room) break;
    messages.push(...pair);
    tokens += cost;
  }
  return { messages, tokens };
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
