import type { Notice } from '../../src/event.ts';
import type { Segment, TextStyle } from './markdown.ts';

/** What a text needs before a terminal may have it. */

export type Role = 'system' | 'user' | 'assistant' | 'tool';
export type Paint = (style: Role | 'dim', text: string) => string;

const styles = { system: 31, user: 32, assistant: 34, tool: 35, dim: 2 };
/** Dark blue cannot be read on black: the text of an answer is of a lighter one than its label. */
const answerStyle = '\u001b[94m';
const textStyles: Record<TextStyle, number> = { bold: 1, dim: 2, italic: 3, underlined: 4, struck: 9, code: 36 };

export const resetStyle = '\u001b[0m';

export function createPaint(color: boolean): Paint {
  return (style, text) => (color && text !== '' ? `${startStyle(style)}${text}${resetStyle}` : text);
}

export function startStyle(style: Role | 'dim'): string {
  return `\u001b[${styles[style]}m`;
}

/** Segments from a character on, each in its styles, over the colour of an answer or of nothing. */
export function paintSegments(segments: readonly Segment[], from: number, color: 'answer' | 'plain' | 'none'): string {
  let at = 0;
  let painted = '';
  for (const { text, styles } of segments) {
    const part = text.slice(Math.max(0, from - at));
    at += text.length;
    if (part === '') continue;
    const codes = styles.map((style) => `\u001b[${textStyles[style]}m`).join('');
    const start = color === 'answer' ? answerStyle + codes : codes;
    painted += color === 'none' || start === '' ? part : `${start}${part}${resetStyle}`;
  }
  return painted;
}

/** Control characters as pictures of themselves, so that no text can move the cursor or change the terminal. */
export function toVisible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(/(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, toPicture);
}

function toPicture(control: string): string {
  const code = control.charCodeAt(0);
  // A text that turns the direction of what follows can make a line read as something else.
  if (code > 0xff) return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

/** Without an end that the rest, when it comes, would change: half a character, half a line break. */
export function withoutHalfEnd(text: string): string {
  return text.replace(/[\r\ud800-\udbff]$/, '');
}

/** A name, a note or a quotation: one line of at most so many characters. */
export function toOneLine(text: string, maxChars: number): string {
  const characters = Array.from(toVisible(text).replace(/\s+/g, ' ').trim());
  return characters.length <= maxChars ? characters.join('') : `${characters.slice(0, maxChars - 1).join('')}…`;
}

/** A conversation, message by message: each with its role before it, in the role's colour. */
export function paintTranscript(transcript: NonNullable<Notice['transcript']>, paint: Paint): string {
  return transcript.map(({ role, text }) => paint(role, toVisible(`${role}: ${text}`))).join('\n');
}

/** The buttons of other platforms: what to type instead. */
export function toActionLine(actions: readonly { label: string; command: string }[]): string {
  return actions.map(({ label, command }) => `[${toOneLine(label, 60)}: /${toOneLine(command, 200)}]`).join(' ');
}
