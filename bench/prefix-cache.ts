/** A provider's prompt cache as OpenAI describes it: exact prefixes, at least 1,024 tokens, in steps of 128. */
export interface PrefixCache {
  /** Takes a prompt; answers how many of its tokens were held. */
  take(key: string, prompt: readonly number[]): number;
}

const least = 1024;
const step = 128;
/** An older prompt shares no more with a new one than the latest do. */
const kept = 4;

export function createPrefixCache(): PrefixCache {
  const latest = new Map<string, (readonly number[])[]>();
  return {
    take(key, prompt) {
      const before = latest.get(key) ?? [];
      const shared = Math.max(0, ...before.map((one) => sharedLength(one, prompt)));
      latest.set(key, [prompt, ...before].slice(0, kept));
      return shared < least ? 0 : shared - (shared % step);
    },
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
