import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.ts';
import { html } from './html.ts';
import { problemOf } from './server.ts';

interface FormDialogProps {
  title: string;
  action: string;
  danger?: boolean;
  /** Closes the dialog when it succeeds; what it throws is told. */
  onSubmit(): Promise<void>;
  onClose(): void;
  children?: ComponentChild;
}

export function FormDialog({ title, action, danger = false, onSubmit, onClose, children }: FormDialogProps) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onSubmit();
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form class="dialog-form" onSubmit=${(event: Event) => void submit(event)}>
      ${children}
      ${problem === '' ? '' : html`<p class="warning" role="alert">${problem}</p>`}
      <div class="dialog-foot">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${danger ? 'button danger' : 'button primary'} disabled=${busy}>${action}</button>
      </div>
    </form>
  <//>`;
}

interface TextFieldProps {
  label: string;
  hint?: string;
  value: string;
  maxLength?: number | undefined;
  rows?: number;
  onValue(value: string): void;
}

export function TextField({ label, hint, value, maxLength, rows, onValue }: TextFieldProps): ComponentChild {
  const onInput = (event: InputEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) {
      onValue(event.target.value);
    }
  };
  return html`<label class="field">${label}
    ${
      rows === undefined
        ? html`<input class="input" value=${value} maxlength=${maxLength} onInput=${onInput} required autofocus autocomplete="off" />`
        : html`<textarea class="input" rows=${rows} value=${value} maxlength=${maxLength} onInput=${onInput} autofocus></textarea>`
    }
    ${hint === undefined ? '' : html`<span class="hint">${hint}</span>`}
  </label>`;
}
