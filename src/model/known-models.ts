/**
 * Context windows in tokens, as their makers gave them in November 2026. The longest name that a model's name begins
 * with counts; where sources disagree the smaller number stands. Not in the list: not known.
 */
const windows: readonly [prefix: string, tokens: number][] = [
  ['gpt-6', 1_050_000],
  ['gpt-5.6', 1_000_000],
  ['gpt-5.6-luna', 400_000],
  ['gpt-5.5', 1_000_000],
  ['gpt-5.4', 1_000_000],
  ['gpt-5.4-mini', 400_000],
  ['gpt-5.4-nano', 400_000],
  ['gpt-5', 400_000],
  ['gpt-5-chat', 128_000],
  ['gpt-5.1-chat', 128_000],
  ['gpt-5.2-chat', 128_000],
  ['gpt-5.3-chat', 128_000],
  ['gpt-4.1', 1_000_000],
  ['gpt-4o', 128_000],
  ['chatgpt-4o', 128_000],
  ['gpt-4-turbo', 128_000],
  ['gpt-4-1106', 128_000],
  ['gpt-4-0125', 128_000],
  ['gpt-4-vision', 128_000],
  ['gpt-4-32k', 32_768],
  ['gpt-4', 8192],
  ['gpt-3.5-turbo', 16_385],
  ['o1', 200_000],
  ['o1-mini', 128_000],
  ['o1-preview', 128_000],
  ['o3', 200_000],
  ['o4-mini', 200_000],
  ['gpt-oss', 131_072],
];

/**
 * From gpt-5.4 on OpenAI's models take tools in Chat Completions only where they are told not to think. Those that
 * cannot be told so take none there.
 */
export function thinksBesideTools(model: string): boolean {
  const [, major = '', minor = '0'] = /^gpt-(\d+)(?:\.(\d+))?(?![\d.])/.exec(plainName(model)) ?? [];
  return Number(major) > 5 || (major === '5' && Number(minor) >= 4);
}

/** Gateways put the maker's name before it. */
function plainName(model: string): string {
  return model.toLowerCase().replace(/^openai\//, '');
}

/** The model's window where it is known. */
export function knownContextTokens(model: string): number | undefined {
  const name = plainName(model);
  const fitting = windows.filter(([prefix]) => name === prefix || name.startsWith(prefix));
  return fitting.sort(([a], [b]) => b.length - a.length)[0]?.[1];
}
