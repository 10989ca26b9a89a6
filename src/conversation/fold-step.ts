import { record } from '../storage/store.ts';
import type { Batch } from './fold-batch.ts';
import { type Fold, foldId, foldKind, toFoldRef } from './folds.ts';
import { type ChannelState, type Step, withHead } from './journal.ts';
import type { Turn } from './turn.ts';

/** A fold takes the place of what it covers. */

export function toFold(batch: Batch, written: Pick<Fold, 'text' | 'tokens' | 'at' | 'model'>): Fold {
  const { epoch, level, from, to } = batch;
  const covers =
    batch.of === 'turns'
      ? batch.tokens
      : batch.replaces.reduce((sum, ref) => sum + (ref.covers ?? ref.tokens), tokensOf(batch.between));
  return { epoch, level, from, to, ...written, covers };
}

export function withFold(state: ChannelState, batch: Batch, fold: Fold): Step {
  const id = foldId(state.channel, fold);
  const replaced = new Set(batch.of === 'folds' ? batch.replaces.map((ref) => ref.id) : []);
  const kept = state.head.folds.filter((ref) => !replaced.has(ref.id));
  const all = [...kept, toFoldRef(id, fold)].sort((a, b) => a.from - b.from);
  const step = withHead(state, { ...state.head, folds: all });
  return { state: withoutFolded(step.state, batch), records: [...step.records, record(foldKind, id, fold)] };
}

function withoutFolded(state: ChannelState, batch: Batch): ChannelState {
  return {
    ...state,
    tail: state.tail.filter((turn) => turn.seq < batch.from || turn.seq > batch.to),
    rawTokens: state.rawTokens - tokensOf(batch.of === 'turns' ? batch.turns : batch.between),
  };
}

function tokensOf(turns: readonly Turn[]): number {
  return turns.reduce((sum, turn) => sum + turn.tokens, 0);
}
