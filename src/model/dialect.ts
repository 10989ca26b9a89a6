import { createHash } from 'node:crypto';
import { thinksBesideTools } from './known-models.ts';
import type { ModelRequest, ToolSpec } from './model.ts';
import type { Refusal } from './refusal.ts';

/** How requests are put for one server and model, and what is learnt when the server refuses a part of one. Pure. */

type LimitName = 'max_tokens' | 'max_completion_tokens';

export interface Dialect {
  limitName: LimitName;
  /** Parameters the server has refused, by their names on the wire. */
  refused: ReadonlySet<string>;
  /** The model takes tools only where it is told not to think. */
  noThinkingBesideTools: boolean;
  /** User and assistant must take turns, and a user must begin. */
  alternating: boolean;
  /** The server knows no system role: its text stands at the beginning of the first user message. */
  systemInUser: boolean;
  tools: ToolTrial;
}

/** Which tools a server refuses. Where it does not say which of several it was, halves of them are tried. Fingerprints. */
interface ToolTrial {
  refused: readonly string[];
  /** At least one of these is refused. The first half of them is offered next. */
  suspects: readonly string[];
  /** Not offered until one of the suspects has been found. */
  held: readonly string[];
}

/**
 * OpenAI's newer models refuse `max_tokens`; most other servers know nothing else, and some ignore what they do not
 * know, so that the reply would have no limit at all: there the older name is the safe one to begin with.
 */
export function firstDialect(baseUrl: string | undefined, model: string): Dialect {
  const host = baseUrl === undefined ? 'api.openai.com' : new URL(baseUrl).hostname;
  const isOpenAi = /(^|\.)openai\.(com|azure\.com)$/.test(host);
  return {
    limitName: isOpenAi ? 'max_completion_tokens' : 'max_tokens',
    refused: new Set(),
    noThinkingBesideTools: thinksBesideTools(model),
    alternating: false,
    systemInUser: false,
    tools: { refused: [], suspects: [], held: [] },
  };
}

/** What a fold can do without; an answer's settings were wanted by somebody. */
export const settingNames: ReadonlySet<string> = new Set([
  'temperature',
  'top_p',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'stop',
  'response_format',
]);

const droppable = new Set(['stream_options', 'prompt_cache_key', 'tools', 'tool_choice', 'reasoning_effort']);

type Asked = Pick<ModelRequest, 'purpose' | 'tools'>;

/** The dialect that avoids the refusal; nothing when the request cannot be put in another way. */
export function learnRefusal(dialect: Dialect, refusal: Refusal, request: Asked): Dialect | undefined {
  switch (refusal.what) {
    case 'parameter':
      return refusal.unsupported ? withoutParameter(dialect, refusal.name, request.purpose) : undefined;
    case 'thinking-beside-tools':
      // Told not to think, it refuses tools all the same: only another API serves it with tools.
      if (dialect.noThinkingBesideTools) return withoutTools(dialect, request);
      return { ...dialect, noThinkingBesideTools: true };
    case 'alternation':
      if (!dialect.alternating) return { ...dialect, alternating: true };
      return withoutTools(dialect, request) ?? withSystemInUser(dialect);
    case 'system-role':
      return withSystemInUser(dialect) ?? withoutTools(dialect, request);
    case 'tool':
      return withoutTool(dialect, refusal.name, request);
    case 'overflow':
    case 'unknown-model':
      return undefined;
  }
}

function withoutParameter(dialect: Dialect, name: string, purpose: ModelRequest['purpose']): Dialect | undefined {
  if (dialect.refused.has(name)) return undefined;
  const refused = new Set([...dialect.refused, name]);
  if (name === dialect.limitName) {
    const other: LimitName = name === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
    return dialect.refused.has(other) ? undefined : { ...dialect, limitName: other, refused };
  }
  const canGo = droppable.has(name) || (purpose === 'fold' && settingNames.has(name));
  return canGo ? { ...dialect, refused } : undefined;
}

function withoutTools(dialect: Dialect, { tools = [] }: Asked): Dialect | undefined {
  return tools.length === 0 ? undefined : withoutParameter(dialect, 'tools', 'answer');
}

function withSystemInUser(dialect: Dialect): Dialect | undefined {
  return dialect.systemInUser ? undefined : { ...dialect, systemInUser: true, alternating: true };
}

const mostRefusedTools = 256;

function withoutTool(dialect: Dialect, name: string | undefined, request: Asked): Dialect | undefined {
  const trial = dialect.tools;
  const offered = offeredTools(request.tools, dialect);
  const prints = offered.map(fingerprint);
  const named = offered.findIndex((tool) => tool.name === name);
  const onTrial = trial.suspects.filter((print) => prints.includes(print));
  const tried = onTrial.length > 0 ? onTrial : prints;
  const culprit = prints[named] ?? (tried.length === 1 ? tried[0] : undefined);
  if (culprit !== undefined) return { ...dialect, tools: withCulprit(trial, culprit) };
  if (tried.length === 0) return undefined;
  const others = trial.suspects.filter((print) => !tried.includes(print));
  return { ...dialect, tools: { ...trial, suspects: tried, held: [...trial.held, ...others] } };
}

function withCulprit(trial: ToolTrial, culprit: string): ToolTrial {
  return { refused: [...trial.refused, culprit].slice(-mostRefusedTools), suspects: [], held: [] };
}

/** Some of the suspects have been taken: the one looked for is among the others. */
export function learnAccepted(dialect: Dialect, request: Asked): Dialect {
  const trial = dialect.tools;
  if (trial.suspects.length === 0) return dialect;
  const prints = offeredTools(request.tools, dialect).map(fingerprint);
  if (!trial.suspects.some((print) => prints.includes(print))) return dialect;
  const suspects = trial.suspects.filter((print) => !prints.includes(print));
  const [only] = suspects;
  if (suspects.length === 1 && only !== undefined) return { ...dialect, tools: withCulprit(trial, only) };
  return { ...dialect, tools: { ...trial, suspects } };
}

/** Those of the tools that this server takes, as far as is known. */
export function offeredTools(tools: readonly ToolSpec[] = [], { tools: trial }: Dialect): readonly ToolSpec[] {
  const { refused, suspects, held } = trial;
  if (refused.length + suspects.length === 0) return tools;
  const open = tools
    .map((tool) => ({ tool, print: fingerprint(tool) }))
    .filter(({ print }) => !refused.includes(print) && !held.includes(print));
  const suspected = open.filter(({ print }) => suspects.includes(print));
  const tried = suspected.slice(0, Math.ceil(suspected.length / 2));
  const left = suspected.length > 1 ? suspected.slice(tried.length) : [];
  return open.filter((one) => !left.includes(one)).map(({ tool }) => tool);
}

/** Refused by itself, as it is described. */
export function isRefusedTool(tool: ToolSpec, { tools }: Dialect): boolean {
  return tools.refused.length > 0 && tools.refused.includes(fingerprint(tool));
}

/** A tool that is described in another way is another tool. */
function fingerprint({ name, description, parameters }: ToolSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([name, description, parameters]))
    .digest('base64');
}
