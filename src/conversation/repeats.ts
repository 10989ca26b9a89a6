import type { Turn } from './turn.ts';

/** Does an answer say again, word for word, what somebody wants forgotten? */

/** Shorter texts ("yes", "ok") stand in every other answer by chance. */
const shortest = 6;

/** What to look for, prepared once. */
export function toWanted(texts: readonly string[]): string[] {
  const wanted = texts.map((text) => folded(text).replace(/(?<![.!?…。！？])[.!?…。！？]+$/u, ''));
  return [...new Set(wanted.filter((text) => text.length >= shortest))];
}

export function repeats(turn: Turn, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return false;
  const versions = [turn, ...(turn.alternatives ?? [])].flatMap(textsOf).map(folded);
  return wanted.some((text) => versions.some((version) => containsWords(version, text)));
}

/** What was said, and what tools were told and answered. */
function textsOf({ text, tools = [] }: Pick<Turn, 'text' | 'tools'>): string[] {
  const steps = tools.flatMap(({ calls, results }) => [
    ...calls.map((call) => call.arguments),
    ...results.map((result) => result.content),
  ]);
  return [text, ...steps.map(unescaped)];
}

/** As data stands in a prompt, and in JSON. */
function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('\\n', '\n').replaceAll('\\"', '"');
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Not in the middle of a word. By Knuth, Morris and Pratt: `indexOf` is quadratic for texts of one letter. */
function containsWords(text: string, wanted: string): boolean {
  const isPart = (at: number): boolean => /[\p{L}\p{N}]/u.test(text[at] ?? ' ');
  const shorter = borders(wanted);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    while (length > 0 && text[at] !== wanted[length]) length = shorter[length - 1] ?? 0;
    if (text[at] === wanted[length]) length++;
    if (length < wanted.length) continue;
    if (!isPart(at - length) && !isPart(at + 1)) return true;
    length = shorter[length - 1] ?? 0;
  }
  return false;
}

/** For each beginning of a text: how long the longest other beginning is that it ends with. */
function borders(text: string): Uint32Array {
  const lengths = new Uint32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at++) {
    while (length > 0 && text[at] !== text[length]) length = lengths[length - 1] ?? 0;
    if (text[at] === text[length]) length++;
    lengths[at] = length;
  }
  return lengths;
}
