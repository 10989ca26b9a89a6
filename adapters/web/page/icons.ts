import type { ComponentChild } from 'preact';
import { html } from './html.ts';

/** Drawn on 20 by 20, in the colour of the text around them. */
const paths = {
  channel: 'M7.5 3 6 17M14 3l-1.500 14M3.500 7.500h14M2.500 12.500h14',
  lock: 'M4.500 9h11v8h-11ZM7 9V6.500a3 3 0 0 1 6 0V9',
  thread: 'M4 3v8a4 4 0 0 0 4 4h8m0 0-3.500-3.500M16 15l-3.500 3.500',
  plus: 'M10 4v12M4 10h12',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  close: 'm5 5 10 10M15 5 5 15',
  pencil: 'M12.500 4.500 15.500 7.500 7 16l-4 1 1-4 8.500-8.500Z',
  trash: 'M3.500 5.500h13M8 5.500V3.500h4v2m-6.500 0 .7 11h7.600l.7-11M8.500 8.500v5m3-5v5',
  slash: 'M13 3.5 7 16.500M3 3',
  send: 'M10 16.500V3.500m0 0L4.500 9M10 3.500 15.500 9',
  stop: 'M6 6h8v8H6Z',
  clip: 'm15.500 9.500-6 6a3.500 3.500 0 0 1-5-5l6.500-6.500a2.400 2.400 0 0 1 3.400 3.400L8 13.800a1.200 1.200 0 0 1-1.700-1.700l5.700-5.700',
  check: 'm4 10.500 4 4 8-9',
  copy: 'M7.500 7.500h9v9h-9ZM12.500 7.500v-4h-9v9h4',
  memory: 'M3 5.500 10 2l7 3.500L10 9 3 5.500Zm0 4.500 7 3.500 7-3.500M3 14.500 10 18l7-3.500',
  chart: 'M3.500 3v13.500H17M7 13V9.500m4 3.500V6m4 7V8.500',
  sun: 'M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7ZM10 2v1.500m0 13V18M2 10h1.500m13 0H18M4.300 4.300l1 1m9.400 9.400 1 1m0-11.400-1 1m-9.400 9.400-1 1',
  moon: 'M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500Z',
  file: 'M5 2.500h6.500L15 6v11.500H5ZM11 2.500V6.500h4',
  chevron: 'm7.500 5 5 5-5 5',
  down: 'M10 3.500v13m0 0L4.500 11m5.500 5.500 5.500-5.500',
  undo: 'M4 8h8.500a4 4 0 0 1 0 8H8M4 8l3.500-3.500M4 8l3.500 3.500',
  broom: 'M16.500 3.500 11 9M8 8l4 4-4.500 5h-5c2-1 3-2.500 3-4.500L8 8Zm-1 4 1.500 1.500',
  leave: 'M8 3.500H4v13h4M8 10h9m0 0-3.500-3.500M17 10l-3.500 3.500',
  eye: 'M2 10s3-5.500 8-5.500S18 10 18 10s-3 5.500-8 5.500S2 10 2 10Zm8-2.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  download: 'M10 3v9.500m0 0L6 8.500m4 4 4-4M3.500 16.500h13',
} as const;

export type IconName = keyof typeof paths;

export function icon(name: IconName, size = 18): ComponentChild {
  return html`<svg width=${size} height=${size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${paths[name]} /></svg>`;
}

/** Sheets, folded: the mark of the program. */
export function mark(size = 24): ComponentChild {
  return html`<svg width=${size} height=${size} viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
    <path d="M12 2 22 7 12 12 2 7Z" />
    <path d="m2 11.200 10 5 10-5v2.200l-10 5-10-5Z" opacity=".7" />
    <path d="m2 16 10 5 10-5v1.600l-10 5-10-5Z" opacity=".4" />
  </svg>`;
}
