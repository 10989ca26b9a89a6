import type { ComponentChild } from 'preact';
import { html } from './html.ts';
import { mark } from './icons.ts';

const tints = 8;

/** The same colours for the same name, wherever it is shown. */
export function Avatar({ name, small = false }: { name: string; small?: boolean }): ComponentChild {
  // FNV-1a: names that differ little are spread far.
  let hash = 2_166_136_261;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return html`<span class=${`avatar tint-${(hash >>> 20) % tints}${small ? ' small' : ''}`} aria-hidden="true" data-initials=${initials(name)}></span>`;
}

export function BotAvatar(): ComponentChild {
  return html`<span class="avatar bot" aria-hidden="true">${mark(19)}</span>`;
}

function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const [first = '?', second] = words;
  return (firstLetter(first) + firstLetter(second ?? '')).toUpperCase();
}

/** Of a letter outside the first plane, not half of it. */
function firstLetter(word: string): string {
  return /^./u.exec(word)?.[0] ?? '';
}
