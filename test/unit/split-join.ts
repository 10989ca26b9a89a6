/**
 * Puts the pieces of an answer together from what stands on the platform alone, knowing the rule but none of the code: a
 * fence that ends a piece and is opened again by the next was cut by us. A closer with a line end after it was put into a
 * line, and the line end before it is ours as well.
 */
export function joinPieces(pieces: readonly string[]): string {
  let text = '';
  let open: Fence | undefined;
  for (const [index, piece] of pieces.entries()) {
    if (open !== undefined && !piece.startsWith(reopening(open)))
      throw new Error(`piece ${index} does not open ${open.run}`);
    const body: string = open === undefined ? piece : piece.slice(reopening(open).length);
    const cut = cutBy(body, open, pieces[index + 1]);
    text += body.slice(0, body.length - cut.added);
    open = cut.open;
  }
  return text;
}

/** Is every fence that a text opens closed in it? By CommonMark's rules. */
export function isBalanced(text: string): boolean {
  return text.split('\n').reduce<Fence | undefined>((open, line) => after(open, line, 3), undefined) === undefined;
}

interface Fence {
  indent: string;
  run: string;
  info: string;
}

function cutBy(
  body: string,
  open: Fence | undefined,
  next: string | undefined,
): { added: number; open: Fence | undefined } {
  const inLine = body.endsWith('\n');
  const lines = (inLine ? body.slice(0, -1) : body).split('\n');
  const last = lines.pop() ?? '';
  const before = lines.reduce<Fence | undefined>((state, line) => after(state, line, 12), open);
  const closed = before !== undefined && after(before, last, 12) === undefined;
  if (!closed || next === undefined || !next.startsWith(reopening(before))) return { added: 0, open: undefined };
  return { added: inLine ? last.length + 2 : last.length, open: before };
}

function reopening({ indent, run, info }: Fence): string {
  const language = info.trim().split(/\s/)[0] ?? '';
  return `${indent}${run}${language.length <= 20 && !/[`~]/.test(language) ? language : ''}\n`;
}

function after(open: Fence | undefined, line: string, maxIndent: number): Fence | undefined {
  const match = /^([ \t]*)(`{3,}|~{3,})(.*)$/s.exec(line);
  if (match === null) return open;
  const [, indent = '', run = '', info = ''] = match;
  if (open !== undefined) {
    const isCloser =
      run.startsWith(open.run) &&
      info.trim() === '' &&
      indent.length <= Math.max(3, open.indent.length > 3 ? open.indent.length + 3 : 3);
    return isCloser ? undefined : open;
  }
  if (indent.length > maxIndent || (run.startsWith('`') && info.includes('`'))) return open;
  return { indent, run, info };
}
