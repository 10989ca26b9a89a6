import type { Alternative, Turn } from './turn.ts';

/** The answers to one question: the one that counts, and those that a retry or a choice put aside. */

export interface Version extends Alternative {
  /** It is the one that counts. */
  chosen: boolean;
}

export function toAlternative({ text, tokens, at, model, recalled, tools, partial }: Turn): Alternative {
  const rest = { ...(recalled && { recalled }), ...(tools && { tools }), ...(partial !== undefined && { partial }) };
  return { text, tokens, at, model: model ?? '', ...rest };
}

function asAlternative(version: Version): Alternative {
  const { chosen: _, ...alternative } = version;
  return alternative;
}

/** In the order they were given, whichever was chosen since. */
export function versionsOf(turn: Turn): Version[] {
  const others = (turn.alternatives ?? []).map((one) => ({ ...one, chosen: false }));
  return [...others, { ...toAlternative(turn), chosen: true }].sort((a, b) => a.at - b.at);
}

/** Puts one of its versions in the turn's place. */
export function withVersion(turn: Turn, version: Version): Turn {
  const { recalled: _, tools: __, partial: ___, ...rest } = turn;
  const others = versionsOf(turn).filter((one) => one.at !== version.at || one.text !== version.text);
  return { ...rest, ...asAlternative(version), rev: turn.rev + 1, alternatives: others.map(asAlternative) };
}
