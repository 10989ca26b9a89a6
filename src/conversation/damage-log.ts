import type { Log } from '../log.ts';

/** Says once of each record that it is lost or damaged: it stays so, and every reading would say it again. */
export type NoteDamage = (record: string, error: unknown) => void;

const mostNamed = 1000;

export function createDamageLog(log: Pick<Log, 'error'>): NoteDamage {
  const named = new Set<string>();
  return (record, error) => {
    if (named.has(record)) return;
    if (named.size >= mostNamed) named.clear();
    named.add(record);
    log.error({ record, error }, 'a part of the memory cannot be read');
  };
}
