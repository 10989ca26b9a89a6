import { withOpenSpan } from '../conversation/conversations.ts';
import { withChange } from '../conversation/head.ts';
import { withHead } from '../conversation/journal.ts';
import { planLimits, smallestHigh } from '../conversation/limits.ts';
import { cleanText } from '../conversation/recording.ts';
import { systemText } from '../conversation/wire.ts';
import { BotError } from '../errors.ts';
import { type Context, privately, publicly, type Result } from './context.ts';

/** The channel's system role. */

export async function showRole({ profile }: Context): Promise<Result> {
  return privately(`The role here:\n> ${profile.role.replaceAll('\n', '\n> ')}`);
}

export async function setRole(context: Context): Promise<Result> {
  const { profile, deps, values } = context;
  const role = cleanText(String(values.text));
  if (role === '') throw new BotError('input', 'a role needs some words; `role clear` goes back to the usual one');
  const counter = await deps.memory.counterFor(profile.model);
  const tokens = await counter.count(systemText(role, false));
  if (planLimits(profile.memory, tokens).high < smallestHigh) {
    throw new BotError(
      'input',
      `this role is too long: with its ${tokens} tokens too little of the ${profile.memory.tokens} would remain for the conversation`,
    );
  }
  return await change(context, role, `${context.who} set the role: ${short(role)}`);
}

export async function clearRole(context: Context): Promise<Result> {
  const { role } = (await context.deps.memory.conversations.read(context.channel)).head;
  if (role === undefined) throw new BotError('input', `no role was set for ${context.here}; the usual one holds`);
  return await change(context, undefined, `${context.who} cleared the role; the usual one holds again.`);
}

async function change({ deps, channel, by, settle }: Context, role: string | undefined, line: string): Promise<Result> {
  const result = publicly(`🎭 ${line}`);
  await deps.memory.conversations.change(channel, (state) => {
    const opened = withOpenSpan(state);
    const { role: _, ...rest } = opened.state.head;
    const what = role === undefined ? 'cleared the role' : `set the role: ${short(role)}`;
    const head = withChange({ ...rest, ...(role !== undefined && { role }) }, { at: deps.now(), by, what });
    const step = withHead(opened.state, head);
    return {
      step: { ...step, records: [...opened.records, ...step.records] },
      also: [settle(result.notice)],
      value: undefined,
    };
  });
  return result;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 200 ? `${line.slice(0, 200).toWellFormed()}…` : line;
}
