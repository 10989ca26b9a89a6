/** From where to where, in order and apart from each other; one that the text has only begun has no end. */
type Span = [start: number, end: number];

/** How far back an opened bracket may be the beginning of a link. */
const maxOpenChars = 1000;

/** Whether a place is within a Markdown link, an image or an address, where nothing should be cut. */
export function createLinkMap(text: string): { around(at: number): Span | undefined } {
  const spans = merged([...markdownLinks(text), ...addresses(text)]);

  function around(at: number): Span | undefined {
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((spans[middle]?.[1] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const span = spans[low];
    return span !== undefined && span[0] < at ? span : undefined;
  }

  return { around };
}

function* addresses(text: string): Generator<Span> {
  for (const match of text.matchAll(/<?https?:\/\/[^\s<>。，、！？；：）」』】]*>?/gi)) {
    const end = match.index + match[0].length;
    yield [match.index, end === text.length ? Number.POSITIVE_INFINITY : end];
  }
}

/** One pass with what is open on stacks, so that no row of brackets makes it slow. */
function* markdownLinks(text: string): Generator<Span> {
  let brackets: number[] = [];
  /** Of an address in parentheses, where its link starts; -1 for other parentheses in it. */
  let parentheses: number[] = [];
  for (const match of text.matchAll(/[[\]()]|\n([ \t]*\n)?/g)) {
    const at = match.index;
    switch (match[0].charAt(0)) {
      case '[':
        brackets.push(text.charAt(at - 1) === '!' ? at - 1 : at);
        break;
      case ']': {
        const start = brackets.pop();
        const next = text.charAt(at + 1);
        if (start !== undefined && next === '(') parentheses.push(start);
        if (start !== undefined && next === '') yield [start, Number.POSITIVE_INFINITY];
        break;
      }
      case '(':
        if (parentheses.length > 0 && text.charAt(at - 1) !== ']') parentheses.push(-1);
        break;
      case ')': {
        const start = parentheses.pop();
        if (start !== undefined && start >= 0) yield [start, at + 1];
        break;
      }
      default:
        parentheses = [];
        if (match[1] !== undefined) brackets = [];
    }
  }
  const open = [...parentheses, ...brackets].filter((start) => start >= 0 && text.length - start <= maxOpenChars);
  if (open.length > 0) yield [Math.min(...open), Number.POSITIVE_INFINITY];
}

function merged(spans: Span[]): Span[] {
  const result: Span[] = [];
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
