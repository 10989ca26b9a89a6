/** What tells apart those of one name, where people read names and the program knows ids. */

export interface Named {
  /** Its own, whatever it is called. */
  key: string;
  name: string;
  /** What may stand behind the name where others are called the same, such as the platform; the shortest first. */
  hints: readonly string[];
}

/** A label for each key: its name, with a hint behind it where others have that name, and a number where no hint helps. */
export function toLabels(all: readonly Named[]): Map<string, string> {
  const labels = new Map<string, string>();
  const taken = new Set<string>();
  /** By label: the number given last. */
  const numbers = new Map<string, number>();
  const sorted = all.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const groups = [...Map.groupBy(sorted, ({ name }) => name).values()];
  // Whoever alone has a name has it as it stands; the others make way.
  for (const group of groups.toSorted((a, b) => a.length - b.length)) {
    const telling = group.length === 1 ? undefined : tellingHint(group);
    for (const { key, name, hints } of group) {
      const hint = telling === undefined ? undefined : hints[telling];
      const wanted = hint === undefined ? name : `${name} (${hint})`;
      let label = wanted;
      for (let n = numbers.get(wanted) ?? 1; taken.has(label); ) {
        n += 1;
        label = `${wanted} #${n}`;
        numbers.set(wanted, n);
      }
      taken.add(label);
      labels.set(key, label);
    }
  }
  return labels;
}

/** The first hint that tells all apart; else the one that tells most of them apart; none where all have the same. */
function tellingHint(group: readonly Named[]): number | undefined {
  const count = Math.max(...group.map(({ hints }) => hints.length));
  const kinds = Array.from({ length: count }, (_, n) => new Set(group.map(({ hints }) => hints[n])).size);
  const most = Math.max(1, ...kinds);
  return most === 1 ? undefined : kinds.indexOf(most);
}

/** What stands behind a name to tell it from its equals: of a label that must be cut short, this stays. */
export function hintOf(label: string): string {
  const at = Math.max(label.lastIndexOf(' #'), label.endsWith(')') ? label.lastIndexOf(' (') : -1);
  return at <= 0 ? '' : label.slice(at);
}
