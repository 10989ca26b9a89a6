import type { types } from '@slack/bolt';

/** What leaves: text as it is to be shown, in which nothing calls anybody. */

/** Between the bracket and what would call, also where Markdown takes a backslash away: invisible, and no call any more. */
const joiner = '\u2060';
const calling = /<(?=\\*(?:!(?:channel|here|everyone|group|subteam)\b|@[UW][A-Z0-9]{2}))/gi;
/** Each call is at least so long, and grows by one. */
const shortestCall = 5;

/** Slack's limit for the `markdown` blocks of a message. */
const maxMarkdownChars = 12_000;
/** However many calls a text consists of, it stays within Slack's limit when they are taken out. */
export const maxPieceChars = (maxMarkdownChars / (shortestCall + 1)) * shortestCall;

export function neutralised(text: string): string {
  return text.replace(calling, `<${joiner}`);
}

/** Of a growing text, without what may become a call yet: what has been streamed stands for good. */
export function growing(text: string): string {
  return neutralised(text.replace(/<\\*(?:!\w{0,8}|@\w{0,3})?$/, ''));
}

export function markdownBlock(text: string): types.MarkdownBlock {
  return { type: 'markdown', text: neutralised(text) };
}

/** What the core says, in Slack's own way of writing, for where Markdown is not read. */
export function toMrkdwn(text: string): string {
  return escaped(text).replace(/\*\*(?=\S)([^*\n]+)\*\*/g, '*$1*');
}

const maxFallbackChars = 3000;

/** For notifications and for whatever shows no blocks. */
export function fallback(text: string): string {
  const whole = escaped(text);
  return whole.length <= maxFallbackChars ? whole : `${whole.slice(0, maxFallbackChars).toWellFormed()}…`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
