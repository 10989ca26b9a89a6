import type { Turn } from './turn.ts';

/** Who said how much of these turns, most first. `self`: what the bot is called. */
export function contributorsOf(
  turns: readonly Turn[],
  self: string,
): { name: string; turns: number; tokens: number }[] {
  const counts = new Map<string, { turns: number; tokens: number }>();
  for (const turn of turns) {
    const who = turn.role === 'assistant' ? self : (turn.name ?? 'you');
    const before = counts.get(who) ?? { turns: 0, tokens: 0 };
    counts.set(who, { turns: before.turns + 1, tokens: before.tokens + turn.tokens });
  }
  return [...counts].map(([name, of]) => ({ name, ...of })).sort((a, b) => b.turns - a.turns);
}
