/** Vectors in a quarter of their room, and what is near to what. */

/** Each number as one byte, times `scale`; of length one as a whole. */
export interface Quantised {
  bytes: Int8Array;
  scale: number;
}

const mostByte = 127;

export function quantised(vector: Float32Array): Quantised {
  let length = 0;
  let most = 0;
  for (const value of vector) {
    length += value * value;
    most = Math.max(most, Math.abs(value));
  }
  if (most === 0) return { bytes: new Int8Array(vector.length), scale: 0 };
  const bytes = Int8Array.from(vector, (value) => Math.round((value / most) * mostByte));
  return { bytes, scale: most / mostByte / Math.sqrt(length) };
}

/** The cosine of the angle between them, nearly. */
export function nearness(a: Quantised, b: Quantised): number {
  if (a.bytes.length !== b.bytes.length) return 0;
  let sum = 0;
  for (let n = 0; n < a.bytes.length; n++) sum += (a.bytes[n] ?? 0) * (b.bytes[n] ?? 0);
  return sum * a.scale * b.scale;
}

/** The usual constant: the first places of either list count, without any one deciding alone. */
const fusionRank = 60;

/** Reciprocal rank fusion: what stands high in either list stands high, whatever their scores mean. */
export function fused<T>(lists: readonly (readonly T[])[]): { item: T; score: number }[] {
  const scores = new Map<T, number>();
  for (const list of lists) {
    for (const [n, item] of list.entries()) scores.set(item, (scores.get(item) ?? 0) + 1 / (fusionRank + n + 1));
  }
  return [...scores].map(([item, score]) => ({ item, score })).sort((a, b) => b.score - a.score);
}
