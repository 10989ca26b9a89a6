/** Distinct text from a seed, so that nothing is measured that a cache or an identical write has made cheap. */

export type Random = () => number;

/** mulberry32 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const words = (
  'the a of and to in that it is was for on with as at by we they you not but have from or had this which one will ' +
  'were all there been if more when who so no out up into than them then its about can could only other new some time ' +
  'harbour lantern meadow violin glacier pepper saddle orchard thimble marble release server budget meeting deadline ' +
  'review invoice Tuesday version customer contract garden ticket battery schedule airport weather message channel ' +
  'probably therefore nevertheless yesterday tomorrow actually measure deploy rename translate 2026 17 300 Berlin Ann'
).split(' ');

function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** Sentences of so many words. */
export function prose(count: number, random: Random): string {
  let text = '';
  for (let n = 0, left = 0; n < count; n++, left--) {
    const starts = left <= 0;
    if (starts) left = 6 + Math.floor(random() * 12);
    const word = pick(words, random) ?? 'it';
    const end = left === 1 || n === count - 1 ? '.' : random() < 0.06 ? ',' : '';
    text += `${starts ? (n === 0 ? '' : ' ') + word.charAt(0).toUpperCase() + word.slice(1) : ` ${word}`}${end}`;
  }
  return text;
}

/** So many tokens of prose, nearly. */
export async function proseOf(
  tokens: number,
  random: Random,
  count: (text: string) => Promise<number>,
): Promise<string> {
  let text = prose(Math.max(1, Math.round(tokens * 0.85)), random);
  while ((await count(text)) < tokens) text += ` ${prose(3, random)}`;
  return text;
}

function repeated(char: string) {
  // What differs stands at the end: the run before it stays unbroken.
  return (chars: number, random: Random) => `${char.repeat(chars - 6)}${Math.floor(100_000 + random() * 900_000)}`;
}

function drawn(draw: (random: Random) => string) {
  return (chars: number, random: Random) => {
    let text = '';
    while (text.length < chars) text += draw(random);
    return text;
  };
}

export const cjk = drawn((random) => String.fromCharCode(0x4e00 + Math.floor(random() * 0x5000)));

/** What tokenizers choke on, by so many UTF-16 units. */
export const hostile: Record<string, (chars: number, random: Random) => string> = {
  a: repeated('a'),
  space: repeated(' '),
  newline: repeated('\n'),
  dash: repeated('-'),
  emoji: drawn((random) => String.fromCodePoint(0x1f600 + Math.floor(random() * 80))),
  CJK: cjk,
  'random letters': drawn((random) => String.fromCharCode(97 + Math.floor(random() * 26))),
};
