/**
 * What the model recalls it cites by marker, `[m3]` or `[m1, m4]`; people read who said it and when, and open it. The
 * text comes in pieces that may end anywhere: what may yet become a marker is held back.
 */
export interface Citing {
  push(text: string): string;
  rest(): string;
  /** The markers that were used. */
  used(): ReadonlySet<number>;
}

export interface Source {
  marker: number;
  /** Such as `Ann, 3 Nov`. */
  label: string;
  link: string | undefined;
}

const longestMarker = 32;
/** After a letter or a closing parenthesis it is an index into something: code. */
const citation = /(?<![\p{L}\p{N}_)])\[m\d{1,3}(?:,\s?m\d{1,3})*\]/gu;
const mayBecomeCitation = /\[[m\d, ]*$/;

export function createCiting(sources: readonly Source[]): Citing {
  const byMarker = new Map(sources.map((source) => [source.marker, source]));
  const used = new Set<number>();
  let held = '';
  /** What stood right before: whether a bracket opens an index. */
  let before = '';

  function cite(text: string): string {
    const cited = (before + text).replace(citation, toText).slice(before.length);
    before = text.slice(-1) || before;
    return cited;
  }

  /** A marker of nothing is nothing that a person could use. */
  function toText(found: string): string {
    const cited = [...found.matchAll(/m(\d+)/g)].flatMap(([, n]) => byMarker.get(Number(n)) ?? []);
    for (const { marker } of cited) used.add(marker);
    const shown = cited.map(({ label, link }) => (link === undefined ? label : `[${label}](${link})`));
    return shown.length === 0 ? '' : `(${shown.join('; ')})`;
  }

  return {
    push(text) {
      if (byMarker.size === 0) return text;
      const all = held + text;
      const open = mayBecomeCitation.exec(all);
      const isOpen = open !== null && all.length - open.index <= longestMarker;
      held = isOpen ? all.slice(open.index) : '';
      return cite(isOpen ? all.slice(0, open.index) : all);
    },
    rest() {
      const last = held;
      held = '';
      return cite(last);
    },
    used: () => used,
  };
}
