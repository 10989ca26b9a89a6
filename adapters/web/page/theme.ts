// Before the first paint, so that a chosen theme does not flash. Loaded as a plain script: nothing is imported here.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing follows the system.
}
