import { commands } from './commands/list.ts';
import { restrictionProblems } from './commands/policy.ts';
import type { Config } from './config.ts';
import { hasRoom, leastHigh } from './conversation/limits.ts';
import type { Profile } from './conversation/profile.ts';
import { standingTokens, toolShare, toStanding } from './conversation/standing.ts';
import { encodingForModel, loadCounter, upperBound } from './conversation/tokens.ts';
import { systemText } from './conversation/wire.ts';
import { BotError } from './errors.ts';
import type { Tools } from './tools/open-tools.ts';

/** What each value alone does not show to be wrong: told at the start, not in a channel. */

/** A budget in which nothing could be remembered, or which the model cannot read, is refused before anything starts. */
export async function checkBudget(
  defaults: Profile,
  contextTokens: number | undefined,
  count: (text: string, model: string) => Promise<number>,
): Promise<void> {
  const { tokens } = defaults.memory;
  if (contextTokens !== undefined && tokens + defaults.maxReplyTokens > contextTokens) {
    throw new BotError(
      'config',
      `MEMORY_TOKENS: with MAX_REPLY_TOKENS it is more than the ${contextTokens} tokens ${defaults.model} can read`,
    );
  }
  const text = systemText(defaults.role, false);
  const fits = (roleTokens: number): boolean => hasRoom(defaults.memory, roleTokens);
  // Loading the counter takes a while: it is not needed where even the upper bound fits.
  if (fits(upperBound(text)) || fits(await count(text, defaults.model))) return;
  throw new BotError(
    'config',
    `MEMORY_TOKENS, SYSTEM_ROLE: the role and the summaries leave fewer than ${leastHigh(defaults.memory)} of the ${tokens} tokens for the conversation; raise MEMORY_TOKENS or shorten SYSTEM_ROLE`,
  );
}

/** What describes tools stands in every prompt, too. */
export async function checkTools(defaults: Profile, tools: Tools): Promise<void> {
  const { model, role, memory } = defaults;
  const fits = (fixedTokens: number): boolean => hasRoom(memory, fixedTokens);
  if (fits(upperBound(systemText(role, false, true)) + memory.tokens * toolShare)) return;
  const counter = await loadCounter(encodingForModel(model));
  if (fits(standingTokens(await toStanding(defaults, tools.always, false, counter)))) return;
  await tools.close();
  throw new BotError(
    'config',
    `MEMORY_TOKENS, TOOLS: the tools' descriptions leave fewer than ${leastHigh(memory)} of the ${memory.tokens} tokens for the conversation; raise MEMORY_TOKENS or offer fewer tools`,
  );
}

export function checkRestrictions(config: Config): void {
  const [problem] = restrictionProblems(commands, config.policy.restrictedCommands);
  if (problem !== undefined) throw new BotError('config', problem);
}
