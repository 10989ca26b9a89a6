/** What a text needs before a terminal may have it. */

export type Role = 'system' | 'user' | 'assistant' | 'tool';
export type Paint = (style: Role | 'dim', text: string) => string;

const styles = { system: 31, user: 32, assistant: 34, tool: 35, dim: 2 };

export const resetStyle = '\u001b[0m';

export function createPaint(color: boolean): Paint {
  return (style, text) => (color && text !== '' ? `${startStyle(style)}${text}${resetStyle}` : text);
}

export function startStyle(style: Role | 'dim'): string {
  return `\u001b[${styles[style]}m`;
}

/** Control characters as pictures of themselves, so that no text can move the cursor or change the terminal. */
export function toVisible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(/\p{Cc}/gu, toPicture);
}

function toPicture(control: string): string {
  const code = control.charCodeAt(0);
  if (control === '\n' || control === '\t') return control;
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

/** Gives every message of a shown conversation ("user: …", up to an empty line) its role's colour. */
export function paintTranscript(text: string, paint: Paint): string {
  let role: Role | undefined;
  return text
    .split('\n')
    .map((line) => {
      const named = /^(system|user|assistant|tool)\b[^:]{0,80}:/.exec(line)?.[1];
      if (named !== undefined || line.trim() === '') role = toRole(named);
      return role === undefined ? line : paint(role, line);
    })
    .join('\n');
}

function toRole(name: string | undefined): Role | undefined {
  return name === 'system' || name === 'user' || name === 'assistant' || name === 'tool' ? name : undefined;
}

/** The buttons of other platforms: what to type instead. */
export function toActionLine(actions: readonly { label: string; command: string }[]): string {
  return actions.map(({ label, command }) => `[${toOneLine(label, 60)}: /${toOneLine(command, 200)}]`).join(' ');
}
