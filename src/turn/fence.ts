/** An open code fence. */
export interface Fence {
  indent: string;
  run: string;
  language: string;
}

/**
 * As CommonMark has it, with two differences. Fences may stand deeper, because in lists they do. And nothing is unbounded,
 * so that a few characters tell what a line is: no model writes longer ones.
 */
const fenceLine = /^([ \t]{0,12})(`{3,10}|~{3,10})([^\n]{0,60})$/;
export const maxFenceLine = 12 + 10 + 60;

/** The fence that is open after a line, given the one that is open before it. */
export function fenceAfter(open: Fence | undefined, line: string): Fence | undefined {
  if (line.length > maxFenceLine) return open;
  const match = fenceLine.exec(line);
  if (match === null) return open;
  const [, indent = '', run = '', info = ''] = match;
  if (info.startsWith(run.charAt(0))) return open;
  if (open !== undefined) return closes(open, indent, run) && info.trim() === '' ? undefined : open;
  if (run.startsWith('`') && info.includes('`')) return undefined;
  return { indent, run, language: /^\s*([^\s`~]{1,20})(?:\s|$)/.exec(info)?.[1] ?? '' };
}

function closes(open: Fence, indent: string, run: string): boolean {
  const deepest = open.indent.length <= 3 ? 3 : open.indent.length + 3;
  return indent.length <= deepest && run.startsWith(open.run);
}

/** Opens in the next piece what was open in the one before. */
export function openerOf(fence: Fence): string {
  return `${fence.indent}${fence.run}${fence.language}\n`;
}

/** At the beginning of a line. */
export function closerOf(fence: Fence): string {
  return fence.indent + fence.run;
}

/**
 * Within a line. The line end after it tells it from a closer at the beginning of a line, so that who puts the pieces
 * together knows whether the one before it belongs to the text; on the screen it makes no difference.
 */
export function closerWithinLine(fence: Fence): string {
  return `\n${closerOf(fence)}\n`;
}

export const maxClosing = 12 + 10 + 2;

/** What closes the fence at the end of a text whose last line is `line`. */
export function closingAfter(open: Fence | undefined, line: string): string {
  const after = fenceAfter(open, line);
  if (after === undefined) return '';
  if (line === '') return closerOf(after);
  const isBegun = open !== undefined && beginsCloser(open, line);
  return isBegun ? after.run.slice(line.trimStart().length) : `\n${closerOf(after)}`;
}

/** A line that the text has only begun, and that may become the one that closes the fence. */
export function beginsCloser(fence: Fence, line: string): boolean {
  const [, indent = '', run = ''] = /^([ \t]*)([`~]*)$/.exec(line) ?? [];
  return indent.length + run.length === line.length && fence.run.startsWith(run) && closes(fence, indent, fence.run);
}
