/** Names that people give are shown in lists and written into files: one line, no marks that turn or hide the text. */
export function toName(text: string, maxChars: number): string {
  const plain = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060\ufeff]+/gu, ' ');
  return [...plain.replace(/\s+/g, ' ').trim()].slice(0, maxChars).join('').trim();
}
