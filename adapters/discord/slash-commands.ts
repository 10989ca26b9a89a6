import {
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';
import { BotError } from '../../src/errors.ts';

/** Discord's slash commands, made from the one list of commands. */

/** What is needed of a command; the core's own list has it. */
export interface SlashSpec {
  path: readonly string[];
  help: string;
  options: readonly SlashOption[];
}

interface SlashOption {
  name: string;
  help: string;
  required: boolean;
  kind: 'text' | 'number' | 'person';
  choices?: readonly string[];
  live?: true;
  maxChars?: number;
}

export type SlashCommand = RESTPostAPIChatInputApplicationCommandsJSONBody;

const maxChoices = 25;
/** Discord's own limit, and what it takes where none is named. */
const mostOptionChars = 6000;
const maxHelpChars = 100;
const maxNumber = 1_000_000;

export function toSlashCommands(specs: readonly SlashSpec[]): SlashCommand[] {
  const names = [...new Set(specs.map((spec) => spec.path[0] ?? ''))];
  return names.map((name) => {
    const own = specs.filter((spec) => spec.path[0] === name);
    return { ...command(name, own), ...where };
  });
}

const where = {
  type: ApplicationCommandType.ChatInput as const,
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
};

function command(name: string, specs: readonly SlashSpec[]) {
  const [only] = specs;
  if (specs.length === 1 && only?.path.length === 1) {
    return { name, description: help(only.help), options: only.options.map(toOption) };
  }
  if (specs.some((spec) => spec.path.length !== 2)) {
    throw new BotError('bug', `/${name} cannot be both a command and a group of them`);
  }
  const words = specs.map((spec) => spec.path[1]).join(', ');
  return { name, description: help(`${name}: ${words}`), options: specs.map(toSubcommand) };
}

function toSubcommand(spec: SlashSpec): APIApplicationCommandSubcommandOption {
  const options = spec.options.map(toOption);
  const name = spec.path[1] ?? '';
  return { type: ApplicationCommandOptionType.Subcommand, name, description: help(spec.help), options };
}

function toOption(option: SlashOption): APIApplicationCommandBasicOption {
  const { name, required, choices } = option;
  const base = { name, description: help(option.help), required };
  if (option.kind === 'person') return { ...base, type: ApplicationCommandOptionType.User };
  if (option.kind === 'number') {
    return { ...base, type: ApplicationCommandOptionType.Integer, min_value: 1, max_value: maxNumber };
  }
  const { maxChars = mostOptionChars } = option;
  const limit = maxChars < mostOptionChars ? { max_length: maxChars } : {};
  const text = { ...base, ...limit, type: ApplicationCommandOptionType.String as const };
  if (choices === undefined && !option.live) return text;
  if (choices === undefined || choices.length > maxChoices) return { ...text, autocomplete: true };
  return { ...text, choices: choices.map((one) => ({ name: one, value: one })) };
}

function help(text: string): string {
  return text.length <= maxHelpChars ? text : `${text.slice(0, maxHelpChars - 1).toWellFormed()}…`;
}

/** What is offered while somebody types: what begins so first, then what has it inside. */
export function toSuggestions(choices: readonly string[], typed: string): { name: string; value: string }[] {
  const begun = typed.toLowerCase();
  const starting = choices.filter((one) => one.toLowerCase().startsWith(begun));
  const inside = choices.filter((one) => one.toLowerCase().includes(begun) && !starting.includes(one));
  return [...starting, ...inside].slice(0, maxChoices).map((one) => ({ name: one, value: one }));
}

/** Whether Discord has them already; what it adds of its own, and the order it gives them in, says nothing. */
export function areRegistered(wanted: readonly SlashCommand[], registered: unknown): boolean {
  if (!Array.isArray(registered) || registered.length !== wanted.length) return false;
  const there = new Set(registered.map((one) => JSON.stringify(comparable(one))));
  return wanted.every((one) => there.has(JSON.stringify(comparable(one))));
}

const compared = new Set(
  'name description type contexts integration_types options required choices value autocomplete min_value max_value max_length'.split(
    ' ',
  ),
);

/** Only what is ours to say, and nothing that says no more than its absence. */
function comparable(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(comparable);
  if (typeof given !== 'object' || given === null) return given;
  const said = Object.entries(given).filter(([name, value]) => compared.has(name) && !saysNothing(value));
  return said.map(([name, value]) => [name, comparable(value)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

function saysNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
}
