import { z } from 'zod';
import { hasRoom } from '../conversation/limits.ts';
import { BotError } from '../errors.ts';
import { nearest, quote } from './nearest.ts';
import { type Setting, toSetting } from './setting.ts';

/** What the model may call in a channel. */

const toolName = z.string().regex(/^[\w-]{1,64}$/);
const mostNames = 60;

export const toolsSetting: Setting = toSetting<'all' | string[]>({
  name: 'tools',
  help: 'what the model may call here, of what the operator offers',
  allowed: '`all`, `none`, or names of tools with commas between them',
  examples: ['all', 'none'],
  schema: z.union([z.literal('all'), z.array(toolName).max(mostNames)]),
  fromText: toolsFrom,
  toText: (tools) => (tools === 'all' ? tools : tools.join(', ') || 'none'),
  get: ({ tools = [] }) => (tools === 'all' ? tools : [...tools]),
  put: (profile, tools) => ({ ...profile, tools }),
  check(profile, facts) {
    const { tools = [] } = profile;
    for (const name of tools === 'all' ? [] : tools) mustBeOffered(name, facts.toolNames);
    // What describes them stands in every prompt.
    const { memory } = profile;
    if (hasRoom(memory, facts.fixedTokens)) return;
    throw new BotError(
      'input',
      `what describes these tools takes so much of the ${memory.tokens} tokens (memory_tokens) that too little remains for the conversation`,
    );
  },
});

export const toolChoiceSetting: Setting = toSetting<string>({
  name: 'tool_choice',
  help: 'whether the model decides if it calls a tool, never does, or begins each answer with a certain one',
  allowed: '`auto`, `none`, or the name of a tool',
  examples: ['auto', 'none'],
  schema: toolName,
  fromText: (text) => (/^(auto|none)$/i.test(text) ? text.toLowerCase() : text),
  toText: (choice) => choice,
  get: ({ toolChoice = 'auto' }) => (toolChoice === 'auto' || toolChoice === 'none' ? toolChoice : toolChoice.name),
  put: (profile, choice) => ({
    ...profile,
    toolChoice: choice === 'auto' || choice === 'none' ? choice : { name: choice },
  }),
  check({ toolChoice, tools = [] }, { toolNames }) {
    if (typeof toolChoice !== 'object') return;
    mustBeOffered(toolChoice.name, toolNames);
    if (tools === 'all' || tools.includes(toolChoice.name)) return;
    throw new BotError('input', `the setting tools leaves ${quote(toolChoice.name)} out here; add it there first`);
  },
});

function toolsFrom(text: string): unknown {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  const [only = ''] = names;
  if (names.length === 1 && /^all$/i.test(only)) return 'all';
  if (names.length === 1 && /^none$/i.test(only)) return [];
  return names.length === 0 ? undefined : [...new Set(names)];
}

function mustBeOffered(name: string, offered: readonly string[]): void {
  if (offered.includes(name)) return;
  if (offered.length === 0) {
    throw new BotError('input', 'there are no tools here: whoever runs me names them in TOOLS');
  }
  const meant = nearest(name, offered);
  const guess = meant === undefined ? `; there is ${offered.join(', ')}` : `. Did you mean ${meant}?`;
  throw new BotError('input', `there is no tool ${quote(name)}${guess}`);
}
