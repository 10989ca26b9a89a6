import { Marked, type TokenizerAndRendererExtension, type Tokens } from 'marked';

/**
 * Markdown of strangers into HTML, without a document: tags that people write are shown as text, formulas stay as they
 * were written, and no block takes more than a bounded amount of work. What comes out must still be sanitized.
 */

/** What is longer in one block is no prose: it is shown as it is. */
const maxBlockChars = 12_000;
/** At each of so many blanks the parser looks for the end of them. */
const longBlanks = /[ \t]{400}/;

/**
 * Characters that the parser may look at again, in one block. Some of its rules look at all that follows: for each
 * delimiter of emphasis, each level of a list or a quotation, each piece of a line.
 */
const maxWork = 6_000_000;
/** The rules for emphasis look at what follows several times. */
const emphasisCost = 4;
let work = 0;

function charge(chars: number): false {
  work += chars;
  if (work > maxWork) throw new Error('this block takes too much work');
  return false; // marked: go on with your own rule
}

/** `$$…$$`, `\(…\)` and `\[…\]`: what stands between is no Markdown. */
const formula: TokenizerAndRendererExtension = {
  name: 'formula',
  level: 'inline',
  start: (src) => {
    const at = src.search(/\$\$|\\[([]/);
    return at === -1 ? undefined : at;
  },
  tokenizer: (src) => {
    const end = formulaEnd(src);
    return end === undefined ? undefined : { type: 'formula', raw: src.slice(0, end) };
  },
  renderer: ({ raw }) => asText(raw),
};

/** The same on lines of its own. */
const formulaBlock: TokenizerAndRendererExtension = {
  name: 'formulaBlock',
  level: 'block',
  start: (src) => {
    charge(src.length);
    const at = src.search(/(?<=\n)(?:\$\$|\\\[)/);
    return at === -1 ? undefined : at;
  },
  tokenizer: (src) => {
    const end = formulaEnd(src);
    if (end === undefined || !/^[ \t]*(?:\n|$)/.test(src.slice(end, end + 80))) return undefined;
    const lineEnd = src.indexOf('\n', end);
    return { type: 'formulaBlock', raw: lineEnd === -1 ? src : src.slice(0, lineEnd + 1) };
  },
  renderer: ({ raw }) => `<p>${asText(raw.trimEnd())}</p>\n`,
};

const maxFormulaChars = 2_000;
const formulaMarks = [
  ['$$', '$$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
] as const;

/** Where the formula ends that a text begins with, if it begins with one. */
function formulaEnd(text: string): number | undefined {
  const marks = formulaMarks.find(([open]) => text.startsWith(open));
  if (marks === undefined) return undefined;
  const [open, close] = marks;
  charge(Math.min(text.length, maxFormulaChars));
  const end = text.slice(0, maxFormulaChars).indexOf(close, open.length);
  return end <= open.length ? undefined : end + close.length;
}

/** As it was typed, lines and all. */
function asText(text: string): string {
  return escaped(text).replaceAll('\n', '<br>');
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [formula, formulaBlock],
  tokenizer: {
    // The brackets of a formula that is not closed (yet) keep their backslashes, too.
    escape: (src) => (/^\\[()[\]]/.test(src) ? { type: 'escape', raw: src.slice(0, 2), text: src.slice(0, 2) } : false),
    emStrong: (src) => charge(/^[*_]/.test(src) ? src.length * emphasisCost : 0),
    del: (src) => charge(src.startsWith('~') ? src.length * emphasisCost : 0),
    link: (src) => charge(/^!?\[/.test(src) ? src.length : 0),
    inlineText: (src) => charge(src.length),
    list: (src) => charge(src.length),
    blockquote: (src) => charge(src.length),
  },
  renderer: {
    // Inside of some tags marked takes text for HTML.
    text(token: Tokens.Text | Tokens.Escape) {
      if ('tokens' in token && token.tokens !== undefined) return this.parser.parseInline(token.tokens);
      return escapedText(token.type === 'escape' ? token.text : token.raw);
    },
    html: ({ text }: Tokens.HTML | Tokens.Tag) => (/^<\/?(br|sub|sup|kbd)\s*\/?>$/i.test(text) ? text : escaped(text)),
    image: ({ href, text }: Tokens.Image) => `<a href="${escaped(href)}">${escaped(text === '' ? href : text)}</a>`,
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
    heading({ tokens, depth }: Tokens.Heading) {
      // The page's own headings come first.
      const level = Math.min(6, depth + 2);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
  },
});

/** Nothing where the text is to be shown as it is. */
export function toHtml(markdown: string): string | undefined {
  if (markdown.length > maxBlockChars || longBlanks.test(markdown)) return undefined;
  work = 0;
  try {
    return marked.parse(markdown, { async: false });
  } catch {
    // Too much work; or thousands of quotes within quotes, more than the parser's stack holds.
    return undefined;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** In Markdown's own text `&copy;` is one character. */
function escapedText(text: string): string {
  return text.replace(/&(?!#\d{1,7};|#x[\da-f]{1,6};|\w{1,32};)|[<>"]/gi, escaped);
}
