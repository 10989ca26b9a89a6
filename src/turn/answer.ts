import { setTimeout } from 'node:timers/promises';
import type { Memory } from '../conversation/memory.ts';
import { BotError, toBotError, userText } from '../errors.ts';
import type { Action, Event, Notice } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { StoredRecord } from '../storage/store.ts';
import { answerActions } from './answer-actions.ts';
import { type Cost, type KeepDeps, keepAnswer, keepCost, keepFailure, type Tab, wasAnswered } from './keep.ts';
import { toRefs } from './recalling.ts';
import type { Running, RunningAnswers } from './running.ts';
import { type CutBy, type Question, type SpeakDeps, type Spell, speak } from './speak.ts';
import type { StreamReply } from './stream-reply.ts';

/** Answers a recorded question, and sees to what becomes of the answer when the ground under it moves. */

export type AnswerDeps = SpeakDeps & KeepDeps & { running: RunningAnswers; reserve: Memory['reserve'] };

/** What came of it, for what happens afterwards. */
export interface Answered {
  outcome: 'answered' | 'partial' | 'stopped' | 'failed' | 'withdrawn';
  error: BotError | undefined;
  /** That a budget is nearly used up. */
  warning?: string | undefined;
  /** Why the model that settings name did not answer, and a fallback did. */
  passedOver?: BotError | undefined;
}

function publicNotice(text: string, actions: Action[]): Notice {
  return { text, private: false, actions, files: [] };
}

const mostRestarts = 3;
const mostFinishes = 10;
const longestPauseMs = 60_000;

export async function answerQuestion(deps: AnswerDeps, job: Job, asked: Question): Promise<Answered> {
  const { reservation } = asked;
  const seen = { isShown: false, passedOver: undefined };
  const tab: Tab = { charges: [], reservation, rounds: 0, warning: reservation?.warning, ...seen };
  const answered = await answerAsItStands(deps, job, asked, tab);
  return { ...answered, warning: tab.warning, passedOver: tab.passedOver };
}

async function answerAsItStands(deps: AnswerDeps, job: Job, asked: Question, tab: Tab): Promise<Answered> {
  let question = asked;
  let running = deps.running.begin(question.channel, question.turn.id, question.person);
  try {
    for (let restarts = 0; ; restarts++) {
      const spell = await speak(deps, job, question, running, tab);
      if (job.signal.aborted) {
        await spell.stream.abandon();
        throw new BotError('stopped', 'I was restarted');
      }
      const again = running.verdict() === 'again';
      const answered = again ? undefined : await conclude(deps, job, question, running, spell);
      if (answered !== undefined) return answered;
      // Begun before the question is read again: no change of it goes unnoticed.
      running = deps.running.begin(question.channel, question.turn.id, question.person);
      await spell.stream.abandon();
      if (restarts === mostRestarts) return await giveUp(deps, job, question, spell);
      const now = await asItStands(deps, question);
      if (now === undefined) return await takeBack(deps, job, question, spell);
      question = await renewed(deps, now, tab);
    }
  } catch (error) {
    const refused = onlyForbidden(error);
    await job.reply.withdraw();
    return await fail(deps, job, question, { tab }, refused);
  } finally {
    running.end();
    tab.reservation?.release();
  }
}

/** Another call is another cost: what the last one took is billed, and the budgets are asked again. */
async function renewed(deps: AnswerDeps, question: Question, tab: Tab): Promise<Question> {
  const { profile, turn } = question;
  await keepCost(deps, question.channel, { ...tab, entry: undefined });
  tab.charges.length = 0;
  tab.reservation = await deps.reserve(question, profile, turn);
  tab.warning ??= tab.reservation.warning;
  tab.rounds = 0;
  return question;
}

function onlyForbidden(error: unknown): BotError {
  if (error instanceof BotError && error.kind === 'forbidden') return error;
  throw error;
}

/** Whoever keeps changing the question would have it answered for ever. */
async function giveUp(deps: AnswerDeps, job: Job, question: Question, spell: Spell): Promise<Answered> {
  await job.reply.withdraw();
  const error = new BotError(
    'input',
    'the conversation kept changing while I was answering; use retry when it is quiet',
  );
  return await fail(deps, job, question, spell, error);
}

/** Nothing where it was taken back, or put away by a reset. */
async function asItStands(deps: AnswerDeps, question: Question): Promise<Question | undefined> {
  const { channel, turn } = question;
  const { journal } = deps.conversations;
  const { view } = await deps.conversations.read(channel);
  const ref = await journal.find(channel, turn.id);
  if (ref === undefined || !view.spans.some((span) => span.epoch === ref.epoch)) return undefined;
  const now = (await journal.page(channel, ref)).find((one) => one.seq === turn.seq);
  return now === undefined || now.erased !== undefined ? undefined : { ...question, turn: now };
}

