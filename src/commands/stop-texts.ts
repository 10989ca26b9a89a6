import { z } from 'zod';

/** The texts at which the model ends its answer. */
export const stopSchema: z.ZodType<string[]> = z
  .array(
    z
      .string()
      .min(1)
      .max(200)
      .refine((text) => text.isWellFormed()),
  )
  .min(1)
  .max(4);

/** A JSON list, or texts with commas between them in which `\n`, `\t`, `\,` and `\\` stand for what cannot be typed. */
export function stopFrom(text: string): unknown {
  return /^\[\s*"/.test(text) ? fromJson(text) : fromList(text);
}

export function stopText(texts: string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by whoever asked for it: it is no such list
  }
}

function fromList(text: string): string[] {
  const parts = text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? [];
  return parts.map((part) => unescaped(withoutQuotes(part.trim()))).filter((part) => part !== '');
}

function withoutQuotes(text: string): string {
  return /^"(.+)"$/s.exec(text)?.[1] ?? text;
}

function unescaped(text: string): string {
  const meanings: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return text.replace(/\\(.)/gs, (_, char: string) => meanings[char] ?? char);
}
