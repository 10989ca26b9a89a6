import type { CommandHelp } from '../views.ts';

/** What a line that begins with a slash can become. */
export interface Suggestion {
  /** The line with its slash. */
  line: string;
  /** As it is shown: with what is still to be filled in. */
  usage: string;
  help: string;
  /** Choosing it leaves nothing to type. */
  whole: boolean;
}

const most = 30;

/** Commands by the beginnings of their names; then what the program knows of values, and how the command is meant. */
export function suggest(typed: string, commands: readonly CommandHelp[], values: readonly string[]): Suggestion[] {
  const line = typed.slice(1).toLowerCase();
  const toSuggestion = ({ name, usage, help }: CommandHelp): Suggestion => ({
    line: `/${name}`,
    usage,
    help,
    whole: !/[<[]/.test(usage),
  });
  const suggestions = commands.filter(({ name }) => name.startsWith(line)).map(toSuggestion);
  const meant = commands.filter(({ name }) => isWithin(line, name)).map(toSuggestion);
  const known = new Set([...suggestions, ...meant].map((each) => each.line));
  for (const value of values) {
    const full = `/${value.trimEnd()}`;
    if (known.has(full) || full === typed.trimEnd()) continue;
    known.add(full);
    const help = commands.find(({ name }) => isWithin(value, name))?.help ?? '';
    // The program ends a line with a space where more is to come.
    suggestions.push({ line: full, usage: full, help, whole: !value.endsWith(' ') });
  }
  return [...suggestions, ...meant].slice(0, most);
}

/** The line is the command and something after it. */
function isWithin(line: string, name: string): boolean {
  return line.startsWith(`${name} `);
}

/** A path or a date is no command. */
export function isCommand(text: string): boolean {
  return /^\/[a-z]+(\s|$)/i.test(text);
}
