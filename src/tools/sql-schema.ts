/** The tables of a database, for the description of a tool: in full, shorter, or only in part. */

export interface Table {
  name: string;
  /** As it was made. */
  sql: string;
  columns: readonly string[];
}

const maxChars = 6000;

export function schemaText(tables: readonly Table[]): string {
  if (tables.length === 0) return '(it has no tables)';
  const full = tables.map((table) => table.sql.replace(/\s+/g, ' ').trim()).join(';\n');
  if (full.length <= maxChars) return full;
  const short = tables.map(({ name, columns }) => `${name}(${columns.join(', ')})`);
  const shown: string[] = [];
  let chars = 0;
  for (const line of short) {
    chars += line.length + 1;
    if (chars > maxChars) break;
    shown.push(line);
  }
  const left = tables.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more; SELECT name, sql FROM sqlite_schema tells them`] : [])].join(
    '\n',
  );
}