/** The end of an answer: whole, cut off, stopped, or none. Nothing where it has to be written anew. */
async function conclude(
  deps: AnswerDeps,
  job: Job,
  question: Question,
  running: Running,
  spell: Spell,
): Promise<Answered | undefined> {
  const { channel, turn } = question;
  const { stream } = spell;
  const verdict = running.verdict();
  if (verdict === 'withdraw') return await takeBack(deps, job, question, spell);
  const error = verdict === undefined ? spell.error : new BotError('stopped', running.reason());
  const text = stream.text();
  if (text.trim() === '')
    return await fail(deps, job, question, spell, error ?? new BotError('model', 'the model answered nothing'));
  const partial = partialReason(error, spell.cut);
  if (partial !== undefined) stream.push(partialMark(error, spell.cut, deps.now()));
  const actions = answerActions(await wasAnswered(deps, channel, turn));
  const posts = await finish(deps, job, stream, actions);
  const recalled = toRefs(spell.prepared?.along.recalled ?? [], channel, spell.cited);
  const { model, steps } = spell;
  const spoken = { text, posts, replyTo: repliedTo(job.event), model, at: deps.now(), partial, steps, recalled };
  const cost: Cost = { ...spell.tab, entry: job.done };
  const kept = await keepAnswer(
    deps,
    channel,
    turn,
    spoken,
    cost,
    // A stop in the last moment comes too late to change anything.
    () => verdict !== 'drop' && (running.verdict() === verdict || running.verdict() === 'stop'),
  );
  if (kept) return { outcome: outcomeOf(verdict, partial), error: verdict === undefined ? error : undefined };
  // Its cost is kept; what was said is not, because what it stood on changed while it was being written.
  spell.tab.charges.length = 0;
  if (verdict === 'drop' || running.verdict() === 'drop') return await keepNothing(deps, job, question, spell);
  // Gone or changed: whoever reads the question again finds out which.
  return running.verdict() === 'withdraw' ? await takeBack(deps, job, question, spell) : undefined;
}

/** Of a retry: what its button stands under; one that was typed as a command replies to nothing. */
function repliedTo(event: Event): string | undefined {
  if (event.kind === 'message') return event.messageId;
  return event.kind === 'command' ? event.target : undefined;
}

function outcomeOf(verdict: string | undefined, partial: string | undefined): Answered['outcome'] {
  if (partial === undefined) return 'answered';
  return verdict === undefined ? 'partial' : 'stopped';
}

function partialReason(ended: BotError | undefined, cut: CutBy | undefined): string | undefined {
  if (ended !== undefined) return ended.kind === 'stopped' ? ended.message : 'the answer broke off';
  return cut === undefined ? undefined : cutReasons[cut];
}

const cutReasons: Record<CutBy, string> = {
  length: 'cut off at the reply limit',
  content_filter: 'cut off by the provider’s content filter',
};

function partialMark(ended: BotError | undefined, cut: CutBy | undefined, now: number): string {
  if (ended !== undefined) return `\n\n${userText(ended, now)}`;
  return cut === 'content_filter'
    ? '\n\n✂️ Cut off by the provider’s content filter.'
    : '\n\n✂️ Cut off at the reply limit (max_reply_tokens).';
}

/**
 * A platform that says when to come again is asked again then. Where it will not take the last of it, the memory still
 * keeps what was said.
 */
async function finish(deps: AnswerDeps, job: Job, stream: StreamReply, actions: Action[]): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await stream.finish(actions);
    } catch (error) {
      const { retryAt } = toBotError(error);
      const fields = { channel: job.event.channel, event: job.event.id, error };
      deps.log.warn(fields, 'the end of an answer could not be shown');
      if (retryAt === undefined || tries >= mostFinishes || job.signal.aborted) return job.pending.posted;
      await pause(Math.min(longestPauseMs, retryAt - deps.now()), job.signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The end of the program ends the pause as well.
  await setTimeout(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

async function fail(
  deps: AnswerDeps,
  job: Job,
  question: Question,
  { tab }: Pick<Spell, 'tab'>,
  error: BotError,
): Promise<Answered> {
  const outcome = publicNotice(userText(error, deps.now()), answerActions(false));
  const entry = (): StoredRecord[] => [job.update({ outcome })];
  const cost: Cost = { ...tab, entry };
  await keepFailure(deps, question.channel, question.turn, error.message, cost);
  return { outcome: error.kind === 'stopped' ? 'stopped' : 'failed', error };
}

async function takeBack(deps: AnswerDeps, job: Job, question: Question, spell: Spell): Promise<Answered> {
  await spell.stream.abandon();
  await job.reply.withdraw();
  return await keepNothing(deps, job, question, spell);
}

async function keepNothing(deps: AnswerDeps, job: Job, question: Question, spell: Spell): Promise<Answered> {
  const cost: Cost = { ...spell.tab, entry: job.done };
  await keepCost(deps, question.channel, cost);
  return { outcome: 'withdrawn', error: undefined };
}
