import type { Folding } from '../conversation/folding.ts';
import type { Profile } from '../conversation/profile.ts';
import type { Turn } from '../conversation/turn.ts';
import { type BotError, toBotError } from '../errors.ts';
import type { Action, ChannelId, LinkTo } from '../event.ts';
import type { Job } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import type { FinishReason } from '../model/model.ts';
import type { Ledger, Reservation } from '../usage/ledger.ts';
import type { Tab } from './keep.ts';
import type { PrepareDeps, Prepared } from './prepare.ts';
import { answerInRounds } from './rounds.ts';
import type { Running } from './running.ts';
import type { LiveStep } from './steps.ts';
import { createStreamReply, type StreamReply } from './stream-reply.ts';

/** One attempt at an answer, from the prompt to the model's last token. */

export interface SpeakDeps extends PrepareDeps {
  folding: Folding;
  ledger: Ledger;
  log: Log;
  link: LinkTo;
  now(): number;
  onFirstToken(ms: number): void;
  onToolFailed(): void;
}

export interface Question {
  channel: ChannelId;
  turn: Turn;
  /** Who asked, for budgets and for the stop button. */
  person: string;
  /** Whose daily budget pays, where not the person's own. */
  payer: string | undefined;
  images: readonly string[];
  profile: Profile;
  reservation: Reservation | undefined;
}

/** What ended an answer before its end: the limit of a reply, or the provider's filter. */
export type CutBy = Extract<FinishReason, 'length' | 'content_filter'>;

/** How far an attempt came. */
export interface Spell {
  stream: StreamReply;
  tab: Tab;
  prepared: Prepared | undefined;
  /** The rounds in which tools were called. */
  steps: LiveStep[];
  /** The markers of what was recalled that the answer uses. */
  cited: Set<number>;
  model: string;
  /** Why it ended early. */
  error: BotError | undefined;
  cut: CutBy | undefined;
}

const stopAction: Action = { label: 'Stop', command: 'stop' };
/** A prompt that was too much is made smaller once; again only where a model's window is far smaller than was known. */
const mostShrinks = 3;

/** Throws only what the store throws: whatever else ends it early is told in the spell. */
export async function speak(deps: SpeakDeps, job: Job, question: Question, running: Running, tab: Tab): Promise<Spell> {
  const signal = AbortSignal.any([job.signal, running.signal]);
  const stream = createStreamReply(job.reply, {
    now: deps.now,
    actions: [stopAction],
    onPosted: (posts) => notePosted(deps, job, posts),
    onTrouble: (error) => deps.log.warn({ channel: question.channel, error }, 'an edit of the answer failed'),
  });
  const spell: Spell = {
    stream,
    tab,
    prepared: undefined,
    steps: [],
    cited: new Set(),
    model: question.profile.model,
    error: undefined,
    cut: undefined,
  };
  for (let shrinks = 0; ; shrinks++) {
    try {
      await job.reply.progress('');
      await answerInRounds(deps, job, question, spell, signal);
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
