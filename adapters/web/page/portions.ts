/**
 * Work in portions: what does not fit into its share waits for the page to draw and to listen, so that a long
 * conversation never stops it.
 */

const shareMs = 25;
const waiting = new Set<() => void>();
let spentMs = 0;
let isPlanned = false;

/** Does it now where there is room, otherwise soon and in order; returns how to call it off, if it still waits. */
export function inPortions(work: () => void): (() => void) | undefined {
  if (waiting.size === 0 && spentMs < shareMs) {
    timed(work);
    return undefined;
  }
  waiting.add(work);
  plan();
  return () => waiting.delete(work);
}

function timed(work: () => void): void {
  const start = performance.now();
  try {
    work();
  } finally {
    spentMs += performance.now() - start;
    plan();
  }
}

function plan(): void {
  if (isPlanned) return;
  isPlanned = true;
  setTimeout(goOn);
}

function goOn(): void {
  isPlanned = false;
  spentMs = 0;
  for (const work of waiting) {
    if (spentMs >= shareMs) break;
    waiting.delete(work);
    timed(work);
  }
  if (waiting.size > 0) plan();
}
