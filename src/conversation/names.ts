/** How people are called in a prompt. Names are data: they may not break a line, close a wrapper or pose as a role. */

const maxNameChars = 40;
/** Of a channel with more, the longest unseen are no longer listed. */
export const maxPeople = 1000;
const roleWords = new Set(['system', 'assistant', 'user', 'tool', 'developer', 'function']);

/** By the platform's id: the name as cleaned, and as shown where it is not the first of its kind. */
export type People = Record<string, { name: string; shown: string }>;

export function cleanName(raw: string): string {
  const plain = raw
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[<>[\]{}:`|：﹕︓꞉∶＜＞｜]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  const short = plain.slice(0, maxNameChars).toWellFormed().trim();
  if (short === '') return 'someone';
  return roleWords.has(short.toLowerCase()) ? `${short} (a name)` : short;
}

/**
 * The name a person's turns begin with. A second person of the same name gets `#2` when first seen, so that turns
 * recorded before keep their bytes. Answers the same `people` where nothing is new.
 */
export function introduce(people: People, id: string, rawName: string): { people: People; shown: string } {
  const name = cleanName(rawName);
  // An id may be called like something every object has.
  const known = Object.hasOwn(people, id) ? people[id] : undefined;
  if (known?.name === name) return { people, shown: known.shown };
  const taken = new Set(
    Object.entries(people)
      .filter(([other]) => other !== id)
      .map(([, person]) => person.shown),
  );
  let shown = name;
  for (let n = 2; taken.has(shown); n++) shown = `${name}#${n}`;
  const others = Object.entries(people).filter(([other]) => other !== id);
  const kept = others.slice(Math.max(0, others.length - (maxPeople - 1)));
  return { people: Object.fromEntries([...kept, [id, { name, shown }]]), shown };
}
