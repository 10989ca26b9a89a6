import { stemmer } from 'stemmer';

/**
 * What a text is found by: words in one spelling, cut to their stems where they are Latin, and pairs of characters where
 * a script writes no spaces. A rule of our own, because `Intl.Segmenter` cuts differently from version to version, and
 * what an index holds must not depend on when it was built.
 */

/** No platform sends longer messages; of what is pasted beyond, the beginning is enough to find it by. */
const maxChars = 40_000;
/** Nobody looks for more of a word than this: what is longer is no word. */
const maxWordChars = 40;
const maxStems = 20_000;

const unspaced =
  '\\p{scx=Hani}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}';
const wordOrRun = new RegExp(
  `[[${unspaced}]&&[\\p{L}\\p{N}\\p{M}]]+|[[\\p{L}\\p{N}]--[${unspaced}]][[\\p{L}\\p{N}\\p{M}]--[${unspaced}]]*`,
  'gv',
);
const isUnspaced = new RegExp(`^[${unspaced}]`, 'v');
/** Before the first of those scripts. */
const firstUnspaced = 0x0e00;
const asciiWord = /[a-z0-9]+/g;
/** In these, marks may be left out in writing; in others they are letters of their own. */
const marksOptional = /^[\p{scx=Latn}\p{scx=Grek}\p{scx=Arab}\p{scx=Hebr}]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
const ascii = /^[\x00-\x7f]*$/;

/**
 * They stand in every other English message, and in every question: each would cost a long list in the index and say
 * nothing about what was talked of. In other languages the same words weigh little because they are frequent.
 */
const stopWords = new Set(
  `a about after again all also am an and any are as at be because been before being but by can could d did didn do does
  doesn doing don done down dont for from further get go had has hasn have haven having he her here hers him his how i if
  in into is isn it its just ll m may me might more most my no nor not now of off on once only or other our out over own
  re s same she should shouldn so some such t than that the their them then there these they this those through to too
  under until up us ve very was wasn we were weren what when where which while who whom whose why will with won would
  wouldn yes you your`.split(/\s+/),
);

export function isStopWord(word: string): boolean {
  return stopWords.has(word);
}

/** The terms of a text, in order, repetitions included: a part of the text at a time. */
export type ReadTerms = (text: string) => Generator<string[]>;

/** Remembers stems of words it has seen: to be made for a while and let go, so that no word outlives its message. */
export function createTermReader(): ReadTerms {
  const stems = new Map<string, string>();

  function stemOf(word: string): string {
    const known = stems.get(word);
    if (known !== undefined) return known;
    const term = toTerm(word);
    if (stems.size >= maxStems) stems.clear();
    stems.set(copied(word), term);
    return term;
  }

  return function* read(text) {
    for (const part of parts(text)) {
      const terms: string[] = [];
      for (const word of wordsOf(part)) {
        if (word.charCodeAt(0) >= firstUnspaced && isUnspaced.test(word)) terms.push(...pairs(word));
        else terms.push(stemOf(word));
      }
      yield terms.filter((term) => term !== '');
    }
  };
}

const charsAtOnce = 4000;

/** Cut between words where there are gaps between words. */
function* parts(text: string): Generator<string> {
  const end = Math.min(text.length, maxChars);
  for (let from = 0; from < end; ) {
    const until = Math.min(end, from + charsAtOnce);
    const gap = until === end ? end : text.lastIndexOf(' ', until);
    const to = gap > from ? gap : until;
    yield from === 0 && to === text.length ? text : text.slice(from, to);
    from = to;
  }
}

/** The words of a short text as they are written, in one spelling, stop words included. */
export function wordsOf(text: string): string[] {
  if (ascii.test(text)) return bounded(text.toLowerCase().match(asciiWord));
  return bounded(text.normalize('NFKC').toLowerCase().match(wordOrRun));
}

function bounded(words: string[] | null): string[] {
  return (words ?? []).map((word) =>
    word.length > maxWordChars && !isUnspaced.test(word) ? word.slice(0, maxWordChars) : word,
  );
}

function toTerm(word: string): string {
  const plain = ascii.test(word) || !marksOptional.test(word) ? word : withoutMarks(word);
  if (stopWords.has(plain)) return '';
  return copied(/^[a-z]{3,}$/.test(plain) ? stemmer(plain) : plain);
}

function withoutMarks(word: string): string {
  return word
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .normalize('NFC');
}

/** A slice of a text keeps the whole text in memory: this does not. */
export function copied(word: string): string {
  return Buffer.from(word, 'utf16le').toString('utf16le');
}

function pairs(run: string): string[] {
  const characters = Array.from(run);
  if (characters.length === 1) return [copied(run)];
  return characters.slice(1).map((character, n) => `${characters[n]}${character}`);
}

const months = [
  ['january', 'jan'],
  ['february', 'feb'],
  ['march', 'mar'],
  ['april', 'apr'],
  ['may'],
  ['june', 'jun'],
  ['july', 'jul'],
  ['august', 'aug'],
  ['september', 'sep', 'sept'],
  ['october', 'oct'],
  ['november', 'nov'],
  ['december', 'dec'],
];
const monthOf = new Map(months.flatMap((names, n) => names.map((name) => [name, n] as const)));
/** These are other words as well: a month only where the words beside them say so. */
const alsoWords = new Set(['march', 'mar', 'may']);
const beforeMonth = new Set([
  'in',
  'of',
  'since',
  'until',
  'till',
  'during',
  'by',
  'last',
  'this',
  'next',
  'early',
  'late',
  'mid',
]);

const monthTerm = (month: number): string => `m:${month}`;
const yearTerm = (year: number): string => `y:${year}`;

/** When a turn was said, as terms that no text can hold. */
export function timeTerms(at: number): string[] {
  const date = new Date(at);
  return [monthTerm(date.getUTCMonth()), yearTerm(date.getUTCFullYear())];
}

/** The months and years that words name. */
export function namedTimes(words: readonly string[]): string[] {
  const terms = words.flatMap((word, n) => {
    const month = monthOf.get(word);
    if (month !== undefined && isMonthAt(words, n)) return [monthTerm(month)];
    return /^(?:19|20)\d\d$/.test(word) ? [yearTerm(Number(word))] : [];
  });
  return [...new Set(terms)];
}

function isMonthAt(words: readonly string[], n: number): boolean {
  const word = words[n] ?? '';
  if (!alsoWords.has(word)) return monthOf.has(word);
  const isNumber = (other: string | undefined): boolean => /^\d+(?:st|nd|rd|th)?$/.test(other ?? '');
  return beforeMonth.has(words[n - 1] ?? '') || isNumber(words[n - 1]) || isNumber(words[n + 1]);
}

/** How many words of a question say what it is about: names and months among them. */
export function countContent(text: string): number {
  const words = wordsOf(text.slice(0, charsAtOnce));
  const telling = words.filter((word, n) => !stopWords.has(word) || isMonthAt(words, n));
  return new Set(telling.flatMap((word) => (isUnspaced.test(word) ? pairs(word) : [word]))).size;
}
