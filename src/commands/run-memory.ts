import { contributorsOf } from '../conversation/contributors.ts';
import { withReset, withUndo } from '../conversation/conversations.ts';
import { exportChannel, toMarkdown } from '../conversation/export.ts';
import type { ChannelState } from '../conversation/journal.ts';
import { lastRecalled } from '../conversation/last-recalled.ts';
import { changeText } from '../conversation/traces.ts';
import type { Turn } from '../conversation/turn.ts';
import { plainText } from '../conversation/wire.ts';
import { BotError } from '../errors.ts';
import type { Notice } from '../event.ts';
import type { ChatMessage } from '../model/model.ts';
import { prepareNextPrompt } from '../turn/next-prompt.ts';
import type { Prepared } from '../turn/prepare.ts';
import { linkOf, speakerOf } from '../turn/recalling.ts';
import { type Context, counted, privately, publicly, type Result } from './context.ts';

/** What is remembered: seen, put away, brought back, taken along. */

export async function reset(context: Context): Promise<Result> {
  const { deps, channel, who, here, changed, settle } = context;
  const text = `🧹 ${who} reset my memory of ${here}. The role stays; \`undo\` brings the memory back.`;
  const result = publicly(text, [{ label: 'Undo', command: 'undo' }]);
  await deps.memory.conversations.change(channel, (state) => ({
    step: withReset(state, changed('reset the memory')),
    also: [settle(result.notice)],
    taken: { why: 'reset', messageIds: [], by: who },
    value: undefined,
  }));
  return result;
}

export async function undo(context: Context): Promise<Result> {
  const { deps, channel, who, here, changed, settle } = context;
  const result = publicly(`↩️ ${who} brought back what the last reset had put away.`);
  await deps.memory.conversations.change(channel, (state) => {
    const records = withUndo(state, changed('undid the reset'));
    if (records === undefined) throw new BotError('input', `there is no reset of ${here} to undo`);
    return { also: [...records, settle(result.notice)], reload: 'reset', value: undefined };
  });
  return result;
}

export async function showMemory(context: Context): Promise<Result> {
  const { profile, deps } = context;
  const prepared = await nextPrompt(context);
  const { plan, limits, tokens, state } = prepared;
  const folded = await deps.memory.folds.texts(state.view.folds);
  const lines = [
    `**What I remember here** (of ${limits.total} tokens; model ${profile.model})`,
    bar('role', tokens.role, limits.total),
    ...(tokens.examples > 0 ? [bar('examples', tokens.examples, limits.total)] : []),
    ...(tokens.tools > 0 ? [bar('tools', tokens.tools, limits.total)] : []),
    ...(tokens.seed > 0 ? [bar('channel', tokens.seed, limits.total)] : []),
    bar('summaries', plan.tokens.folds, limits.total),
    bar('messages', plan.tokens.turns, limits.total),
    bar('next', plan.tokens.newest, limits.total),
    bar('room left', limits.total - plan.tokens.total, limits.total),
    memoryState(prepared),
    contributors(state),
    ...folded.map(
      (fold) =>
        `📄 Summary of messages ${fold.from + 1}–${fold.to + 1}${fold.level > 1 ? ` (level ${fold.level})` : ''}: ${clip(fold.text, 300)}`,
    ),
    ...(await recalledLines(context)),
    ...toolLines(state.tail),
    toolsLeftOut(prepared),
    ...(await changes(context, state)),
    ...(await budgetLines(context)),
  ];
  if (state.head.away.length > 0)
    lines.push(
      `🧹 ${counted(state.head.away.length, 'earlier memory was', 'earlier memories were')} put away by a reset; \`undo\` brings the last one back.`,
    );
  return privately(lines.filter((line) => line !== '').join('\n'), {
    // Without the question that is still to come.
    ...(context.prints && { transcript: toPrinted(prepared.messages.slice(0, -1)) }),
  });
}

/** Where the last answer has it from, with the way there. */
async function recalledLines({ deps, channel }: Context): Promise<string[]> {
  const found = await lastRecalled(deps.memory.conversations, channel);
  const lines = found.slice(0, recalledShown).map(({ channel: where, turn, cited }) => {
    const link = linkOf(turn, where, deps.link);
    const day = new Date(turn.at).toISOString().slice(0, 10);
    return `🔎 ${cited ? 'cited' : 'found'}: ${speakerOf(turn)}, ${link === undefined ? day : `[${day}](${link})`}: ${clip(plainText(turn), 100).replaceAll('`', "'")}`;
  });
  const rest = found.length - recalledShown;
  const heading = `For the last answer ${counted(found.length, 'older message was', 'older messages were')} found again:`;
  return found.length === 0 ? [] : [heading, ...lines, ...(rest > 0 ? [`and ${rest} more`] : [])];
}

const recalledShown = 8;

async function nextPrompt({ deps, channel, profile, direct, author }: Context): Promise<Prepared> {
  const { people } = (await deps.memory.conversations.read(channel)).head;
  const name = direct ? undefined : (people[author.id]?.shown ?? 'you');
  return await prepareNextPrompt({ ...deps.memory, model: deps.model }, channel, { profile, name, at: deps.now() });
}

