import { writeFileSync } from 'node:fs';
import { measureGrowth, measureLoading } from './counting.ts';
import { measureHistory } from './history.ts';
import { measureHostile } from './hostile.ts';
import { measurePlatforms } from './platform.ts';
import { measurePromptCache } from './prompt-cache.ts';
import { digits, isMet, type Row, toTable } from './row.ts';
import { measureStart } from './start.ts';

/** `npm run bench`: every bar beside its anchor, measured in this run. With names of bars, only those. */

const bars: Record<string, () => Promise<Row[]> | Row[]> = {
  B1: measureGrowth,
  B2: measureHostile,
  'B3 B4': measureHistory,
  'B5 B6 B7': measurePlatforms,
  B8: measureLoading,
  B9: measurePromptCache,
  'B10 B11': measureStart,
};

const chosen = process.argv.slice(2).map((name) => name.toUpperCase());
const rows: Row[] = [];
const begun = performance.now();
for (const [names, measure] of Object.entries(bars)) {
  if (chosen.length > 0 && !names.split(' ').some((name) => chosen.includes(name))) continue;
  const from = performance.now();
  rows.push(...(await measure()));
  process.stderr.write(`${names}: ${digits((performance.now() - from) / 1000)} s\n`);
}
rows.sort((a, b) => Number(a.bar.slice(1)) - Number(b.bar.slice(1)));
const seconds = Math.round((performance.now() - begun) / 1000);
process.stdout.write(`${toTable(rows)}\n`);
if (chosen.length === 0) {
  const kept = { node: process.version, seconds, rows: rows.map((row) => ({ ...row, met: isMet(row) ?? null })) };
  writeFileSync(new URL('./latest.json', import.meta.url), `${JSON.stringify(kept, null, 2)}\n`);
}
