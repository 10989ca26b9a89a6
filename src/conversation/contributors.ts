import { toLabels } from '../usage/labels.ts';
import type { Turn } from './turn.ts';

export interface Contributor {
  /** The author's id on the platform; absent for the bot. */
  id: string | undefined;
  /** As last shown; different from everybody else's. */
  name: string;
  turns: number;
  tokens: number;
}

/** Who said how much of these turns, most first: by who they are, however they were called. `self`: the bot's name. */
export function contributorsOf(turns: readonly Turn[], self: string): Contributor[] {
  const said = turns.filter((turn) => turn.erased === undefined);
  const groups = [...Map.groupBy(said, keyOf)];
  const labels = toLabels(groups.map(([key, of]) => ({ key, name: nameOf(of, self), hints: [] })));
  return groups
    .map(([key, of]) => ({
      id: of[0]?.role === 'assistant' ? undefined : of[0]?.author,
      name: labels.get(key) ?? key,
      turns: of.length,
      tokens: of.reduce((sum, turn) => sum + turn.tokens, 0),
    }))
    .sort((a, b) => b.turns - a.turns);
}

function keyOf(turn: Turn): string {
  return turn.role === 'assistant' ? 'bot' : `person ${turn.author ?? turn.name ?? ''}`;
}

function nameOf(turns: readonly Turn[], self: string): string {
  const last = turns.at(-1);
  return last?.role === 'assistant' ? self : (last?.name ?? 'you');
}
