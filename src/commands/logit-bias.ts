import { z } from 'zod';

/**
 * How likely tokens are made, by token id or by word. Words are stored as words, so that people can read them and they
 * hold for whatever model comes next; a word of digits alone is an id.
 */
export type LogitBias = [key: string, bias: number][];

const maxKeys = 100;

export const logitBiasSchema: z.ZodType<LogitBias> = z
  .array(
    z.tuple([
      z
        .string()
        .min(1)
        .max(100)
        .refine((key) => key.trim() === key && key.isWellFormed()),
      z.number().min(-100).max(100),
    ]),
  )
  .min(1)
  .max(maxKeys)
  .refine((pairs) => new Set(pairs.map(([key]) => key)).size === pairs.length);

/** `{"word": -100, "1234": 5}` or `word=-100, 1234=5`; the last one of the same key counts. */
export function logitBiasFrom(text: string): unknown {
  const pairs = text.startsWith('{') ? fromJson(text) : fromList(text);
  if (pairs === undefined) return undefined;
  const byKey = new Map(pairs.map(([key, bias]) => [isTokenId(key.trim()) ? String(Number(key)) : key.trim(), bias]));
  // As JSON has it: ids first, in their order.
  const ids = [...byKey].filter(([key]) => isTokenId(key)).sort(([a], [b]) => Number(a) - Number(b));
  return [...ids, ...[...byKey].filter(([key]) => !isTokenId(key))];
}

export function logitBiasText(pairs: LogitBias): string {
  return `{${pairs.map(([key, bias]) => `${JSON.stringify(key)}: ${bias}`).join(', ')}}`;
}

/**
 * For the request. A word is all the tokens it has, at the beginning of a text and after a space. A lone space, which
 * some words have before them as a token of its own, is left as it is; an id counts more than a word.
 */
export async function toTokenBias(
  pairs: LogitBias,
  encode: () => Promise<(text: string) => number[] | Promise<number[]>>,
): Promise<Record<string, number>> {
  const bias: Record<string, number> = {};
  const words = pairs.filter(([key]) => !isTokenId(key));
  if (words.length > 0) {
    const tokensOf = await encode();
    const spaces = new Set(await tokensOf(' '));
    for (const [word, value] of words) {
      for (const token of [...(await tokensOf(word)), ...(await tokensOf(` ${word}`))]) {
        if (!spaces.has(token)) bias[token] = value;
      }
    }
  }
  for (const [key, value] of pairs) if (isTokenId(key)) bias[key] = value;
  return bias;
}

function isTokenId(key: string): boolean {
  return /^\d{1,7}$/.test(key);
}

function fromJson(text: string): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
  } catch {
    return undefined; // said by whoever asked for it: it is no such list
  }
}

function fromList(text: string): [string, unknown][] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const sign = Math.max(part.lastIndexOf('='), part.lastIndexOf(':'));
      const key = part.slice(0, Math.max(0, sign)).trim();
      const bias = part.slice(sign + 1).trim();
      return [key.replace(/^"(.+)"$/s, '$1'), bias === '' ? undefined : Number(bias)];
    });
}
