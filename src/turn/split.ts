import { BotError } from '../errors.ts';
import { planCut } from './cut.ts';
import { closingAfter, type Fence, fenceAfter, maxClosing, maxFenceLine, openerOf } from './fence.ts';

/**
 * Splits a growing answer into pieces of at most `maxChars`. All pieces but the last are as they will stay, and how the
 * text comes in makes no difference to them. Nothing of it is left out but blanks that would be a piece of their own, and
 * nothing added but what closes a code fence at the end of a piece and opens it again at the beginning of the next.
 */
export interface Splitter {
  push(text: string): readonly string[];
}

/** So that a fence, closed and opened, leaves room for something in between. */
const fewestChars = 256;

export function createSplitter(maxChars: number): Splitter {
  if (maxChars < fewestChars) throw new BotError('bug', `pieces of ${maxChars} characters are too short`);
  const done: string[] = [];
  /** The last piece: what opens it, its share of the text, and the fences open before it and before its last line. */
  let opener = '';
  let body = '';
  let openFirst: Fence | undefined;
  let open: Fence | undefined;
  let line = '';

  let isBlank = true;

  const closing = (): string => closingAfter(open, line);

  function add(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      open = fenceAfter(open, line + text.slice(start, Math.min(end, start + maxFenceLine + 1)));
      line = '';
      start = end + 1;
    }
    line = (line + text.slice(start, start + maxFenceLine + 1)).slice(0, maxFenceLine + 1);
    body += text;
    isBlank &&= text.trim() === '';
  }

  function cut(): void {
    const plan = planCut(body, openFirst, maxChars - opener.length);
    const rest = body.slice(plan.at);
    const ended = body.slice(0, plan.at);
    if (opener !== '' || ended.trim() !== '') done.push(opener + ended + plan.closing);
    opener = plan.open === undefined ? '' : openerOf(plan.open);
    openFirst = plan.open;
    open = plan.open;
    line = '';
    body = '';
    isBlank = true;
    take(rest);
  }

  /** Near the end of a piece one character at a time, so that the cut depends on the text alone. */
  function take(text: string): void {
    for (let at = 0; at < text.length; ) {
      const until = at + Math.max(1, maxChars - opener.length - body.length - maxClosing);
      add(text.slice(at, until));
      at = until;
      if (opener.length + body.length + closing().length > maxChars) cut();
    }
  }

  return {
    push(text) {
      take(text);
      return opener === '' && isBlank ? [...done] : [...done, opener + body + closing()];
    },
  };
}

/** All at once; the joined pieces are the text, with the fence closed that it leaves open. */
export function splitAnswer(text: string, maxChars: number): readonly string[] {
  return createSplitter(maxChars).push(text);
}
