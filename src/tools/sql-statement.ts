/** What a text of SQL is, as far as it must be known before SQLite sees it. SQLite itself decides the rest. */

const maxChars = 10_000;

/** Spaces and comments; an open comment at the end is one for SQLite, too. */
const blank = /(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*/y;

/** Why it is not even tried; nothing where it may be. */
export function statementProblem(sql: string): string | undefined {
  if (sql.length > maxChars) return `the query is too long: at most ${maxChars} characters`;
  // SQLite would stop reading there.
  if (sql.includes('\0')) return 'the query holds a character that does not belong into SQL';
  const start = skipBlank(sql, 0);
  const word = /[a-z]*/iy;
  word.lastIndex = start;
  const first = word.exec(sql)?.[0].toUpperCase() ?? '';
  if (['SELECT', 'WITH', 'VALUES', 'EXPLAIN'].includes(first)) return undefined;
  const what = first === '' ? 'there is no query' : `${first} is refused`;
  return `${what}; only reading is allowed, with one SELECT, WITH, VALUES or EXPLAIN`;
}

/** Whether anything but comments and semicolons follows the first statement. */
export function hasMore(sql: string, firstLength: number): boolean {
  let at = skipBlank(sql, firstLength);
  while (sql[at] === ';') at = skipBlank(sql, at + 1);
  return at < sql.length;
}

function skipBlank(sql: string, from: number): number {
  blank.lastIndex = from;
  return from + (blank.exec(sql)?.[0].length ?? 0);
}
