import htm from 'htm';
import { type ComponentChild, h } from 'preact';

/** Templates instead of JSX: what is written is what the browser loads. */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => ComponentChild = htm.bind(h);
