import { type Fence, fenceAfter, maxFenceLine } from './fence.ts';

/**
 * What the model recalls it cites by marker, `[m3]` or `[m1, m4]`; people read who said it and when, and open it. The
 * text comes in pieces that may end anywhere: what may yet become a marker is held back.
 */
export interface Citing {
  push(text: string): string;
  /** `torn`: the text broke off, and half a marker at its end is none. */
  rest(torn: boolean): string;
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
  /** A block of code is left as it is. */
  let open: Fence | undefined;
  let line = '';

  function cite(text: string): string {
    const [first = '', ...others] = text.split('\n');
    const lines = [citeInLine(first)];
    for (const next of others) {
      open = fenceAfter(open, line);
      line = '';
      before = '\n';
      lines.push(citeInLine(next));
    }
    return lines.join('\n');
  }

  function citeInLine(text: string): string {
    const cited = open === undefined ? (before + text).replace(citation, toText).slice(before.length) : text;
    line = (line + text).slice(0, maxFenceLine + 1);
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
    rest(torn) {
      const last = torn && held.startsWith('[m') ? '' : held;
      held = '';
      return cite(last);
    },
    used: () => used,
  };
}
