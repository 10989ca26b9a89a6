/**
 * Cuts Markdown that is still growing where nothing that comes later changes what stands before, so that only the last
 * block is rendered again while an answer is written.
 */

export interface Blocks {
  /** They never change again. */
  finished: readonly string[];
  /** How far they reach in the text. */
  consumed: number;
}

export const noBlocks: Blocks = { finished: [], consumed: 0 };

/** The text must begin with what was consumed before. */
export function takeBlocks(before: Blocks, text: string): Blocks {
  const found: string[] = [];
  let start = before.consumed;
  let fence: string | undefined;
  let afterBlank = false;
  let at = start;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    // An unfinished line may still become anything.
    const line = end === -1 ? text.slice(at) : text.slice(at, end);
    if (fence === undefined && afterBlank && startsAnew(line)) {
      found.push(text.slice(start, at));
      start = at;
    }
    if (end === -1) break;
    fence = fenceAfter(fence, line);
    afterBlank = fence === undefined && line.trim() === '';
    at = end + 1;
  }
  if (found.length === 0) return before;
  return { finished: [...before.finished, ...found], consumed: start };
}

/** Whether a line after an empty one belongs to nothing before it, whatever its end will be. */
function startsAnew(line: string): boolean {
  // Indented lines and list items may continue a list; digits may become an item's number.
  return /^(\*\*|[^\s\d*+-])/.test(line);
}

function fenceAfter(open: string | undefined, line: string): string | undefined {
  const [indented = '', run = ''] = /^ {0,3}(`{3,}|~{3,})/.exec(line) ?? [];
  const rest = line.slice(indented.length);
  if (open === undefined) return run === '' || (run.startsWith('`') && rest.includes('`')) ? undefined : run;
  const closes = run.startsWith(open.charAt(0)) && run.length >= open.length && rest.trim() === '';
  return closes ? undefined : open;
}

/** The code inside of a fence that is still open at the end of the text, if the block is nothing but that. */
export function openCode(text: string): { language: string; code: string } | undefined {
  const head = /^(`{3,}(?!`)|~{3,}(?!~))([^\n`]*)\n/.exec(text);
  const [opening = '', run, language = ''] = head ?? [];
  if (run === undefined) return undefined;
  const code = text.slice(opening.length);
  const closing = run.charAt(0) === '`' ? /^ {0,3}`{3,}\s*$/m : /^ {0,3}~{3,}\s*$/m;
  return closing.test(code) ? undefined : { language: language.trim(), code };
}
