import { setTimeout } from 'node:timers/promises';
import type { Folding } from '../conversation/folding.ts';
import type { Profile } from '../conversation/profile.ts';
import type { Turn } from '../conversation/turn.ts';
import { BotError, toBotError, userText } from '../errors.ts';
import type { Action, ChannelId, Notice } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import { cacheKey } from '../model/cache-key.ts';
import type { ModelRequest, Usage } from '../model/model.ts';
import type { StoredRecord } from '../storage/store.ts';
import type { Charge, Reservation } from '../usage/ledger.ts';
import { type Cost, type KeepDeps, keepAnswer, keepCost, keepFailure } from './keep.ts';
import { createOpening } from './opening.ts';
import { type PrepareDeps, type Prepared, preparePrompt } from './prepare.ts';
import type { Running, RunningAnswers } from './running.ts';
import { createStreamReply, type StreamReply } from './stream-reply.ts';

/** Answers a recorded question: prompt, model, stream, memory. */

export interface AnswerDeps extends PrepareDeps, KeepDeps {
  running: RunningAnswers;
  folding: Folding;
  log: Log;
  now(): number;
  onFirstToken(ms: number): void;
}

export interface Question {
  channel: ChannelId;
  turn: Turn;
  /** Who asked, for budgets and for the stop button. */
  person: string;
  images: readonly string[];
  profile: Profile;
  reservation: Reservation | undefined;
}

/** What came of it, for what happens afterwards. */
export interface Answered {
  outcome: 'answered' | 'partial' | 'stopped' | 'failed' | 'withdrawn';
  error: BotError | undefined;
  prepared: Prepared | undefined;
}

/** One attempt at an answer, from prompt to last token. */
interface Spell {
  stream: StreamReply;
  charges: Charge[];
  prepared: Prepared | undefined;
  model: string;
  /** Why it ended early. */
  error: BotError | undefined;
  cut: boolean;
}

function publicNotice(text: string, actions: Action[]): Notice {
  return { text, private: false, actions, files: [] };
}

const stopAction: Action = { label: 'Stop', command: 'stop' };
const retryAction: Action = { label: 'Retry', command: 'retry' };
const mostRestarts = 3;
const mostFinishes = 10;
const longestPauseMs = 60_000;
/** A prompt that was too much is made smaller once; a second time only where a model's window is far smaller than said. */
const mostShrinks = 2;

export async function answerQuestion(deps: AnswerDeps, job: Job, asked: Question): Promise<Answered> {
  const charges: Charge[] = interruptedBefore(job, deps.now());
  let question = asked;
  let running = deps.running.begin(question.channel, question.turn.id, question.person);
  try {
    for (let restarts = 0; ; restarts++) {
      const spell = await speak(deps, job, question, running, charges);
      if (job.signal.aborted) {
        await spell.stream.abandon();
        throw new BotError('stopped', 'I was restarted');
      }
      const again = running.verdict() === 'again' && restarts < mostRestarts;
      const answered = again ? undefined : await conclude(deps, job, question, running, spell);
      if (answered !== undefined) return answered;
      // Begun before the question is read again: no change of it goes unnoticed.
      running = deps.running.begin(question.channel, question.turn.id, question.person);
      await spell.stream.abandon();
      const now = await asItStands(deps, question);
      if (now === undefined) return await takeBack(deps, job, question, spell);
      question = now;
    }
  } finally {
    running.end();
  }
}

/** A call that a crash cut off was made and is charged, by what was reserved for it. */
function interruptedBefore(job: Job, now: number): Charge[] {
  const { reserved, attempts } = job.pending;
  if (reserved === undefined || attempts === 0) return [];
  const usage = estimate(reserved.prompt, reserved.completion);
  return [{ person: reserved.person, kind: 'answer', model: reserved.model, usage, at: now }];
}

function estimate(prompt: number, completion: number): Usage {
  return { prompt, cached: 0, completion, reasoning: 0, estimated: true };
}