function bar(name: string, tokens: number, total: number): string {
  const width = 20;
  const filled = Math.min(width, Math.max(0, Math.round((tokens / total) * width)));
  return `\`${name.padEnd(10)} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${String(tokens).padStart(6)}\``;
}

function memoryState({ plan, limits, state }: Prepared): string {
  const words = `${counted(state.tail.length, 'message')} word for word, ${summaries(state.view.folds.length)}.`;
  if (plan.leftOut) return `${words} Not everything fits: the oldest messages are left out until they are folded.`;
  const near = limits.high * 0.85;
  return state.rawTokens > near
    ? `${words} The memory is nearly full: the oldest messages will be folded soon.`
    : words;
}

function contributors({ tail }: ChannelState): string {
  const counts = contributorsOf(tail, 'me');
  const shown = counts.slice(0, 12).map(({ name, turns }) => `${name} (${turns})`);
  if (counts.length > 12) shown.push(`${counts.length - 12} others`);
  return shown.length === 0 ? 'Nothing was said yet.' : `Who spoke: ${shown.join(', ')}.`;
}

const stepsShown = 5;

/** What was called lately, and what came of it. */
function toolLines(turns: readonly Turn[]): string[] {
  const calls = turns.flatMap((turn) => turn.tools ?? []).flatMap((step) => step.calls.map((call) => ({ step, call })));
  return calls.slice(-stepsShown).map(({ step, call }) => {
    const result = step.results.find((one) => one.id === call.id)?.content ?? '';
    return `🔧 ${call.name}(${clip(call.arguments, 80)}) → ${clip(result, 120)}`;
  });
}

function toolsLeftOut({ toolsLeftOut: names }: Prepared): string {
  if (names.length === 0) return '';
  const shown = clip(names.join(', '), 200);
  return `⚠️ ${counted(names.length, 'tool')} would take too much of the prompt and cannot be called: ${shown}. \`settings set tools\` chooses.`;
}

/** Of the channel and, because they hold here too, of its workspace. */
async function changes({ deps, channel, by, direct }: Context, { head }: ChannelState): Promise<string[]> {
  const all = [...head.changes, ...(await deps.memory.workspaces.changes(channel))].sort((a, b) => a.at - b.at);
  return all.slice(-5).map((change) => {
    const when = new Date(change.at).toISOString().slice(0, 16).replace('T', ' ');
    return `✏️ ${when} UTC: ${direct && change.by === by ? 'you' : change.by} ${clip(changeText(change), 120)}`;
  });
}

function summaries(count: number): string {
  return counted(count, 'summary', 'summaries');
}

async function budgetLines({ deps, channel, author }: Context): Promise<string[]> {
  const budgets = await deps.ledger.remaining({ channel, person: author.id, payer: author.payer });
  return budgets.length === 0 ? [] : [`Budgets: see \`usage\`.`];
}

function clip(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length).toWellFormed()}…` : line;
}

/** Messages as a conversation that is printed role by role. */
function toPrinted(messages: readonly ChatMessage[]): NonNullable<Notice['transcript']> {
  return messages.map((message) => {
    const { role } = message;
    const said = typeof message.content === 'string' ? message.content : '';
    const calls = role === 'assistant' ? (message.toolCalls ?? []).map((one) => `${one.name}(${one.arguments})`) : [];
    return { role, text: [said, ...calls].filter((part) => part !== '').join('\n') };
  });
}

export async function showPrompt(context: Context): Promise<Result> {
  const { messages, tools, promptTokens } = await nextPrompt(context);
  const specs = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  const toFile = (name: string, value: unknown) => ({
    name,
    mime: 'application/json',
    content: JSON.stringify(value, null, 2),
  });
  const heading = `The next prompt here: ${counted(messages.length, 'message')}, ${counted(promptTokens, 'token')} by my count. “…” stands for the next question.`;
  if (context.prints) {
    const names = tools.map(({ name }) => name).join(', ');
    return privately(names === '' ? heading : `${heading}\nTools: ${names}.`, { transcript: toPrinted(messages) });
  }
  return privately(heading, {
    files: [toFile('prompt.json', messages), ...(specs.length > 0 ? [toFile('tools.json', specs)] : [])],
  });
}

export async function exportMemory({ deps, channel }: Context): Promise<Result> {
  const whole = await exportChannel(deps.memory, channel, deps.now());
  const turns = whole.turns.filter((turn) => turn.erased === undefined);
  return privately(`Everything recorded here: ${counted(turns.length, 'message')}, ${summaries(whole.folds.length)}.`, {
    files: [
      { name: 'memory.json', mime: 'application/json', content: JSON.stringify(whole, null, 2) },
      { name: 'memory.md', mime: 'text/markdown', content: toMarkdown(whole) },
    ],
  });
}

/** The turns are in the journal: dropping the summaries is enough to have them written anew. */
export async function rewriteMemory({ deps, channel, here, changed, settle }: Context): Promise<Result> {
  const state = await deps.memory.conversations.read(channel);
  if (state.view.folds.length === 0)
    throw new BotError('input', 'nothing is folded here yet, so there is no summary to write anew');
  const result = privately(
    `I am writing ${summaries(state.view.folds.length)} of ${here} anew, from the messages themselves.`,
  );
  await deps.memory.amending.dropFolds(channel, changed('had the summaries written anew'), [settle(result.notice)]);
  return result;
}
