import { BotError } from '../errors.ts';
import {
  type CommandSpec,
  commandName,
  isFlexible,
  isGreedy,
  maxCharsOf,
  type OptionSpec,
  usageLine,
  type Values,
} from './command.ts';
import { nearest, quote } from './nearest.ts';
import { cleaned, needsQuotes, quoted, readWord, unquoted, type Word } from './words.ts';

/** A command as typed in one line, or as a platform's own options give it. */
export type Given = { line: string } | { path: readonly string[]; options: Readonly<Record<string, string>> };

export interface Parsed<S extends CommandSpec> {
  spec: S;
  values: Values;
  /** For a command that asks first: the person has said that it is meant. */
  confirmed: boolean;
}

/** No command's words together are longer, unless it takes text. */
const maxChars = 2000;
const maxNumber = 1_000_000;
const confirmWord = 'confirm';

export function parseCommand<S extends CommandSpec>(specs: readonly S[], given: Given): Parsed<S> {
  if ('path' in given) return fromOptions(specs, given.path, given.options);
  const line = withoutSlash(cleaned(given.line));
  const words = leadingWords(specs, line);
  const spec = specNamed(
    specs,
    words.map((word) => word.text),
  );
  const text = line.slice(words[spec.path.length - 1]?.end ?? 0).trim();
  const takesText = spec.options.at(-1)?.rest === true;
  if (!takesText && text.length > maxChars) throw wrong(spec, `what follows /${commandName(spec)} is too long`);
  const { meant, confirmed } = takeConfirm(spec, text);
  return { spec, values: readValues(spec, meant), confirmed };
}

/** Whether the line orders something that does not wait behind an answer; false where it orders nothing. */
export function isUrgentLine(specs: readonly CommandSpec[], line: string): boolean {
  const words = leadingWords(specs, withoutSlash(cleaned(line.slice(0, maxChars))));
  return (
    longestMatch(
      specs,
      words.map((word) => word.text),
    )?.urgent === true
  );
}

/** The line that is parsed as exactly this: what a button stands for. */
export function commandLine(spec: CommandSpec, values: Values, confirmed: boolean): string {
  const parts = spec.options.flatMap((option) => {
    const value = values[option.name];
    if (value === undefined) return [];
    const text = String(value);
    const isPlain = !needsQuotes(text) && !/\bconfirm$/i.test(text) && (isGreedy(spec, option) || !/\s/.test(text));
    const put = isPlain ? text : quoted(text);
    return option.keyword ? [option.name, put] : [put];
  });
  const takesText = spec.options.at(-1)?.rest === true;
  const command = [commandName(spec), ...parts].join(' ');
  if (!confirmed || !spec.confirm) return command;
  return `${command}${takesText ? '\n' : ' '}${confirmWord}`;
}

function fromOptions<S extends CommandSpec>(
  specs: readonly S[],
  path: readonly string[],
  options: Readonly<Record<string, string>>,
): Parsed<S> {
  const spec = specNamed(
    specs,
    path.slice(0, longestPath(specs) + 1).map((word) => cleaned(word).toLowerCase()),
  );
  if (spec.path.length < path.length)
    throw wrong(spec, `/${commandName(spec)} has no ${quote(path[spec.path.length] ?? '')}`);
  const values: Values = {};
  let confirmed = false;
  for (const [name, raw] of Object.entries(options)) {
    const text = cleaned(raw).trim();
    const option = spec.options.find((one) => one.name === name.toLowerCase());
    if (option !== undefined) {
      if (text !== '') values[option.name] = toValue(spec, option, text);
    } else if (spec.confirm && name.toLowerCase() === confirmWord) {
      confirmed = text.toLowerCase() === 'yes';
    } else {
      throw wrong(spec, `/${commandName(spec)} has no option ${quote(name)}`);
    }
  }
  return { spec, values: withAllRequired(spec, values), confirmed };
}

function withoutSlash(line: string): string {
  return line.replace(/^\s*\/?\s*/, '');
}

function longestPath(specs: readonly CommandSpec[]): number {
  return Math.max(0, ...specs.map((spec) => spec.path.length));
}

/** As many words as a command's name can have. */
function leadingWords(specs: readonly CommandSpec[], line: string): Word[] {
  const words: Word[] = [];
  for (let count = longestPath(specs); count > 0; count--) {
    const word = readWord(line, words.at(-1)?.end ?? 0);
    if (word === undefined || word.quoted) break;
    words.push({ ...word, text: word.text.toLowerCase() });
  }
  return words;
}

function longestMatch<S extends CommandSpec>(specs: readonly S[], words: readonly string[]): S | undefined {
  const matches = specs.filter((spec) => spec.path.every((word, index) => word === words[index]));
  return matches.sort((a, b) => b.path.length - a.path.length)[0];
}

function specNamed<S extends CommandSpec>(specs: readonly S[], words: readonly string[]): S {
  const spec = longestMatch(specs, words);
  if (spec !== undefined) return spec;
  const [first = '', second] = words;
  if (first === '') throw new BotError('input', 'which command? `/help` lists them');
  const group = specs.filter((one) => one.path[0] === first);
  const meant = likely(specs, words);
  const guess = meant === undefined ? '' : `. Did you mean \`/${meant}\`?`;
  if (group.length === 0) {
    throw new BotError('input', `there is no command ${quote(first)}${guess || ';'} \`/help\` lists them all`);
  }
  const known = group.map((one) => `\`${usageLine(one)}\``).join(', ');
  if (second === undefined) throw new BotError('input', `/${first} needs a word more: ${known}`);
  throw new BotError('input', `/${first} has no ${quote(second)}${guess || '.'} There is ${known}`);
}

