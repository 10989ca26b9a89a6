import type { ComponentChild } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Blocks, noBlocks, openCode, takeBlocks } from './blocks.ts';
import { highlight } from './highlight.ts';
import { html } from './html.ts';
import { asItIs, codeBox, toFragment } from './markdown.ts';
import { inPortions } from './portions.ts';

/** What is longer is shown by its beginning until somebody wants all of it. */
const maxShownChars = 100_000;
const clippedChars = 5_000;
const dearMs = 20;

interface MarkdownProps {
  text: string;
  /** It will not grow any more. */
  done: boolean;
}

interface Shown {
  taken: Blocks;
  text: string;
  /** Of the finished blocks: the same ones again are not even compared. */
  views: readonly ComponentChild[];
}

const nothingShown: Shown = { taken: noBlocks, text: '', views: [] };

export function Markdown({ text, done }: MarkdownProps): ComponentChild {
  const [all, setAll] = useState(false);
  const shownBefore = useRef<Shown>(nothingShown);
  if (text.length > maxShownChars) {
    const shown = all ? text : text.slice(0, clippedChars);
    return html`<div class="markdown">
      <p class="as-is" dir="auto">${shown}${all ? '' : '…'}</p>
      <button type="button" class="button small" onClick=${() => setAll(!all)}>
        ${all ? 'Show its beginning only' : `Show all of it (${text.length.toLocaleString('en')} characters)`}
      </button>
    </div>`;
  }
  // Only a text that grew keeps its finished blocks.
  const before = text.startsWith(shownBefore.current.text) ? shownBefore.current : nothingShown;
  const taken = takeBlocks(before.taken, text);
  const fresh = taken.finished.slice(before.views.length);
  const views = [
    ...before.views,
    ...fresh.map((block, at) => html`<${Block} key=${before.views.length + at} text=${block} done=${true} />`),
  ];
  shownBefore.current = { taken, text, views };
  const last = text.slice(taken.consumed);
  return html`<div class="markdown">
    ${views}
    ${last.trim() === '' ? '' : html`<${Block} key=${taken.finished.length} text=${last} done=${done} />`}
  </div>`;
}

function Block({ text, done }: MarkdownProps): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const growing = useRef<{ code: Text; value: string } | undefined>(undefined);
  const dear = useRef(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const open = done ? undefined : openCode(text);
    if (open !== undefined) {
      showOpenCode(element, open);
      return undefined;
    }
    growing.current = undefined;
    // What takes long is drawn again only when it has grown by a good part.
    if (!done && text.length < dear.current) return undefined;
    const callOff = inPortions(() => {
      const start = performance.now();
      element.replaceChildren(toFragment(text));
      dear.current = performance.now() - start > dearMs ? text.length * 1.3 : 0;
      if (done) void highlight(element).catch(() => undefined); // Code without colours is still code.
    });
    if (callOff !== undefined && element.firstChild === null) element.replaceChildren(asItIs(text));
    return callOff;
  }, [text, done]);
  return html`<div class="block" ref=${place}></div>`;

  /** Code that grows is only added to. */
  function showOpenCode(element: HTMLElement, { language, code }: { language: string; code: string }): void {
    const before = growing.current;
    if (before !== undefined && code.startsWith(before.value)) {
      before.code.appendData(code.slice(before.value.length));
      before.value = code;
      return;
    }
    const pre = document.createElement('pre');
    pre.dir = 'ltr';
    const body = document.createElement('code');
    if (/^[\w+#.-]+$/.test(language)) body.className = `language-${language}`;
    pre.append(body);
    const box = codeBox(pre);
    const value = document.createTextNode(code);
    box.querySelector('code')?.append(value);
    element.replaceChildren(box);
    growing.current = { code: value, value: code };
  }
}
