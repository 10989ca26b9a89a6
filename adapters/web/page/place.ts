import { signal } from '@preact/signals';

/** Which conversation is open, as the address says: `#web/console/general`, a thread's id after it. */
export interface Place {
  channel: string | undefined;
  thread: string | undefined;
}

export const place = signal<Place>(toPlace(location.hash));

addEventListener('hashchange', () => {
  place.value = toPlace(location.hash);
});

export function addressOf(id: string): string {
  return `#${id}`;
}

export function go(id: string): void {
  location.hash = addressOf(id);
}

/** Ids are escaped already: up to three parts are a channel, a fourth is its thread. */
function toPlace(hash: string): Place {
  const parts = hash.slice(1).split('/');
  if (parts.length < 3) return { channel: undefined, thread: undefined };
  const channel = parts.slice(0, 3).join('/');
  return { channel, thread: parts.length > 3 ? parts.slice(0, 4).join('/') : undefined };
}
