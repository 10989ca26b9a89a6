/** Texts that drive a bad expression or parser to quadratic time: repetitions of what it looks for, and near misses. */

export type MakeText = (length: number) => string;

/** What is written again and again, as people, models and servers may write it. */
const units = [
  ' ',
  '\n',
  '\t',
  '\r\n',
  '\u00a0',
  '\u2028',
  '\u200b',
  'a',
  'A',
  '7',
  'ab ',
  'a1',
  'word ',
  'Word ',
  '*',
  '_',
  '**',
  '__',
  '~',
  '~~',
  '*a_',
  '**a__',
  '*a ',
  '_a ',
  'a*',
  '`',
  '``` ',
  '```\n',
  '`a ',
  '~~~\n',
  '[',
  ']',
  '[a](',
  '![',
  '[[a]',
  '[a]: ',
  '(',
  ')',
  '<',
  '<a ',
  '<!--',
  '<@',
  '<@U1',
  '<@U1|',
  '<https://a.b/',
  '&lt;',
  '&',
  '|',
  '|-',
  '| a ',
  '| a |\n',
  '|-|\n',
  '-',
  '- ',
  '- a\n',
  '> ',
  '>a\n',
  '1. ',
  '#',
  '# a\n',
  '=',
  '===\n',
  '---\n',
  '+',
  '"',
  "'",
  '“',
  '”',
  '\\',
  '\\\\"',
  '$',
  '$$',
  '\\(',
  '/',
  'http://',
  'https://a.b/c ',
  'a@b.c ',
  '.',
  '. ',
  '…',
  '?!',
  ',',
  ':',
  'Ann: ',
  '\nAnn: ',
  '[m1]',
  '[m1, m2',
  '{',
  '{"a":',
  '[1,',
  '😀',
  '👩‍👩‍👧',
  '\ud83d',
  '漢',
  '漢。',
  '한국',
  'ก',
  'é',
  'e\u0301',
  '\u0301',
  'مرحبا ',
  '\u202e',
  '\u0000',
  '\u001b[31m',
  'data: ',
  'page 1 ',
] as const;

/** What ends, or begins, a long run so that what matched until then fails. */
const ends = ['', 'x', '\n', '\u0001', '!', ' page 1x', '"', '`', ')', ']', '>'] as const;

/** Each of the units repeated, and once more with another beginning and end. */
export function hostileTexts(): Map<string, MakeText> {
  const texts = new Map<string, MakeText>();
  for (const unit of units) add(texts, '', unit, '');
  for (const unit of [' ', '\n', '\t', 'a', '7', '*', '_', '`', '[', '(', '<', '|', '-', '漢', '.']) {
    for (const end of ends.slice(1)) add(texts, '', unit, end);
    add(texts, 'x', unit, 'x');
  }
  return texts;
}

/** Where each of these stands before a run of each other, and between them. */
export function combinedTexts(pieces: readonly string[], beginnings: readonly string[]): Map<string, MakeText> {
  const texts = new Map<string, MakeText>();
  for (const piece of pieces) {
    for (const end of ['', '\u0001', '\n']) add(texts, '', piece, end);
    for (const other of pieces) if (other !== piece) add(texts, '', piece + other, '');
    for (const beginning of beginnings) {
      add(texts, beginning, piece, '\u0001');
      add(texts, '', beginning + piece, '');
    }
  }
  return texts;
}

function add(texts: Map<string, MakeText>, beginning: string, unit: string, end: string): void {
  if (unit === '') return;
  const key = JSON.stringify([beginning, unit, end]);
  texts.set(key, (length) => {
    const left = Math.max(0, length - beginning.length - end.length);
    return beginning + unit.repeat(Math.ceil(left / unit.length)).slice(0, left) + end;
  });
}
