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

/** What tells people that somebody looks after the console, or that it speaks itself. */
const trusted = ['admin', 'admins', 'administrator', 'administrators', 'administration', 'moderator', 'channelore'];
/** The same where it is the whole name. */
const trustedAlone = ['bot', 'system', 'assistant', 'operator', 'owner', 'root', 'support', 'staff'];

/** Letters and digits that look like Latin letters, after accents and widths are taken away. */
const lookalikes = new Map(
  Object.entries({
    а: 'a',
    α: 'a',
    в: 'b',
    с: 'c',
    ϲ: 'c',
    ԁ: 'd',
    е: 'e',
    ε: 'e',
    һ: 'h',
    н: 'h',
    і: 'i',
    ι: 'i',
    ı: 'i',
    ј: 'j',
  }).concat(
    Object.entries({
      к: 'k',
      κ: 'k',
      ӏ: 'l',
      м: 'm',
      п: 'n',
      ո: 'n',
      η: 'n',
      о: 'o',
      ο: 'o',
      р: 'p',
      ρ: 'p',
      г: 'r',
      ѕ: 's',
    }),
    Object.entries({
      т: 't',
      τ: 't',
      υ: 'u',
      ѵ: 'v',
      ν: 'v',
      х: 'x',
      χ: 'x',
      у: 'y',
      γ: 'y',
      '0': 'o',
      '1': 'i',
      '3': 'e',
      '4': 'a',
      '5': 's',
      '7': 't',
    }),
    Object.entries({ '@': 'a', $: 's', '|': 'i', '!': 'i' }),
  ),
);

/** Whether a name could be taken for somebody with more rights, or for the program. */
export function isTrustedName(name: string): boolean {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const letters = Array.from(plain, (char) => lookalikes.get(char) ?? char).join('');
  const words = letters.split(/[^\p{L}]+/u);
  const whole = words.join('');
  return words.some((word) => trusted.includes(word)) || trusted.includes(whole) || trustedAlone.includes(whole);
}

/** A name that a visitor was given as an admin, or before this was asked, is marked. */
export function visitorName(name: string, isAdmin: boolean): string {
  return isAdmin || !isTrustedName(name) ? name : `${name} (visitor)`;
}
