import type { z } from 'zod';
import type { Profile } from '../conversation/profile.ts';
import { BotError } from '../errors.ts';
import { quote } from './nearest.ts';

/** One thing of the profile that an admin may set for a channel: how it is typed, stored, shown and obeyed. */
export interface Setting {
  readonly name: string;
  readonly help: string;
  /** What its values are, in words. */
  readonly allowed: string;
  /** Values worth offering; all of them where there are few. */
  readonly examples: readonly string[];
  /** From what somebody typed; a `BotError` says what would be right. */
  parse(text: string): SettingValue;
  /** From the store; nothing where it is no value of this setting (any more). */
  read(stored: unknown): SettingValue | undefined;
  /** What holds in a profile, as it is shown; nothing where it is left to the provider. */
  shownIn(profile: Profile): string | undefined;
  /** Throws where the profile, in which this was just set, could not be answered with. */
  check(profile: Profile, facts: SizeFacts): void;
}

export interface SettingValue {
  /** JSON, for the store. */
  stored: unknown;
  /** Typed again, it is the same value. */
  shown: string;
  applyTo(profile: Profile, encoderFor: EncoderFor): Profile | Promise<Profile>;
}

/** The model's own tokens of a text; special ones are text like any other. */
export type EncoderFor = (model: string) => Promise<(text: string) => number[] | Promise<number[]>>;

export interface SizeFacts {
  /** Of a fallback, too, where it is smaller. */
  contextTokens(model: string): number | undefined;
  /** What stands before the turns in every prompt: the role and its frame, examples, tools. */
  fixedTokens: number;
  /** Every tool that is offered somewhere. */
  toolNames: readonly string[];
}

/** A row of the table. */
interface SettingRow<T> {
  name: string;
  help: string;
  allowed: string;
  examples: readonly string[];
  schema: z.ZodType<T>;
  /** What the schema then accepts or does not. */
  fromText: (text: string) => unknown;
  toText: (value: T) => string;
  get: (profile: Profile) => T | undefined;
  put: (profile: Profile, value: T, encoderFor: EncoderFor) => Profile | Promise<Profile>;
  check: (profile: Profile, facts: SizeFacts) => void;
}

/** No value is longer; an encoder or a regular expression never meets more. */
const maxChars = 4000;

export function toSetting<T>(row: SettingRow<T>): Setting {
  const { name, help, allowed, examples, schema, toText } = row;

  function toValue(value: T): SettingValue {
    return {
      stored: value,
      shown: toText(value),
      applyTo: (profile, encoderFor) => row.put(profile, value, encoderFor),
    };
  }

  return {
    name,
    help,
    allowed,
    examples,
    parse(text) {
      const trimmed = text.trim();
      const parsed = schema.safeParse(trimmed.length > maxChars ? undefined : row.fromText(trimmed));
      if (parsed.success) return toValue(parsed.data);
      throw new BotError('input', `the setting ${name} must be ${allowed}, not ${quote(trimmed)}`);
    },
    read(stored) {
      const parsed = schema.safeParse(stored);
      return parsed.success ? toValue(parsed.data) : undefined;
    },
    shownIn(profile) {
      const value = row.get(profile);
      return value === undefined ? undefined : toText(value);
    },
    check: row.check,
  };
}
