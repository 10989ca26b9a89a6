/** Numbers and sentences as people read them. */

export function toCount(value: number): string {
  return value.toLocaleString('en');
}

export function toCompact(value: number): string {
  if (value < 10_000) return toCount(value);
  return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
}

export function toDollars(value: number): string {
  if (value === 0) return '$0';
  const digits = value < 0.01 ? 5 : value < 1 ? 4 : 2;
  return `$${value.toLocaleString('en', { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits })}`;
}

export function toBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function toShare(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${((100 * part) / whole).toFixed(2)}%`;
}

/** Turns are counted from nought where they are stored, from one where people read. */
export function toTurn(seq: number): string {
  return toCount(seq + 1);
}

export function toNoun(count: number, noun: string): string {
  return `${toCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function toSentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
