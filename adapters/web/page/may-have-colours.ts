/** More than this takes longer than colours are worth. */
const maxChars = 12_000;
/** From each character of a word, of a line and of blanks, some languages' rules look for its end. */
const longRun = /[^\n]{301}|\w{101}|\s{101}/;

/** Whether code takes no more than a moment to be given colours. */
export function mayHaveColours(code: string): boolean {
  return code.length <= maxChars && !longRun.test(code);
}
