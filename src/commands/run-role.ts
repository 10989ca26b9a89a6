import { withOpenSpan } from '../conversation/conversations.ts';
import { type Change, type Head, withChange } from '../conversation/head.ts';
import { withHead } from '../conversation/journal.ts';
import { hasRoom } from '../conversation/limits.ts';
import type { Profile } from '../conversation/profile.ts';
import { cleanText } from '../conversation/recording.ts';
import { BotError } from '../errors.ts';
import { type Context, privately, publicly, type Result } from './context.ts';
import { placesOf } from './layers.ts';
import { nearest, quote } from './nearest.ts';
import type { Preset } from './preset.ts';
import type { Presets } from './presets.ts';
import { resolveProfile, settingNamed } from './settings.ts';

/** The channel's system role: in its own words, or a preset's. */

export async function showRole(context: Context): Promise<Result> {
  const { deps, channel, profile } = context;
  const { presets } = deps;
  const own = (await placesOf(deps, channel)).find(({ role, chosen }) => role !== undefined || chosen !== undefined);
  const chosen = own?.chosen;
  const isThere = own?.preset !== undefined;
  const from = isThere ? `, of the preset **${chosen}**` : '';
  const lines = [`The role here${from}:`, `> ${profile.role.replaceAll('\n', '\n> ')}`];
  if (chosen !== undefined && !isThere) {
    lines.unshift(`⚠️ The preset **${chosen}** that was chosen here is not there any more, so the usual role holds.`);
  }
  const others = (await presets.all()).filter((preset) => !isThere || preset.name !== chosen);
  if (others.length > 0) lines.push('', 'Presets for `role preset`:', ...others.slice(0, mostShown).map(presetLine));
  if (others.length > mostShown) lines.push(`and ${others.length - mostShown} more`);
  return privately(lines.join('\n'));
}

const mostShown = 30;

function presetLine({ name, description }: Preset): string {
  return `- **${name}**: ${description}`;
}

export async function setRole(context: Context): Promise<Result> {
  const { profile, values } = context;
  const role = cleanText(String(values.text));
  if (role === '') throw new BotError('input', 'a role needs some words; `role clear` goes back to the usual one');
  await mustFit(context, { ...profile, role, examples: [] });
  const words = short(role);
  const set = { role, roleBy: context.author.id };
  return await change(context, set, context.changed('set the role', words), `${context.who} set the role: ${words}`);
}

export async function setPreset(context: Context): Promise<Result> {
  const { deps, profile, values, who } = context;
  const preset = await presetNamed(deps.presets, String(values.preset));
  const set = (await placesOf(deps, context.channel)).map((place) => place.settings);
  const resolved = await resolveProfile([...set, preset.settings], profile, deps.encode);
  const changed = { ...resolved.profile, role: preset.role, examples: preset.examples };
  const fixedTokens = await mustFit(context, changed);
  const toolNames = deps.memory.toolbox.names();
  const facts = { contextTokens: deps.model.contextTokens, fixedTokens, toolNames };
  // What it would call and cannot is no reason against a role; it is told.
  for (const name of Object.keys(preset.settings).filter((one) => !one.startsWith('tool'))) {
    settingNamed(name).check(changed, facts);
  }
  const missing = toolsOf(preset).filter((name) => !toolNames.includes(name));
  const without = missing.length > 0 ? ` It would call ${missing.join(', ')}, which is not offered here.` : '';
  const line = `chose the role ${preset.name}: ${preset.description}`;
  return await change(context, { preset: preset.name }, context.changed(line), `${who} ${line}.${without}`);
}

function toolsOf({ settings: { tools } }: Preset): string[] {
  return Array.isArray(tools) ? tools.map(String) : [];
}

async function presetNamed(presets: Presets, given: string): Promise<Preset> {
  const name = given.trim().toLowerCase();
  const found = await presets.find(name);
  if (found !== undefined) return found;
  const names = (await presets.all()).map((preset) => preset.name);
  if (names.length === 0) throw new BotError('input', 'there are no presets here; `role set` gives a role in words');
  const meant = nearest(name, names);
  const guess =
    meant === undefined ? `; there are ${names.slice(0, mostShown).join(', ')}` : `. Did you mean ${meant}?`;
  throw new BotError('input', `there is no preset ${quote(given)}${guess}`);
}

export async function clearRole(context: Context): Promise<Result> {
  const { role, preset } = (await context.deps.memory.conversations.read(context.channel)).head;
  if (role === undefined && preset === undefined) {
    throw new BotError('input', `no role was set for ${context.here}; the usual one holds`);
  }
  return await change(
    context,
    {},
    context.changed('cleared the role'),
    `${context.who} cleared the role; the usual one holds again.`,
  );
}

/** Beside what stands in every prompt, enough must remain for a conversation. */
async function mustFit({ deps, channel, direct }: Context, changed: Profile): Promise<number> {
  const tokens = await deps.memory.fixedTokens(channel, changed, direct);
  const { memory } = changed;
  if (hasRoom(memory, tokens)) return tokens;
  throw new BotError(
    'input',
    `this role is too long: with all that goes with it, it takes ${tokens} of the ${memory.tokens} tokens, and too little would remain for the conversation`,
  );
}

type RoleOfHead = Pick<Head, 'role' | 'roleBy' | 'preset'>;

async function change(
  { deps, channel, settle }: Context,
  now: RoleOfHead,
  changed: Change,
  line: string,
): Promise<Result> {
  const result = publicly(`🎭 ${line}`);
  await deps.memory.conversations.change(channel, (state) => {
    const opened = withOpenSpan(state);
    const { role: _, roleBy: __, preset: ___, ...rest } = opened.state.head;
    const step = withHead(opened.state, withChange({ ...rest, ...now }, changed));
    return {
      step: { ...step, records: [...opened.records, ...step.records] },
      also: [settle(result.notice)],
      value: undefined,
    };
  });
  return result;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 200 ? `${line.slice(0, 200).toWellFormed()}…` : line;
}
