import { computed, signal } from '@preact/signals';

const system = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);
system.addEventListener('change', () => {
  systemIsDark.value = system.matches;
});

const chosen = signal(document.documentElement.dataset.theme);

export const darkNow = computed(() => (chosen.value === undefined ? systemIsDark.value : chosen.value === 'dark'));

/** What the system says is not kept, so that the page follows it again. */
export function toggleTheme(): void {
  const next = darkNow.value ? 'light' : 'dark';
  const asSystem = (next === 'dark') === systemIsDark.value;
  chosen.value = asSystem ? undefined : next;
  if (asSystem) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (asSystem) localStorage.removeItem('theme');
    else localStorage.setItem('theme', next);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}
