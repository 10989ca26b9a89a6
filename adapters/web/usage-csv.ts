import type { UsageRowView } from './views.ts';

/** The names of people and channels come from outside: no cell is a formula to whoever opens this as a table. */
export function toCsv(rows: readonly UsageRowView[]): string {
  const head = columns.map(([name]) => name);
  const lines = rows.map((row) => columns.map(([, read]) => read(row)));
  return `${[head, ...lines].map((cells) => cells.map(toCell).join(',')).join('\r\n')}\r\n`;
}

const columns: readonly (readonly [string, (row: UsageRowView) => string | number | undefined])[] = [
  ['day', (row) => row.day],
  ['workspace', (row) => row.workspace],
  ['channel', (row) => row.channelName],
  ['channel_id', (row) => row.channel],
  ['person', (row) => row.personName],
  ['person_id', (row) => row.personKey],
  ['model', (row) => row.model],
  ['kind', (row) => row.kind],
  ['calls', (row) => row.calls],
  ['prompt_tokens', (row) => row.prompt],
  ['cached_tokens', (row) => row.cached],
  ['completion_tokens', (row) => row.completion],
  ['cost_usd', (row) => row.cost],
  ['estimated_calls', (row) => row.estimatedCalls],
];

function toCell(value: string | number | undefined): string {
  if (typeof value === 'number') return plainNumber(value);
  const text = /^[=+\-@\t\r]/.test(value ?? '') ? `'${value}` : (value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Without an exponent: a fraction of a cent is 0.0000012. */
function plainNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(9).replace(/\.0+$|(?<![.0])0+$/, '');
}
