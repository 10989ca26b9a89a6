import type { AuditAction } from '../operations/audit.ts';

/** What a command is, as data: every platform, the parser, help and completion are made from the same list. */

export interface OptionSpec {
  name: string;
  help: string;
  required: boolean;
  /** Takes the remaining text as it is, line breaks and all. Only the last option may. */
  rest?: boolean;
  /** Typed before its value in a line: `by model`. Only an option that has choices and is not required may. */
  keyword?: boolean;
  /** `number`: a whole one, from 1. `person`: a name or an id; as the last option it may contain spaces. */
  kind: 'text' | 'number' | 'person';
  choices?: readonly string[];
  /** A value may have so many characters, where not as many as its kind may. */
  maxChars?: number;
  /** What it may be is known only while the program runs: roles, tools. Other values may be right, too. */
  live?: true;
}

export interface CommandSpec {
  /** `['role', 'set']` */
  path: readonly string[];
  help: string;
  options: readonly OptionSpec[];
  /** `asker`: whoever asked the question it is about, or an admin. */
  who: 'anyone' | 'admin' | 'asker';
  /** RESTRICTED_COMMANDS may leave it to admins. */
  restrictable: boolean;
  /** Everybody in the channel sees what it did. */
  public: boolean;
  /** It cannot be undone: asks first. */
  confirm: boolean;
  /** Does not wait behind an answer. */
  urgent: boolean;
  /** As what the audit trail notes it; `nothing`: it is part of the conversation, or only looks at it. */
  audited: AuditAction | 'nothing';
}

export type Values = Record<string, string | number>;

export function commandName(spec: CommandSpec): string {
  return spec.path.join(' ');
}

const maxCharsByKind = { text: 200, number: 7, person: 200 };

/** Every value has a longest length: what is longer is refused before anything looks into it. */
export function maxCharsOf({ kind, maxChars }: OptionSpec): number {
  return maxChars ?? maxCharsByKind[kind];
}

/** More choices than this are named by the option's own name. */
const maxShownChoices = 5;

/** `/usage [today|week|month] [by person|channel|model]` */
export function usageLine(spec: CommandSpec): string {
  return [`/${commandName(spec)}`, ...spec.options.map(placeholder)].join(' ');
}

function placeholder(option: OptionSpec): string {
  const { choices = [], name } = option;
  const value = choices.length > 0 && choices.length <= maxShownChoices ? choices.join('|') : name;
  if (option.required) return `<${value}>`;
  return option.keyword ? `[${name} ${value}]` : `[${value}]`;
}

/** Its value says which option it is, so that it may stand anywhere among the others. */
export function isFlexible(option: OptionSpec): boolean {
  return !option.required && option.choices !== undefined;
}

/** It takes everything that follows, spaces included. */
export function isGreedy(spec: CommandSpec, option: OptionSpec): boolean {
  return option.rest === true || (option.kind === 'person' && option === spec.options.at(-1));
}
