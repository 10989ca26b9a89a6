import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { announce } from './announcer.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';

interface CopyProps {
  label: string;
  text: string;
}

const shownMs = 1_500;

type State = 'ready' | 'copied' | 'refused';

/** Says for a moment whether it was copied. */
export function CopyButton({ label, text }: CopyProps): ComponentChild {
  const [state, setState] = useState<State>('ready');
  useEffect(() => {
    if (state === 'ready') return;
    const timer = setTimeout(() => setState('ready'), shownMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
      announce('Copied');
    } catch {
      // Whatever the browser has against it: people copy by hand then.
      setState('refused');
    }
  };
  return html`<button type="button" class=${state === 'ready' ? 'icon-button small' : 'button small'} title="Copy"
    aria-label=${state === 'ready' ? label : undefined} onClick=${() => void copy()}>
    ${state === 'ready' ? icon('copy', 16) : state === 'copied' ? html`${icon('check', 14)} Copied` : 'Not allowed'}
  </button>`;
}
