/** Loads one counter in a process of its own, counts once, and says what that took. */

async function countOnce(which: string | undefined): Promise<number> {
  if (which === 'own') {
    const { loadCounter } = await import('../src/conversation/tokens.ts');
    return await (await loadCounter('o200k_base')).count('How much is this?');
  }
  const { getEncoding } = await import('js-tiktoken');
  return getEncoding('o200k_base').encode('How much is this?', [], []).length;
}

globalThis.gc?.();
const before = process.memoryUsage.rss();
const begun = performance.now();
await countOnce(process.argv[2]);
const ms = performance.now() - begun;
globalThis.gc?.();
process.stdout.write(JSON.stringify({ ms, bytes: process.memoryUsage.rss() - before }));
