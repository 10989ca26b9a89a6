import purify, { type Config } from 'dompurify';
import { directionOf } from './direction.ts';
import { toHtml } from './markdown-html.ts';

/**
 * Markdown of strangers as a part of the page. It is made safe twice: tags that people write are shown as text, and what
 * is left passes through an allow list that knows no style, form, picture or script.
 */

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

export function toFragment(markdown: string): DocumentFragment {
  const markup = toHtml(markdown);
  if (markup === undefined) return asItIs(markdown);
  const fragment = purify.sanitize(markup, allowed);
  setDirections(fragment);
  for (const table of fragment.querySelectorAll('table')) table.replaceWith(scrolling(table));
  for (const pre of fragment.querySelectorAll('pre')) pre.replaceWith(codeBox(pre));
  return fragment;
}

/** A paragraph runs as its first letter does; what holds several blocks has its bullets and columns on that side. */
function setDirections(fragment: DocumentFragment): void {
  for (const block of fragment.querySelectorAll('p, h3, h4, h5, h6, th, td')) block.setAttribute('dir', 'auto');
  for (const holder of fragment.querySelectorAll('ul, ol, blockquote, table')) {
    holder.setAttribute('dir', directionOf(holder.textContent ?? ''));
  }
  for (const code of fragment.querySelectorAll('pre')) code.setAttribute('dir', 'ltr');
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

function scrolling(table: HTMLTableElement): HTMLElement {
  const box = document.createElement('div');
  box.className = 'table-box';
  makeScrollable(box, 'Table');
  box.dir = table.dir;
  box.append(table.cloneNode(true));
  return box;
}

/** What scrolls must be reached with the keyboard, and have a name there. */
function makeScrollable(element: HTMLElement, label: string): void {
  element.tabIndex = 0;
  element.setAttribute('role', 'group');
  element.setAttribute('aria-label', label);
}

/** Without Markdown: lines and blanks as they were typed. */
export function asItIs(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const paragraph = document.createElement('p');
  paragraph.className = 'as-is';
  paragraph.dir = 'auto';
  paragraph.textContent = text;
  fragment.append(paragraph);
  return fragment;
}
