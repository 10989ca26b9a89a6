import { type CommandSpec, isFlexible, isGreedy, type OptionSpec, type Values } from './command.ts';
import { pickOption } from './parse.ts';
import { needsQuotes, quoted, readWord } from './words.ts';

/** What an option may be beside its choices, known only while the program runs; `values` came before it in the line. */
export type MoreValues = (option: string, values: Values) => readonly string[];

/** What may stand from `at` on. */
interface Expected {
  at: number;
  candidates: readonly string[];
  /** The line is no command before something stands there. */
  required: boolean;
}

const maxChars = 1000;

/**
 * The lines that a line begun can become by its next word; with a slash where it has one. Such a line ends with a space
 * where it is no command yet, so that what comes next can be typed at once.
 */
export function completeLine(specs: readonly CommandSpec[], line: string, more: MoreValues = () => []): string[] {
  if (line.length > maxChars) return [];
  const slash = /^\s*\/?\s*/.exec(line)?.[0] ?? '';
  const text = line.slice(slash.length);
  const { at, candidates } = expected(specs, text, more);
  const begun = text.slice(at);
  const longer = candidates.filter((one) => one.length > begun.length && isSame(one.slice(0, begun.length), begun));
  const lines = longer.map((one) => text.slice(0, at) + one);
  if (begun !== '' && candidates.some((one) => isSame(one, begun))) {
    const next = expected(specs, `${text} `, more);
    if (next.at > text.length) lines.push(...next.candidates.map((one) => `${text} ${one}`));
  }
  return [...new Set(lines)].map((one) => slash + (needsMore(specs, one, more) ? `${one} ` : one));
}

function needsMore(specs: readonly CommandSpec[], line: string, more: MoreValues): boolean {
  const { at, required } = expected(specs, `${line} `, more);
  return required && at > line.length;
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function expected(specs: readonly CommandSpec[], text: string, more: MoreValues): Expected {
  const path: string[] = [];
  let at = 0;
  for (;;) {
    const here = specs.filter((spec) => path.every((word, index) => word === spec.path[index]));
    const spec = here.find((one) => one.path.length === path.length);
    const names = here.flatMap((one) => one.path[path.length] ?? []);
    const word = readWord(text, at);
    const isBegun = word === undefined || word.end === text.length;
    const options = spec === undefined ? undefined : expectedOption(spec, text, at, more);
    if (isBegun) {
      const start = word?.start ?? text.length;
      const candidates = options?.at === start ? options.candidates : [];
      return names.length === 0 && options !== undefined
        ? options
        : { at: start, candidates: [...names, ...candidates], required: spec === undefined };
    }
    const typed = word.text.toLowerCase();
    if (!names.includes(typed)) return options ?? { at: text.length, candidates: [], required: false };
    path.push(typed);
    at = word.end;
  }
}

function expectedOption(spec: CommandSpec, text: string, from: number, more: MoreValues): Expected {
  const values: Values = {};
  const pending = [...spec.options];
  for (let at = from; ; ) {
    const word = readWord(text, at);
    const start = word?.start ?? text.length;
    const isBegun = word === undefined || word.end === text.length;
    const positional = pending.find((option) => !isFlexible(option));
    if (isBegun || (positional !== undefined && isGreedy(spec, positional))) {
      const open = pending.filter((option) => isFlexible(option) || option === positional);
      const candidates = open.flatMap((option) => firstWords(spec, option, values, more));
      return { at: start, candidates, required: pending.some((option) => option.required) };
    }
    const picked = pickOption(pending, word.text);
    if (picked === undefined) return { at: text.length, candidates: [], required: false };
    const { option, isKeyword } = picked;
    pending.splice(pending.indexOf(option), 1);
    const value = isKeyword ? readWord(text, word.end) : word;
    if (value === undefined || (isKeyword && value.end === text.length)) {
      return { at: value?.start ?? text.length, candidates: valuesOf(spec, option, values, more), required: true };
    }
    values[option.name] = value.text;
    at = value.end;
  }
}

function firstWords(spec: CommandSpec, option: OptionSpec, values: Values, more: MoreValues): readonly string[] {
  return option.keyword ? [option.name] : valuesOf(spec, option, values, more);
}

function valuesOf(spec: CommandSpec, option: OptionSpec, values: Values, more: MoreValues): readonly string[] {
  return [...(option.choices ?? []), ...more(option.name, values)].map((value) => {
    const isPlain = !needsQuotes(value) && (isGreedy(spec, option) || !/\s/.test(value));
    return isPlain ? value : quoted(value);
  });
}
