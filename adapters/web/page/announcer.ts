import { signal } from '@preact/signals';

/** What a screen reader says: finished answers, never their single words. */
export const announced = signal('');

const maxChars = 600;

export function announce(text: string): void {
  announced.value = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}
