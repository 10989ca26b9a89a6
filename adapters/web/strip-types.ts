import { stripTypeScriptTypes } from 'node:module';

/** The types become blanks: lines and columns stay what they are in the source. */
export function stripTypes(source: string): string {
  return quietly(() => stripTypeScriptTypes(source, { mode: 'strip' }));
}

/** Node says of this function, at its first use, that it may change; operators can do nothing with that. */
function quietly<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