function likely(specs: readonly CommandSpec[], words: readonly string[]): string | undefined {
  const [first = '', second = ''] = words;
  const group = specs.filter((spec) => spec.path[0] === first && spec.path.length > 1);
  if (group.length > 0) {
    const rest = nearest(
      second,
      group.map((spec) => spec.path.slice(1).join(' ')),
    );
    return rest === undefined ? undefined : `${first} ${rest}`;
  }
  const names = specs.filter((spec) => spec.path.length === words.length).map(commandName);
  const firsts = specs.map((spec) => spec.path[0] ?? '');
  return nearest(words.join(' '), names) ?? nearest(first, firsts);
}

/**
 * The word `confirm` at the end, unquoted. After free text it stands on a line of its own, so that a text may end with
 * it; where a value is still missing it is that value: somebody may be called so.
 */
function takeConfirm(spec: CommandSpec, text: string): { meant: string; confirmed: boolean } {
  const not = { meant: text, confirmed: false };
  if (!spec.confirm || text.slice(-confirmWord.length).toLowerCase() !== confirmWord) return not;
  const meant = text.slice(0, -confirmWord.length);
  const takesText = spec.options.at(-1)?.rest === true;
  const apart = takesText ? /\n[^\S\n]*$/.test(meant.slice(-maxChars)) : /\s$/.test(meant);
  const isMissing = spec.options.some((option) => option.required) && meant.trim() === '';
  if (isMissing || (meant !== '' && !apart)) return not;
  return { meant: meant.trim(), confirmed: true };
}

function readValues(spec: CommandSpec, text: string): Values {
  const values: Values = {};
  const pending = [...spec.options];
  let at = 0;
  for (let word = readWord(text, at); word !== undefined; word = readWord(text, at)) {
    const picked = pickOption(pending, word.text);
    if (picked === undefined) throw extra(spec, pending, word.text);
    const { option } = picked;
    pending.splice(pending.indexOf(option), 1);
    if (isGreedy(spec, option)) {
      values[option.name] = toValue(spec, option, unquoted(text.slice(word.start)));
      break;
    }
    const value = picked.isKeyword ? readWord(text, word.end) : word;
    values[option.name] = toValue(spec, option, value?.text ?? '');
    at = value?.end ?? text.length;
  }
  return withAllRequired(spec, values);
}

/** Which of the options that are still open a word belongs to. */
export function pickOption(
  pending: readonly OptionSpec[],
  word: string,
): { option: OptionSpec; isKeyword: boolean } | undefined {
  const typed = word.toLowerCase();
  const named = pending.find((option) => option.keyword && option.name === typed);
  if (named !== undefined) return { option: named, isKeyword: true };
  const flexible = pending.find(
    (option) => isFlexible(option) && option.choices?.some((choice) => choice.toLowerCase() === typed),
  );
  const option = flexible ?? pending.find((one) => !isFlexible(one));
  return option === undefined ? undefined : { option, isKeyword: false };
}

function extra(spec: CommandSpec, pending: readonly OptionSpec[], word: string): BotError {
  const choices = pending.flatMap((option) => option.choices ?? []);
  const meant = nearest(word, choices);
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`;
  if (spec.options.length === 0)
    return new BotError('input', `/${commandName(spec)} stands alone, without ${quote(word)}`);
  return wrong(spec, `/${commandName(spec)} has no place for ${quote(word)}${guess}`);
}

function toValue(spec: CommandSpec, option: OptionSpec, text: string): string | number {
  const { choices, name } = option;
  const most = maxCharsOf(option);
  // A number and a choice say themselves what they may be.
  if (choices === undefined && option.kind !== 'number' && text.length > most) {
    const long = text.length.toLocaleString('en');
    throw new BotError(
      'input',
      `${name} is too long: ${long} characters, and at most ${most.toLocaleString('en')} are taken`,
    );
  }
  if (choices !== undefined) {
    const choice = choices.find((one) => one.toLowerCase() === text.toLowerCase());
    if (choice !== undefined) return choice;
    const meant = nearest(text, choices);
    const instead = meant === undefined ? `: it must be one of ${choices.join(', ')}` : `. Did you mean ${meant}?`;
    throw wrong(
      spec,
      text === ''
        ? `/${commandName(spec)} needs ${name}: ${option.help}`
        : `\`${name}\` cannot be ${quote(text)}${instead}`,
    );
  }
  if (option.kind === 'number') {
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > maxNumber) {
      throw wrong(spec, `${name} must be a whole number from 1 to ${maxNumber}, not ${quote(text)}`);
    }
    return value;
  }
  return option.kind === 'person'
    ? text
        .replace(/\s+/g, ' ')
        .replace(/^[ @]+/, '')
        .trim()
    : text.trim();
}

function withAllRequired(spec: CommandSpec, values: Values): Values {
  const missing = spec.options.find((option) => option.required && (values[option.name] ?? '') === '');
  if (missing === undefined) return values;
  throw wrong(spec, `/${commandName(spec)} needs ${missing.name}: ${missing.help}`);
}

function wrong(spec: CommandSpec, what: string): BotError {
  return new BotError('input', `${what}${/[.?]$/.test(what) ? '' : '.'} Usage: \`${usageLine(spec)}\``);
}
