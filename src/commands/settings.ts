import { z } from 'zod';
import type { Profile } from '../conversation/profile.ts';
import { BotError } from '../errors.ts';
import type { RequestSettings } from '../model/model.ts';
import { type LogitBias, logitBiasFrom, logitBiasSchema, logitBiasText, toTokenBias } from './logit-bias.ts';
import { checkMemory, checkWindow } from './memory-size.ts';
import { nearest, quote } from './nearest.ts';
import { type EncoderFor, type Setting, type SettingValue, toSetting } from './setting.ts';
import { stopFrom, stopSchema, stopText } from './stop-texts.ts';
import { toolChoiceSetting, toolsSetting } from './tool-settings.ts';

/** What can be set, and how settings of a thread, its channel and its workspace become one profile. */

interface NumberRow {
  name: string;
  help: string;
  min: number;
  max: number;
  whole?: boolean;
  examples: readonly string[];
  get: (profile: Profile) => number | undefined;
  put: (profile: Profile, value: number) => Profile;
  check?: Setting['check'];
}

const nothingToCheck = (): void => undefined;
const largest = Number.MAX_SAFE_INTEGER;

function numberSetting({ min, max, whole = false, check = nothingToCheck, ...row }: NumberRow): Setting {
  const range = min === -largest ? '' : ` from ${min} to ${max}`;
  return toSetting({
    ...row,
    allowed: `${whole ? 'a whole number' : 'a number'}${range}`,
    schema: whole ? z.number().int().min(min).max(max) : z.number().min(min).max(max),
    // Adding 0 makes a plain zero of the negative one.
    fromText: (text) => (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) + 0 : undefined),
    toText: String,
    check,
  });
}

function choiceSetting<T extends string>(row: {
  name: string;
  help: string;
  choices: readonly [T, ...T[]];
  get: (profile: Profile) => T | undefined;
  put: (profile: Profile, value: T) => Profile;
}): Setting {
  const { name, help, choices, get, put } = row;
  return toSetting({
    name,
    help,
    allowed: choices.join(' or '),
    examples: choices,
    schema: z.enum(choices),
    fromText: (text) => text.toLowerCase(),
    toText: (value) => value,
    get,
    put,
    check: nothingToCheck,
  });
}

function withRequest(profile: Profile, request: RequestSettings): Profile {
  return { ...profile, request: { ...profile.request, ...request } };
}

