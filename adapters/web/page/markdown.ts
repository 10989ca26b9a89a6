import purify, { type Config } from 'dompurify';
import { Marked, type Tokens } from 'marked';

/**
 * Markdown of strangers made safe twice: tags that people write are shown as text, and what is left passes through an
 * allow list that knows no style, form, picture or script.
 */

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
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

const allowed: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: (
    'p br hr h3 h4 h5 h6 blockquote ul ol li pre code ' + 'table thead tbody tr th td a strong em del sub sup kbd'
  ).split(' '),
  ALLOWED_ATTR: ['href', 'title', 'start', 'align', 'class'],
  ALLOWED_URI_REGEXP: /^(https?:\/\/|mailto:)/i,
  // Not addresses, so not to be tested as such.
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

purify.addHook('uponSanitizeAttribute', (element, { attrName, attrValue }, _config) => {
  if (attrName === 'class' && !(element.nodeName === 'CODE' && /^language-[\w+#.-]+$/.test(attrValue))) {
    element.removeAttribute('class');
  }
});
purify.addHook('afterSanitizeAttributes', (element) => {
  if (element.nodeName !== 'A') return;
  if (!element.hasAttribute('href')) return;
  element.setAttribute('target', '_blank');
  element.setAttribute('rel', 'noopener noreferrer nofollow');
});

/** What is longer in one block is no prose: it is shown as it is. */
const maxBlockChars = 12_000;

export function toFragment(markdown: string): DocumentFragment {
  if (markdown.length > maxBlockChars) return plain(markdown);
  let fragment: DocumentFragment;
  try {
    fragment = purify.sanitize(marked.parse(markdown, { async: false }), allowed);
  } catch {
    // Thousands of quotes within quotes are more than the parser's stack holds.
    return plain(markdown);
  }
  for (const table of fragment.querySelectorAll('table')) table.replaceWith(scrolling(table.cloneNode(true)));
  for (const pre of fragment.querySelectorAll('pre')) pre.replaceWith(codeBox(pre));
  return fragment;
}

/** A box of code with its language and a button that copies it. */
export function codeBox(pre: HTMLElement): HTMLElement {
  const code = pre.querySelector('code');
  const language = /language-(\S+)/.exec(code?.className ?? '')?.[1] ?? '';
  const box = document.createElement('div');
  box.className = 'code';
  const head = document.createElement('div');
  head.className = 'code-head';
  const label = document.createElement('span');
  label.textContent = language === '' ? 'text' : language;
  const copy = document.createElement('button');
  copy.type = 'button';
  copy.className = 'code-copy';
  copy.dataset.copy = '';
  copy.textContent = 'Copy';
  copy.setAttribute('aria-label', language === '' ? 'Copy this text' : `Copy this ${language} code`);
  head.append(label, copy);
  const body = pre.cloneNode(true);
  if (body instanceof HTMLElement) makeScrollable(body, 'Code');
  box.append(head, body);
  return box;
}

function scrolling(table: Node): HTMLElement {
  const box = document.createElement('div');
  box.className = 'table-box';
  makeScrollable(box, 'Table');
  box.append(table);
  return box;
}

/** What scrolls must be reached with the keyboard, and have a name there. */
function makeScrollable(element: HTMLElement, label: string): void {
  element.tabIndex = 0;
  element.setAttribute('role', 'group');
  element.setAttribute('aria-label', label);
}

function plain(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const paragraph = document.createElement('p');
  paragraph.className = 'as-is';
  paragraph.textContent = text;
  fragment.append(paragraph);
  return fragment;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
