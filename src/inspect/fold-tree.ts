import type { StoredFold } from '../conversation/folds.ts';
import type { FoldRef } from '../conversation/head.ts';

/** The folds as the tree they are: each with those below it that it was made from. */
export interface FoldNode {
  id: string;
  level: number;
  from: number;
  to: number;
  tokens: number;
  covers: number | undefined;
  text: string;
  at: number;
  model: string;
  below: FoldNode[];
}

/** `inUse` are the roots; what hangs below one lies within it and is of a lower level. */
export function toFoldTree(stored: readonly StoredFold[], inUse: readonly FoldRef[]): FoldNode[] {
  const nodes = new Map(stored.map((one) => [one.ref.id, toNode(one)]));
  const roots = new Set(inUse.map((ref) => ref.id));
  const above = [...stored].sort((a, b) => a.fold.level - b.fold.level || a.ref.from - b.ref.from);
  for (const { ref } of above) {
    if (roots.has(ref.id)) continue;
    const parent = above.find((one) => one.ref.level > ref.level && isWithin(ref, one.ref) && isReached(one.ref));
    const node = nodes.get(ref.id);
    if (parent !== undefined && node !== undefined) nodes.get(parent.ref.id)?.below.push(node);
  }
  return inUse.flatMap((ref) => nodes.get(ref.id) ?? []);

  /** Of two that cover the same, one may be left over from before a deletion: it hangs below nothing in use. */
  function isReached(ref: FoldRef): boolean {
    return inUse.some((root) => root.id === ref.id || (root.level > ref.level && isWithin(ref, root)));
  }
}

function isWithin(inner: FoldRef, outer: FoldRef): boolean {
  return inner.epoch === outer.epoch && outer.from <= inner.from && inner.to <= outer.to;
}

function toNode({ ref, fold }: StoredFold): FoldNode {
  const { level, from, to, tokens, covers, text, at, model } = fold;
  return { id: ref.id, level, from, to, tokens, covers, text, at, model, below: [] };
}
