import type { Folding } from '../conversation/folding.ts';
import type { Profile } from '../conversation/profile.ts';
import type { Turn } from '../conversation/turn.ts';
import { BotError, toBotError } from '../errors.ts';
import type { Action, ChannelId } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import { cacheKey } from '../model/cache-key.ts';
import type { ModelRequest, Usage } from '../model/model.ts';
import type { Charge, Reservation } from '../usage/ledger.ts';
import { createOpening } from './opening.ts';
import { type PrepareDeps, type Prepared, preparePrompt } from './prepare.ts';
import type { Running } from './running.ts';
import { createStreamReply, type StreamReply } from './stream-reply.ts';

/** One attempt at an answer, from the prompt to the model's last token. */

export interface SpeakDeps extends PrepareDeps {
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

/** How far an attempt came. */
export interface Spell {
  stream: StreamReply;
  charges: Charge[];
  prepared: Prepared | undefined;
  model: string;
  /** Why it ended early. */
  error: BotError | undefined;
  cut: boolean;
}

const stopAction: Action = { label: 'Stop', command: 'stop' };
/** A prompt that was too much is made smaller once; again only where a model's window is far smaller than was known. */
const mostShrinks = 3;

/** Throws only what the store throws: whatever else ends it early is told in the spell. */
export async function speak(
  deps: SpeakDeps,
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
      spell.prepared = await prepare(deps, job, question, signal);
      await pour(deps, job, question, spell, signal);
      return spell;
    } catch (error) {
      spell.error = toBotError(error);
      if (spell.error.kind === 'store') {
        await stream.abandon();
        throw error;
      }
      if (spell.error.kind !== 'overflow' || shrinks === mostShrinks || spell.prepared === undefined) return spell;
      const { model, maxReplyTokens } = question.profile;
      deps.calibration.fitted(model, spell.prepared.promptTokens + maxReplyTokens, false);
      deps.log.info({ channel: question.channel }, 'the prompt was more than the model can read; it is made smaller');
      spell.error = undefined;
    }
  }
}

async function notePosted(deps: SpeakDeps, job: Job, posts: string[]): Promise<void> {
  await deps.conversations.change(job.event.channel, () => ({
    also: [job.update({ posted: posts })],
    value: undefined,
  }));
}

/** Folds first where the prompt would otherwise leave something out. */
async function prepare(deps: SpeakDeps, job: Job, question: Question, signal: AbortSignal): Promise<Prepared> {
  const { channel, turn, images, profile, person } = question;
  const asked = { channel, question: turn, images, profile };
  const prepared = await preparePrompt(deps, asked);
  if (!prepared.plan.leftOut) return prepared;
  await job.reply.progress('folding older messages into the summary');
  const { limits } = prepared;
  const folding = deps.folding.run({ channel, person, profile, limits, high: limits.low });
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

/** The model's stream into the reply, and what it cost into the charges, also when it breaks. */
async function pour(deps: SpeakDeps, job: Job, question: Question, spell: Spell, signal: AbortSignal): Promise<void> {
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
          deps.calibration.fitted(profile.model, prepared.promptTokens + profile.maxReplyTokens, true);
          spell.model = event.model;
          spell.cut = event.finish === 'length';
          if (!event.usage.estimated) await learn(deps, profile.model, prepared.promptTokens, event.usage.prompt);
          break;
      }
    }
  } finally {
    stream.push(opening.rest());
  }
  if (stream.text().trim() === '') throw new BotError('model', 'the model answered nothing');
}

/** Better estimates are not worth an answer. */
async function learn(deps: SpeakDeps, model: string, counted: number, reported: number): Promise<void> {
  await deps.calibration.learn(model, counted, reported).catch((error: unknown) => {
    deps.log.warn({ model, error }, 'what a model counts could not be kept');
  });
}

function waitingNote(ms: number, reason: string): string {
  return `${reason}; waiting ${Math.max(1, Math.ceil(ms / 1000))} s`;
}
