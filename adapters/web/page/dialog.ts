import type { ComponentChild } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { html } from './html.ts';
import { icon } from './icons.ts';

interface DialogProps {
  title: string;
  wide?: boolean;
  onClose(): void;
  children?: ComponentChild;
}

/** The browser's own dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ title, wide = false, onClose, children }: DialogProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before the next key is pressed: it is meant for what opens.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  const onBackdrop = (event: MouseEvent) => {
    if (event.target === dialog.current) onClose();
  };
  return html`<dialog class=${wide ? 'box wide' : 'box'} ref=${dialog} aria-labelledby=${titleId}
    onCancel=${(event: Event) => {
      event.preventDefault();
      onClose();
    }} onMouseDown=${onBackdrop}>
    <div class="dialog-body">
      <div class="dialog-head">
        <h2 id=${titleId}>${title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick=${onClose}>${icon('close')}</button>
      </div>
      ${children}
    </div>
  </dialog>`;
}
