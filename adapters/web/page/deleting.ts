import { confirmFirst } from './confirm-dialog.ts';
import { html } from './html.ts';
import { remove } from './sending.ts';
import type { Talk } from './talk.ts';

const texts = {
  message: {
    title: 'Delete this message?',
    text: 'It is erased for everybody, with the answer to it, and taken out of every summary that was made from it.',
  },
  answer: {
    title: 'Delete this answer?',
    text: 'It is erased for everybody, and taken out of every summary that was made from it. The question stays.',
  },
} as const;

/** One's own message, or an answer to it. */
export function askToDelete(talk: Talk, what: keyof typeof texts, messageId: string): void {
  const { title, text } = texts[what];
  confirmFirst({
    title,
    text: html`<p>${text} This cannot be undone.</p>`,
    action: 'Delete for good',
    run: () => remove(talk, messageId),
  });
}