async function asItStands(deps: AnswerDeps, question: Question): Promise<Question | undefined> {
  const { channel, turn } = question;
  const ref = await deps.conversations.journal.find(channel, turn.id);
  const page = ref === undefined ? [] : await deps.conversations.journal.page(channel, ref);
  const now = page.find((one) => one.seq === turn.seq);
  return now === undefined || now.erased !== undefined ? undefined : { ...question, turn: now };
}

async function speak(
  deps: AnswerDeps,
  job: Job,
  question: Question,
  running: Running,
  charges: Charge[],
): Promise<Spell> {
  const signal = AbortSignal.any([job.signal, running.signal]);
  const stream = createStreamReply(job.reply, {
    now: deps.now,
    actions: [stopAction],
    onPosted: (posts) => notePosted(deps, job, posts),
    onTrouble: (error) => deps.log.warn({ channel: question.channel, error }, 'an edit of the answer failed'),
  });
  const spell: Spell = {
    stream,
    charges,
    prepared: undefined,
    model: question.profile.model,
    error: undefined,
    cut: false,
  };
  for (let shrinks = 0; ; shrinks++) {
    try {
      await job.reply.progress('');
      spell.prepared = await prepare(deps, job, question);
      await pour(deps, job, question, spell, signal);
      return spell;
    } catch (error) {
      spell.error = toBotError(error);
      if (spell.error.kind === 'store') throw error;
      if (spell.error.kind !== 'overflow' || shrinks === mostShrinks || spell.prepared === undefined) return spell;
      deps.calibration.overflowed(question.profile.model, spell.prepared.promptTokens);
      deps.log.info({ channel: question.channel }, 'the prompt was more than the model can read; it is made smaller');
      spell.error = undefined;
    }
  }
}

async function notePosted(deps: AnswerDeps, job: Job, posts: string[]): Promise<void> {
  await deps.conversations.change(job.event.channel, () => ({
    also: [job.update({ posted: posts })],
    value: undefined,
  }));
}

/** Folds first where the prompt would otherwise leave something out. */
async function prepare(deps: AnswerDeps, job: Job, question: Question): Promise<Prepared> {
  const { channel, turn, images, profile, person } = question;
  const asked = { channel, question: turn, images, profile };
  const prepared = await preparePrompt(deps, asked);
  if (!prepared.plan.leftOut) return prepared;
  await job.reply.progress('folding older messages into the summary');
  const { limits } = prepared;
  const folded = await deps.folding.run({ channel, person, profile, limits, high: limits.low });
  return folded > 0 ? await preparePrompt(deps, asked) : prepared;
}

/** The model's stream into the reply, and what it cost into the charges, also when it breaks. */
async function pour(deps: AnswerDeps, job: Job, question: Question, spell: Spell, signal: AbortSignal): Promise<void> {
  const { prepared, stream, charges } = spell;
  if (prepared === undefined) return;
  const { channel, profile, person } = question;
  const request: ModelRequest = {
    purpose: 'answer',
    model: profile.model,
    messages: prepared.messages,
    maxTokens: profile.maxReplyTokens,
    settings: profile.request,
    cacheKey: cacheKey(channel, 'answer'),
    promptTokens: prepared.promptTokens,
  };
  const begun = deps.now();
  const opening = createOpening();
  const charge = (model: string, usage: Usage): number =>
    charges.push({ person, kind: 'answer', model, usage, at: deps.now() });
  try {
    for await (const event of deps.model.stream(request, signal)) {
      switch (event.type) {
        case 'text':
          if (stream.text() === '') deps.onFirstToken(deps.now() - begun);
          stream.push(opening.push(event.text));
          break;
        case 'waiting':
          await job.reply.progress(waitingNote(event.until - deps.now(), event.reason));
          break;
        case 'attempt':
          charge(event.model, event.usage);
          break;
        case 'tool-call':
          break;
        case 'end':
          charge(event.model, event.usage);
          spell.model = event.model;
          spell.cut = event.finish === 'length';
          if (!event.usage.estimated)
            await deps.calibration.learn(profile.model, prepared.promptTokens, event.usage.prompt);
          break;
      }
    }
  } finally {
    stream.push(opening.rest());
  }
  if (stream.text().trim() === '') throw new BotError('model', 'the model answered nothing');
}

