import { signal } from '@preact/signals';

/** Whether this browser is here for the first time: for as long as its tab is open, and never again. */
const isFirst = signal<boolean | undefined>(undefined);

export function isFirstVisit(): boolean {
  isFirst.value ??= readFirst();
  return isFirst.value;
}

export function endFirstVisit(): void {
  isFirst.value = false;
  try {
    sessionStorage.setItem('first-visit', 'over');
  } catch {
    // A browser that keeps nothing has said so before: see below.
  }
}

function readFirst(): boolean {
  try {
    const now = sessionStorage.getItem('first-visit');
    if (now !== null) return now === 'now';
    if (localStorage.getItem('visited') !== null) return false;
    localStorage.setItem('visited', 'yes');
    sessionStorage.setItem('first-visit', 'now');
    return true;
  } catch {
    // Where nothing can be remembered every visit would be the first.
    return false;
  }
}
