/** What somebody probably meant. */

/** Longer input than this is no slip of the finger; it also bounds the work. */
const maxChars = 40;

/** The candidate that the word begins, or differs from by a few keystrokes; nothing when all are far. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > maxChars) return undefined;
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const isBeginning = typed.length > 1 && candidate.toLowerCase().startsWith(typed);
    const distance = isBeginning ? 1 : keystrokes(typed, candidate.toLowerCase());
    if (distance > Math.max(1, Math.floor(candidate.length / 3))) continue;
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Letters left out, added, changed, or swapped with their neighbour. */
function keystrokes(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const now = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(at(last, column) + 1, at(now, column - 1) + 1, at(last, column - 1) + cost);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) least = Math.min(least, at(beforeLast, column - 2) + 1);
      now.push(least);
    }
    beforeLast = last;
    last = now;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** Somebody's own words inside a message of ours: one short line. */
export function quote(text: string): string {
  const line = text
    .slice(0, 4 * maxChars)
    .replace(/[\s\p{C}`]+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  return `"${characters.length > maxChars ? `${characters.slice(0, maxChars - 1).join('')}…` : line}"`;
}
