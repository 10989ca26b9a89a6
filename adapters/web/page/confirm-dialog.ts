import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { FormDialog } from './form-dialog.ts';
import { html } from './html.ts';

/** What cannot be undone, and is done only after a second look. */
interface Question {
  title: string;
  /** What goes with it. */
  text: ComponentChild;
  action: string;
  run(): Promise<void>;
}

const question = signal<Question | undefined>(undefined);

/** Opens the dialog; `run` follows only when the person says so. */
export function confirmFirst(asked: Question): void {
  question.value = asked;
}

/** On every page once. */
export function ConfirmDialog(): ComponentChild {
  const asked = question.value;
  if (asked === undefined) return null;
  const { title, text, action, run } = asked;
  return html`<${FormDialog} title=${title} action=${action} danger=${true} onSubmit=${run} onClose=${() => {
    question.value = undefined;
  }}>${text}<//>`;
}
