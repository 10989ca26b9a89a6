/** Which answer each message under way belongs to: no other answer may take it for its own when it looks for one. */
export interface Claims {
  add(ts: string, answer: string): void;
  isOthers(ts: string, answer: string): boolean;
  release(ts: string): void;
}

/** An answer that never comes to its end keeps its claims; they go with the oldest. */
const maxClaims = 5000;

export function createClaims(): Claims {
  const owners = new Map<string, string>();
  return {
    add(ts, answer) {
      owners.delete(ts);
      owners.set(ts, answer);
      const [oldest] = owners.keys();
      if (owners.size > maxClaims && oldest !== undefined) owners.delete(oldest);
    },
    isOthers(ts, answer) {
      const owner = owners.get(ts);
      return owner !== undefined && owner !== answer;
    },
    release: (ts) => void owners.delete(ts),
  };
}