/** In this order they are applied: the words of logit_bias are tokens of the model that was chosen. */
export const settings: readonly Setting[] = [
  toSetting({
    name: 'model',
    help: 'the model that answers',
    allowed: "a model's name, without spaces",
    examples: [],
    schema: z.string().regex(/^[^\s\p{C}]{1,200}$/u),
    fromText: (text) => text,
    toText: (value) => value,
    get: (profile) => profile.model,
    put: (profile, model) => ({ ...profile, model }),
    check: checkWindow,
  }),
  numberSetting({
    name: 'temperature',
    help: 'how varied the wording is; low is steady',
    min: 0,
    max: 2,
    examples: ['0', '0.3', '0.7', '1'],
    get: (profile) => profile.request.temperature,
    put: (profile, temperature) => withRequest(profile, { temperature }),
  }),
  numberSetting({
    name: 'top_p',
    help: 'choose only among the likeliest words that together have this share',
    min: 0,
    max: 1,
    examples: ['0.1', '0.5', '0.9', '1'],
    get: (profile) => profile.request.topP,
    put: (profile, topP) => withRequest(profile, { topP }),
  }),
  numberSetting({
    name: 'max_reply_tokens',
    help: 'the longest reply, in tokens',
    min: 1,
    max: 1_000_000,
    whole: true,
    examples: ['256', '1024', '4096'],
    get: (profile) => profile.maxReplyTokens,
    put: (profile, maxReplyTokens) => ({ ...profile, maxReplyTokens }),
    check: checkWindow,
  }),
  numberSetting({
    name: 'seed',
    help: 'the same seed makes the same answer likelier',
    min: -largest,
    max: largest,
    whole: true,
    examples: ['1'],
    get: (profile) => profile.request.seed,
    put: (profile, seed) => withRequest(profile, { seed }),
  }),
  numberSetting({
    name: 'frequency_penalty',
    help: 'above 0, words become rarer the more often they were used',
    min: -2,
    max: 2,
    examples: ['0', '0.5', '1'],
    get: (profile) => profile.request.frequencyPenalty,
    put: (profile, frequencyPenalty) => withRequest(profile, { frequencyPenalty }),
  }),
  numberSetting({
    name: 'presence_penalty',
    help: 'above 0, words become rarer once they were used',
    min: -2,
    max: 2,
    examples: ['0', '0.5', '1'],
    get: (profile) => profile.request.presencePenalty,
    put: (profile, presencePenalty) => withRequest(profile, { presencePenalty }),
  }),
  toSetting<LogitBias>({
    name: 'logit_bias',
    help: 'makes words, or tokens by id, likelier or rarer; -100 forbids them',
    allowed: 'words or token ids with a number from -100 to 100 each, as in `word=-100, 1234=5` or `{"word": -100}`',
    examples: [],
    schema: logitBiasSchema,
    fromText: logitBiasFrom,
    toText: logitBiasText,
    get: ({ request }) => request.logitBias && Object.entries(request.logitBias),
    put: async (profile, pairs, encoderFor) =>
      withRequest(profile, { logitBias: await toTokenBias(pairs, () => encoderFor(profile.model)) }),
    check: nothingToCheck,
  }),
  toSetting({
    name: 'stop',
    help: 'texts at which the reply ends',
    allowed: 'one to four texts, as in `END, \\n` or `["END", "\\n"]`',
    examples: [],
    schema: stopSchema,
    fromText: stopFrom,
    toText: stopText,
    get: (profile) => profile.request.stop,
    put: (profile, stop) => withRequest(profile, { stop }),
    check: nothingToCheck,
  }),
  choiceSetting({
    name: 'response_format',
    help: 'whether the reply is text or one JSON object',
    choices: ['text', 'json_object'],
    get: (profile) => profile.request.responseFormat,
    put: (profile, responseFormat) => withRequest(profile, { responseFormat }),
  }),
  toolsSetting,
  toolChoiceSetting,
  choiceSetting({
    name: 'listen',
    help: 'whether only what is said to me is remembered, or all that is said here',
    choices: ['addressed', 'all'],
    get: (profile) => profile.listen,
    put: (profile, listen) => ({ ...profile, listen }),
  }),
  numberSetting({
    name: 'memory_tokens',
    help: 'the most that is sent to the model at once, in tokens',
    min: 200,
    max: 10_000_000,
    whole: true,
    examples: ['4000', '12000', '32000'],
    get: (profile) => profile.memory.tokens,
    put: (profile, tokens) => ({ ...profile, memory: { ...profile.memory, tokens } }),
    check: checkMemory,
  }),
];

export const settingNames: readonly string[] = settings.map((setting) => setting.name);

export function settingNamed(name: string): Setting {
  const found = settings.find((setting) => setting.name === name.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(name, settingNames);
  const guess = meant === undefined ? `; there are ${settingNames.join(', ')}` : `. Did you mean ${meant}?`;
  throw new BotError('input', `there is no setting ${quote(name)}${guess}`);
}

/** For completion: what the value of a setting may be, and those that name a tool. */
export function settingExamples(name: string, toolNames: readonly string[] = []): readonly string[] {
  const setting = settings.find((one) => one.name === name.toLowerCase());
  const isOfTools = setting === toolsSetting || setting === toolChoiceSetting;
  return [...(setting?.examples ?? []), ...(isOfTools ? toolNames : [])];
}

/** What is stored for a thread, a channel or a workspace. */
export type Layer = Readonly<Record<string, unknown>>;

export interface Chosen {
  setting: Setting;
  value: SettingValue;
  /** Which of the layers it comes from. */
  layer: number;
}

/** Of each setting the first layer's that has it. `ignored` names what is stored and no value of a setting we know. */
export function chosenSettings(layers: readonly Layer[]): { chosen: Chosen[]; ignored: string[] } {
  const ignored = layers.flatMap((layer) =>
    Object.entries(layer).flatMap(([name, stored]) =>
      settings.find((setting) => setting.name === name)?.read(stored) === undefined ? [name] : [],
    ),
  );
  const chosen = settings.flatMap((setting) => {
    const found = layers.flatMap((layer, index) => {
      const value = setting.read(layer[setting.name]);
      return value === undefined ? [] : [{ setting, value, layer: index }];
    });
    return found.slice(0, 1);
  });
  return { chosen, ignored: [...new Set(ignored)] };
}

/** The layers' settings over the defaults; the first layer wins. */
export async function resolveProfile(
  layers: readonly Layer[],
  defaults: Profile,
  encoderFor: EncoderFor,
): Promise<{ profile: Profile; ignored: string[] }> {
  const { chosen, ignored } = chosenSettings(layers);
  let profile = defaults;
  for (const { value } of chosen) profile = await value.applyTo(profile, encoderFor);
  return { profile, ignored };
}