function waitingNote(ms: number, reason: string): string {
  return `${reason}; waiting ${Math.max(1, Math.ceil(ms / 1000))} s`;
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
  const { stream, prepared } = spell;
  const verdict = running.verdict();
  if (verdict === 'withdraw') return await takeBack(deps, job, question, spell);
  const error = verdict === undefined ? spell.error : new BotError('stopped', running.reason());
  const text = stream.text();
  if (text.trim() === '')
    return await fail(deps, job, question, spell, error ?? new BotError('model', 'the model answered nothing'));
  const partial = partialReason(error, spell.cut);
  if (partial !== undefined) stream.push(partialMark(error, deps.now()));
  const posts = await finish(deps, job, stream);
  const spoken = { text, posts, model: spell.model, at: deps.now(), partial };
  const cost: Cost = { charges: spell.charges, reservation: question.reservation, entry: job.done };
  const kept = await keepAnswer(
    deps,
    channel,
    turn,
    spoken,
    cost,
    // A stop in the last moment comes too late to change anything.
    () => verdict !== 'drop' && (running.verdict() === verdict || running.verdict() === 'stop'),
  );
  if (kept) return { outcome: outcomeOf(verdict, partial), error: verdict === undefined ? error : undefined, prepared };
  // Its cost is kept; what was said is not, because what it stood on changed while it was being written.
  spell.charges.length = 0;
  if (verdict === 'drop' || running.verdict() === 'drop') return await keepNothing(deps, job, question, spell);
  return running.verdict() === 'again' ? undefined : await takeBack(deps, job, question, spell);
}

function outcomeOf(verdict: string | undefined, partial: string | undefined): Answered['outcome'] {
  if (partial === undefined) return 'answered';
  return verdict === undefined ? 'partial' : 'stopped';
}

function partialReason(ended: BotError | undefined, cut: boolean): string | undefined {
  if (ended !== undefined) return ended.kind === 'stopped' ? ended.message : 'the answer broke off';
  return cut ? 'it reached the reply limit' : undefined;
}

function partialMark(ended: BotError | undefined, now: number): string {
  return ended === undefined ? '\n\n✂️ Cut off at the reply limit (max_reply_tokens).' : `\n\n${userText(ended, now)}`;
}

/**
 * A platform that says when to come again is asked again then. Where it will not take the last of it, the memory still
 * keeps what was said.
 */
async function finish(deps: AnswerDeps, job: Job, stream: StreamReply): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await stream.finish([retryAction]);
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

async function fail(deps: AnswerDeps, job: Job, question: Question, spell: Spell, error: BotError): Promise<Answered> {
  const outcome = publicNotice(userText(error, deps.now()), [retryAction]);
  const entry = (): StoredRecord => job.update({ outcome });
  const cost: Cost = { charges: spell.charges, reservation: question.reservation, entry };
  await keepFailure(deps, question.channel, question.turn, error.message, cost);
  return { outcome: error.kind === 'stopped' ? 'stopped' : 'failed', error, prepared: spell.prepared };
}

async function takeBack(deps: AnswerDeps, job: Job, question: Question, spell: Spell): Promise<Answered> {
  await spell.stream.abandon();
  await job.reply.withdraw();
  return await keepNothing(deps, job, question, spell);
}

async function keepNothing(deps: AnswerDeps, job: Job, question: Question, spell: Spell): Promise<Answered> {
  const cost: Cost = { charges: spell.charges, reservation: question.reservation, entry: job.done };
  await keepCost(deps, question.channel, cost);
  return { outcome: 'withdrawn', error: undefined, prepared: spell.prepared };
}
