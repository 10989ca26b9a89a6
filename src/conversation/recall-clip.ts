import { createTermReader } from './recall-terms.ts';

/** Of a text that is too long, the part that a question is about. */

/** A text is looked at in steps of about a line. */
const stepChars = 80;
/** Of a message that is a book, so much is looked through: nobody else is answered meanwhile. */
const mostLookedAt = 100_000;
/** What is said before the words that were looked for helps to understand them. */
const leadShare = 0.25;
const mark = '…';

/** How many characters of a text's beginning there is room for. */
export type Fit = (text: string) => Promise<number> | number;

/** What there is room for, with a mark where something is missing; the words that are worth most together stand in it. */
export async function clipAround(text: string, worth: ReadonlyMap<string, number>, fit: Fit): Promise<string> {
  const covered = await fit(text);
  if (covered >= text.length) return text;
  const steps = toSteps(text.slice(0, mostLookedAt));
  const read = createTermReader();
  const width = Math.max(1, Math.floor(covered / stepChars));
  const first = bestWindow(
    steps.map((step) => new Set([...read(step.text)].flat())),
    worth,
    width,
  );
  const start = steps[first]?.from ?? 0;
  const end = start + (await fit(text.slice(start)));
  return `${start === 0 ? '' : mark}${trimmed(text, start, end)}${end >= text.length ? '' : mark}`;
}

interface Step {
  from: number;
  text: string;
}

/** Cut between words where there are gaps between words, never within a surrogate pair. */
function toSteps(text: string): Step[] {
  const steps: Step[] = [];
  for (let from = 0; from < text.length; ) {
    const until = from + stepChars;
    // Looked for in this step alone: a text without gaps would be read back to its beginning each time.
    const gap = text.slice(from, until + 1).lastIndexOf(' ');
    const to = until >= text.length ? text.length : gap > 0 ? from + gap : whole(text, until);
    steps.push({ from, text: text.slice(from, to) });
    from = to;
  }
  return steps;
}

function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 ? at + 1 : at;
}

/** The first of the windows of so many steps in which most is found, moved back a little so that something stands before it. */
function bestWindow(steps: readonly ReadonlySet<string>[], worth: ReadonlyMap<string, number>, width: number): number {
  const inside = new Map<string, number>();
  let sum = 0;
  let best = { sum: 0, from: 0 };
  for (const [n, terms] of steps.entries()) {
    for (const term of terms) {
      const count = inside.get(term) ?? 0;
      if (count === 0) sum += worth.get(term) ?? 0;
      inside.set(term, count + 1);
    }
    for (const term of steps[n - width] ?? []) {
      const count = inside.get(term) ?? 0;
      if (count === 1) sum -= worth.get(term) ?? 0;
      inside.set(term, count - 1);
    }
    // Sums of the same terms in another order differ in the last digits.
    if (sum > best.sum + 1e-9) best = { sum, from: Math.max(0, n - width + 1) };
  }
  const told = (n: number): boolean => [...(steps[n] ?? [])].some((term) => worth.has(term));
  let first = best.from;
  while (first < best.from + width && !told(first)) first++;
  return Math.max(0, Math.min(first - Math.floor(width * leadShare), steps.length - width));
}

/** Without the halves of words at its ends, unless that leaves nothing. */
function trimmed(text: string, start: number, end: number): string {
  const part = text.slice(start, whole(text, end)).toWellFormed();
  const cutEnd = end < text.length && !/\s/.test(text.charAt(end)) ? part.replace(/\s\S{0,40}$/, '') : part;
  return cutEnd.trim() === '' ? part.trim() : cutEnd.trim();
}
