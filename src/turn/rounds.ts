import { BotError } from '../errors.ts';
import type { Job } from '../inbox/inbox.ts';
import type { ToolChoice } from '../model/model.ts';
import { runCalls } from '../tools/run-calls.ts';
import { keepCost } from './keep.ts';
import { pour } from './pour.ts';
import { type Prepared, preparePrompt } from './prepare.ts';
import type { Question, SpeakDeps, Spell } from './speak.ts';
import { callIds, callsNote, fitResults, mendCalls } from './steps.ts';

/** Asks the model, runs what it calls, and asks again, until it answers or has called often enough. */

const mostRounds = 8;
/** With less room another round of calls would bring nothing that could be read. */
const smallestStepRoom = 150;

export async function answerInRounds(
  deps: SpeakDeps,
  job: Job,
  question: Question,
  spell: Spell,
  signal: AbortSignal,
): Promise<void> {
  const { steps, stream, tab } = spell;
  let isUnheard = false;
  for (;;) {
    const offering = await prepare(deps, job, question, spell, signal);
    const prepared = isUnheard ? withoutTools(offering) : offering;
    spell.prepared = prepared;
    if (steps.length > tab.rounds || isUnheard) await settle(deps, job, question, spell, prepared.promptTokens);
    const choice = choiceFor(question, prepared, steps.length);
    const poured = await pour(deps, job, { question, prepared, choice }, spell, signal);
    spell.cut = poured.cut;
    if (poured.calls.length === 0 || prepared.tools.length === 0) break;
    if (choice === 'none') {
      // Some servers pay no heed to that: what is not offered cannot be called.
      if (poured.text !== '') break;
      isUnheard = true;
      continue;
    }
    const calls = mendCalls(poured.calls, callIds(prepared.messages, steps));
    await job.reply.progress(callsNote(calls), 'tool');
    const { tools } = prepared;
    const { log, now, onToolFailed: onFailed } = deps;
    const isCut = poured.cut !== undefined;
    const run = { tools, channel: question.channel, signal, log, now, onFailed, cut: isCut };
    const results = await runCalls(calls, run);
    const counter = await deps.counterFor(question.profile.model);
    // Half of what is left, so that the next round has some, too.
    const room = Math.floor(prepared.stepRoom / 2);
    steps.push({ text: poured.text, calls, results: await fitResults(results, room, counter) });
  }
  if (stream.text().trim() === '') throw new BotError('model', 'the model answered nothing');
}

function withoutTools(prepared: Prepared): Prepared {
  return { ...prepared, tools: [], promptTokens: prepared.promptTokens - prepared.tokens.tools };
}

/** Forced once: then the model must be free to answer. */
function choiceFor({ profile }: Question, { tools, stepRoom }: Prepared, rounds: number): ToolChoice {
  const { toolChoice = 'auto' } = profile;
  if (toolChoice === 'none' || rounds >= mostRounds || stepRoom < smallestStepRoom) return 'none';
  if (toolChoice === 'auto' || rounds > 0) return 'auto';
  return tools.some(({ name }) => name === toolChoice.name) ? toolChoice : 'auto';
}

/** Folds first where the prompt would otherwise leave something out. */
async function prepare(
  deps: SpeakDeps,
  job: Job,
  question: Question,
  spell: Spell,
  signal: AbortSignal,
): Promise<Prepared> {
  const { channel, turn, images, profile, person, payer } = question;
  const along = spell.steps.length === 0 ? undefined : spell.prepared?.along;
  const asked = { channel, question: turn, images, profile, steps: spell.steps, along };
  const prepared = await preparePrompt(deps, asked);
  // In a later round what was in the way is what tools returned.
  if (!prepared.plan.leftOut || spell.steps.length > 0) return prepared;
  await job.reply.progress('folding older messages into the summary');
  const { limits } = prepared;
  const folding = deps.folding.run({ channel, person, payer, profile, limits, high: limits.low });
  // Whoever stops the answer does not wait for the fold, which goes on by itself.
  const folded = await Promise.race([folding, whenAborted(signal)]);
  return folded > 0 ? await preparePrompt(deps, asked) : prepared;
}

async function whenAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** What the rounds so far cost is kept before the next begins: the budgets are asked with what was really used. */
async function settle(
  deps: SpeakDeps,
  job: Job,
  { channel, person, payer, profile }: Question,
  { tab, steps }: Spell,
  promptTokens: number,
): Promise<void> {
  const { model, maxReplyTokens: completionTokens } = profile;
  const { reserved } = job.pending;
  const next = reserved && { ...reserved, person, payer, model, prompt: promptTokens, completion: completionTokens };
  await keepCost(deps, channel, { ...tab, entry: () => [job.update({ reserved: next })] });
  tab.charges.length = 0;
  tab.reservation = await deps.ledger.reserve({ channel, person, payer, model, promptTokens, completionTokens });
  tab.warning ??= tab.reservation.warning;
  tab.rounds = steps.length;
}
