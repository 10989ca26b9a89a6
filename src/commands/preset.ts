import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Example } from '../conversation/profile.ts';
import { cleanText } from '../conversation/recording.ts';
import { BotError } from '../errors.ts';
import { type Layer, settingNamed } from './settings.ts';

/** A role ready to be chosen, with what goes with it. */
export interface Preset {
  name: string;
  description: string;
  role: string;
  /** As they would be stored for a channel; its tools among them. */
  settings: Layer;
  examples: readonly Example[];
}

const maxRoleChars = 16_000;
const text = (chars: number) => z.string().transform(cleanText).pipe(z.string().min(1).max(chars));

const headerSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be small letters, digits and hyphens, at most 40'),
  description: text(200).refine((words) => !words.includes('\n'), 'must be one line'),
  settings: z.record(z.string(), z.unknown()).default({}),
  tools: z.union([z.literal('all'), z.array(z.string())]).optional(),
  examples: z
    .array(z.strictObject({ user: text(4000), assistant: text(8000) }))
    .max(20)
    .default([]),
});

/** A Markdown file whose front matter, in YAML, says all but the role itself. Throws what is wrong with it. */
export function parsePreset(content: string): Preset {
  const [, yaml, body] =
    /^---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n(.*))?$/s.exec(content.replace(/^\uFEFF/, '')) ?? [];
  if (yaml === undefined) throw problem('it must begin with a line ---, then YAML, then another line ---');
  const { name, description, settings, tools, examples } = checked(readYaml(yaml));
  const role = cleanText(body ?? '');
  if (role === '') throw problem('there is no role below the second ---');
  if (role.length > maxRoleChars) throw problem(`the role is longer than ${maxRoleChars} characters`);
  if (tools !== undefined && 'tools' in settings) throw problem('tools stand twice, once among the settings');
  const given = Object.entries({ ...settings, ...(tools !== undefined && { tools }) });
  const stored = given.map(([setting, value]) => [setting, toStored(setting, value)]);
  return { name, description, role, settings: Object.fromEntries(stored), examples };
}

function readYaml(yaml: string): unknown {
  const document = parseDocument(yaml);
  const [error] = document.errors;
  if (error !== undefined) throw problem(`its YAML is broken in line ${(error.linePos?.[0].line ?? 0) + 1}`, error);
  try {
    // Names that stand for one another must not multiply.
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    throw problem('its YAML is broken', error);
  }
}

function checked(header: unknown): z.output<typeof headerSchema> {
  const parsed = headerSchema.safeParse(header);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.');
  throw problem(where ? `${where}: ${issue?.message}` : `${issue?.message}`, parsed.error);
}

/** As YAML has it, or as somebody would type it. */
function toStored(name: string, value: unknown): unknown {
  const setting = settingNamed(name);
  if (setting.name !== name) throw problem(`the setting ${setting.name} is written in small letters`);
  // Who is listened to must be told so, in each channel.
  if (name === 'listen') throw problem('listen is not for presets: an admin sets it in the channel');
  const read = setting.read(value) ?? (typeof value === 'string' ? setting.parse(value) : undefined);
  if (read === undefined) throw problem(`the setting ${name} must be ${setting.allowed}`);
  return read.stored;
}

function problem(words: string, cause?: unknown): BotError {
  return new BotError('config', words, { cause });
}

/** What is set for a thread, a channel or a workspace. */
export interface PresetLayer {
  role: string | undefined;
  preset: Preset | undefined;
  settings: Layer;
}

interface WithPreset {
  role: string | undefined;
  examples: readonly Example[];
  /** The one whose role holds. */
  preset: Preset | undefined;
  /** The first wins. */
  layers: readonly Layer[];
}

/**
 * The nearest role holds, and of presets only the one it is of: its examples and settings belong to it. Anybody may
 * choose one, so what an admin has set, wherever that is, comes before what a preset would set.
 */
export function withPreset(given: readonly PresetLayer[]): WithPreset {
  const own = given.find(({ role, preset }) => role !== undefined || preset !== undefined);
  const preset = own?.role === undefined ? own?.preset : undefined;
  const settings = given.map((layer) => layer.settings);
  return {
    role: own?.role ?? preset?.role,
    examples: preset?.examples ?? [],
    preset,
    layers: preset === undefined ? settings : [...settings, preset.settings],
  };
}
