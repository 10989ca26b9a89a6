import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** What lies over the conversation takes the focus while it is there, and gives it back. */
export function useDrawerFocus<T extends HTMLElement>(where: string, open: boolean): RefObject<T | null> {
  const first = useRef<T>(null);
  useEffect(() => {
    if (!open || !matchMedia(where).matches) return;
    const before = document.activeElement;
    first.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open, where]);
  return first;
}
