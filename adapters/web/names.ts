import { z } from 'zod';
import type { NamePost } from './wire.ts';

export const namePost: z.ZodType<NamePost> = z.object({ name: z.string().max(1000) });

/** Names that people give are shown in lists and written into files: one line, no marks that turn or hide the text. */
export function toName(text: string, maxChars: number): string {
  const plain = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060\ufeff]+/gu, ' ');
  const letters = new Intl.Segmenter().segment(plain.replace(/\s+/g, ' ').trim());
  return Array.from(letters, (one) => one.segment)
    .slice(0, maxChars)
    .join('')
    .slice(0, 2 * maxChars)
    .toWellFormed()
    .trim();
}
