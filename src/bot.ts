import { randomUUID } from 'node:crypto';
import type { CommandRunner } from './commands/runner.ts';
import { isAddressed, isOpen } from './conversation/addressing.ts';
import type { FoldRequest } from './conversation/folding.ts';
import type { Memory } from './conversation/memory.ts';
import type { Profile } from './conversation/profile.ts';
import { cleanText, notePresence, type Recorded, recordMessage } from './conversation/recording.ts';
import type { Turn } from './conversation/turn.ts';
import { BotError, toBotError, userText } from './errors.ts';
import {
  type ChannelId,
  type DeleteEvent,
  type EditEvent,
  type Event,
  type MessageEvent,
  type Notice,
  parentChannel,
} from './event.ts';
import type { Job } from './inbox/inbox.ts';
import type { Log } from './log.ts';
import type { Metrics } from './operations/metrics.ts';
import type { StoredRecord } from './storage/store.ts';
import { type AnswerDeps, type Answered, answerQuestion } from './turn/answer.ts';
import { mostBytesAtOnce, type ReadAttachments, readAttachments, readImagesAgain } from './turn/attachments.ts';
import { createByteBudget } from './turn/byte-budget.ts';
import { keepCost, keepFailure } from './turn/keep.ts';
import type { Question } from './turn/speak.ts';
import type { Spender } from './usage/budget.ts';
import type { Reservation } from './usage/ledger.ts';

/**
 * The order of things, and the only place that knows it: what an event means, what follows what, and the one `catch`
 * that answers a person.
 */
export interface Bot {
  handle(job: Job): Promise<void>;
  /** What ends or voids an answer under way does not wait for it. */
  isUrgent(event: Event): boolean;
  /** False for what is overheard in a channel that remembers only what is said to the bot. */
  isWanted(event: Event, isWaiting: (messageId: string) => boolean): Promise<boolean>;
}

export interface BotDeps {
  memory: Memory;
  answer: AnswerDeps;
  commands: CommandRunner;
  log: Log;
  metrics: Metrics;
  now(): number;
}

/** An event whose handling ended the process so often is given up. */
const mostAttempts = 5;
const unfinishedMark = '⚠️ This answer broke off here.';

export function createBot(deps: BotDeps): Bot {
  const { memory, commands, log, metrics } = deps;
  const { conversations } = memory;
  /** Tells this life of the process from those before. */
  const life = randomUUID();
  const attachmentBytes = createByteBudget(mostBytesAtOnce);

  async function handle(job: Job): Promise<void> {
    try {
      if (job.pending.outcome === undefined) await dispatch(job);
    } catch (error) {
      await tellError(job, toBotError(error));
    }
    const { outcome } = job.pending;
    if (outcome !== undefined) await job.reply.say('outcome', outcome);
  }

  async function dispatch(job: Job): Promise<void> {
    const { event } = job;
    const wasBegun = job.pending.reserved !== undefined || job.pending.posted.length > 0;
    await chargeInterrupted(job);
    if (job.pending.attempts > mostAttempts) {
      if (wasBegun && job.pending.attempts === mostAttempts + 1) await markUnfinished(job);
      throw new BotError('bug', 'this message ended the program several times; it is given up');
    }
    switch (event.kind) {
      case 'message':
        return await handleMessage(job, event);
      case 'edit':
        return await handleEdit(job, event);
      case 'delete':
        return await handleDelete(job, event);
      case 'command':
        return await handleCommand(job, { ...event, given: event.command });
    }
  }

  /** A call that was under way when an earlier process ended is charged by what was reserved for it: each once. */
  async function chargeInterrupted(job: Job): Promise<void> {
    const { reserved } = job.pending;
    if (reserved === undefined || reserved.life === life) return;
    const { day, person, payer, model, prompt, completion } = reserved;
    const usage = { prompt, cached: 0, completion, reasoning: 0, estimated: true };
    await keepCost(deps.answer, job.event.channel, {
      charges: [{ person, payer, kind: 'answer', model, usage, at: deps.now() }],
      reservation: { day, release: () => undefined },
      entry: () => [job.update({ reserved: undefined })],
    });
  }

  function toReserved(reservation: Reservation): Job['pending']['reserved'] {
    const { day, person, payer, model, promptTokens, completionTokens } = reservation;
    return { day, person, payer, model, prompt: promptTokens, completion: completionTokens, life };
  }

  /** Tried once: it must not be what ends the program the next time. */
  async function markUnfinished(job: Job): Promise<void> {
    try {
      await job.reply.end(unfinishedMark);
    } catch (error) {
      log.warn(
        { channel: job.event.channel, event: job.event.id, error },
        'an answer could not be marked as unfinished',
      );
    }
  }

  /** The one place that tells a person what went wrong, once, and the log. A store that fails is waited for. */
  async function tellError(job: Job, error: BotError): Promise<void> {
    const { event } = job;
    if (job.signal.aborted) throw error;
    metrics.failed(error.kind);
    if (error.kind === 'store') {
      if (!job.again) await whisper(job, 'waiting', storeFailingNotice);
      throw error;
    }
    const level =
      error.kind === 'bug' ? 'error' : error.kind === 'input' || error.kind === 'forbidden' ? 'debug' : 'warn';
    log[level]({ channel: event.channel, event: event.id, kind: error.kind, error }, 'an event ended in an error');
    job.update({
      outcome: toNotice(userText(error, deps.now()), error.kind === 'input' || error.kind === 'forbidden'),
    });
  }

  async function handleMessage(job: Job, event: MessageEvent): Promise<void> {
    const { channel } = event;
    await whatItHangsFrom(job, event);
    const profile = await memory.profiles.of(channel);
    const addressed = await isAddressed(conversations, event);
    if (!commands.mayTalk(event, addressed)) return await overhear(job, event);
    const line = commandLine(event, addressed);
    if (line !== undefined) {
      return await handleCommand(job, { ...event, given: { line }, direct: event.to === 'direct', target: undefined });
    }
    if (!addressed && profile.listen !== 'all') {
      return await overhear(job, event);
    }
    if (addressed && cleanText(event.text) === '' && event.attachments.length === 0) {
      job.update({ outcome: toNotice('Yes? Write something after my name, or ask for /help.', true) });
      return;
    }
    if (addressed) await job.reply.progress('');
    const attachments = await readAttachments(event.attachments, {
      fetch: job.fetch,
      withImages: addressed,
      budget: attachmentBytes,
      signal: job.signal,
    });
    try {
      await takeIn(job, event, profile, attachments, addressed);
    } finally {
      attachments.release();
    }
  }

  /** Recorded, and answered where it is addressed. */
  async function takeIn(
    job: Job,
    event: MessageEvent,
    profile: Profile,
    attachments: ReadAttachments,
    addressed: boolean,
  ): Promise<void> {
    const { channel } = event;
    const { recorded, reservation, refused } = await record(job, event, profile, attachments, addressed);
    const { turn } = recorded;
    if (turn === undefined) return addressed ? await job.reply.withdraw() : undefined;
    if (!addressed) {
      foldAfterwards(job, toSpender(event), profile, turn);
      return;
    }
    const isFirstTry = job.pending.attempts === 0 && !job.again;
    if (recorded.known && isFirstTry && (await wasDealtWith(channel, turn))) return reservation?.release();
    if (refused !== undefined) return await refuse(job, turn, refused);
    const question = { ...toSpender(event), turn, images: attachments.images, profile, reservation };
    await answer(job, question);
  }

  /** What is said in a thread while the answer it hangs from is still being written is said after it. */
  async function whatItHangsFrom(job: Job, { channel, branchedFrom }: MessageEvent): Promise<void> {
    const above = parentChannel(channel);
    if (above === undefined || branchedFrom === undefined) return;
    await deps.answer.running.over(above, branchedFrom, job.signal);
    job.signal.throwIfAborted();
  }

  /** Some platforms tell of one message by two events; the second finds it answered, or why it could not be. */
  async function wasDealtWith(channel: ChannelId, turn: Turn): Promise<boolean> {
    const { tail } = await conversations.read(channel);
    return turn.unanswered !== undefined || tail.some((one) => one.answers === turn.seq);
  }

  /** Not remembered; but in a thread or a closed group it matters that somebody else speaks there. */
  async function overhear(job: Job, event: MessageEvent): Promise<void> {
    if (isOpen(event)) await notePresence(conversations, event, job.done());
  }

  /** The question and what is reserved for its answer, in one commit. */
  async function record(
    job: Job,
    event: MessageEvent,
    profile: Profile,
    attachments: ReadAttachments,
    addressed: boolean,
  ): Promise<{ recorded: Recorded; reservation: Reservation | undefined; refused: BotError | undefined }> {
    let reservation: Reservation | undefined;
    let refused: BotError | undefined;
    const recording = recordMessage(await memory.recording(profile), {
      event,
      attachments: attachments.kept,
      again: job.pending.attempts > 0 || job.again,
      async also(turn) {
        if (!addressed) return job.done();
        try {
          reservation = await memory.reserve(toSpender(event), profile, turn);
          return [job.update({ reserved: toReserved(reservation) })];
        } catch (error) {
          refused = toBotError(error);
          if (refused.kind !== 'forbidden') throw error;
          return [];
        }
      },
    });
    // A commit that fails is tried again, and reserves again.
    const recorded = await recording.catch((error: unknown) => {
      reservation?.release();
      throw error;
    });
    return { recorded, reservation, refused };
  }

  /** The question waits for a retry, as one does whose answer failed. */
  async function refuse(job: Job, turn: Turn, refused: BotError): Promise<never> {
    const entry = (): StoredRecord[] => [job.update({})];
    const cost = { charges: [], reservation: undefined, entry };
    await keepFailure(deps.answer, job.event.channel, turn, refused.message, cost);
    throw refused;
  }

  async function answer(job: Job, question: Question): Promise<void> {
    try {
      const answered = await answerQuestion(deps.answer, job, question);
      await afterwards(job, question, answered);
    } finally {
      question.reservation?.release();
    }
  }

  async function afterwards(job: Job, question: Question, answered: Answered): Promise<void> {
    const { error, outcome, warning, passedOver } = answered;
    if (error !== undefined && error.kind !== 'stopped') {
      metrics.failed(error.kind);
      log.warn({ channel: question.channel, event: job.event.id, kind: error.kind, error }, 'an answer failed');
    }
    if (outcome === 'answered') metrics.turnEnded('answered');
    else if (outcome !== 'withdrawn') metrics.turnEnded(error?.kind ?? 'stopped');
    const refused = passedOver ?? error;
    const remark =
      refused === undefined ? undefined : await commands.afterError(question.channel, question.profile.model, refused);
    if (remark !== undefined) await whisper(job, 'undone', remark);
    if (warning !== undefined) await whisper(job, 'budget', `⏳ ${warning}`, true);
    if (outcome !== 'failed') foldAfterwards(job, question, question.profile, question.turn);
  }

  /** Off the path of the answer; told to people when it happens for the first time, and when it keeps failing. */
  function foldAfterwards(job: Job, spender: Spender, profile: Profile, turn: Turn): void {
    const { channel, person, payer } = spender;
    const fold = async (): Promise<void> => {
      const limits = await memory.limits(channel, profile, turn.name === undefined);
      const request: FoldRequest = { channel, person, payer, profile, limits, high: limits.high };
      await memory.folding.run(request);
      // Also of folds that nobody's message made due, or that had to come before the answer.
      const news = memory.folding.takeNews(channel);
      if (news.first) await whisper(job, 'folded', foldedNotice);
      if (news.failing) await whisper(job, 'fold-failing', foldFailingNotice);
    };
    memory.inBackground(fold());
  }

  async function whisper(job: Job, key: string, text: string, isPrivate = false): Promise<void> {
    try {
      await job.reply.say(key, toNotice(text, isPrivate));
    } catch (error) {
      // A remark beside the answer: the answer stands without it.
      log.warn({ channel: job.event.channel, error }, 'a notice could not be shown');
    }
  }

  async function handleCommand(job: Job, request: Parameters<CommandRunner['run']>[1]): Promise<void> {
    const result = await commands.run(job, request);
    if (result.answer !== undefined) {
      const { reservation } = result.answer;
      const reserved = reservation && toReserved(reservation);
      await memory.conversations.change(request.channel, () => ({
        also: [job.update({ reserved })],
        value: undefined,
      }));
      return await answerWithImages(job, result.answer);
    }
    // What changed something has committed its outcome with the change; what only reads says it and is done.
    if (job.pending.outcome === undefined) job.update({ outcome: result.notice });
  }

  /** A question that was asked before is answered with its images, where the platform still gives them. */
  async function answerWithImages(job: Job, question: Question): Promise<void> {
    const { images, release, isMissing } = await readImagesAgain(question.turn.attachments ?? [], {
      fetch: job.fetch,
      budget: attachmentBytes,
      signal: job.signal,
    });
    try {
      if (isMissing) await whisper(job, 'images', imagesGoneNotice, true);
      await answer(job, { ...question, images });
    } finally {
      release();
    }
  }

  async function handleEdit(job: Job, event: EditEvent): Promise<void> {
    const { channel, messageId, at, text } = event;
    await memory.amending.edit(channel, { messageId, at, text }, job.done());
  }

  async function handleDelete(job: Job, event: DeleteEvent): Promise<void> {
    const { channel, messageIds, at } = event;
    await memory.amending.deleteMessages(channel, messageIds, at, job.done());
  }

  function isUrgent(event: Event): boolean {
    switch (event.kind) {
      case 'edit':
      case 'delete':
        return true;
      case 'command':
        return commands.isUrgent(event.command);
      case 'message': {
        const line = commandLine(event, event.to !== 'none' && !isOpen(event));
        return line !== undefined && commands.isUrgent({ line });
      }
    }
  }

  async function isWanted(event: Event, isWaiting: (messageId: string) => boolean): Promise<boolean> {
    const isOverheard = event.kind === 'edit' ? await isOverheardEdit(event, isWaiting) : isOverheardMessage(event);
    if (isOverheard && !commands.isServed(event.channel)) return false;
    if (!isOverheard || (await memory.profiles.of(event.channel)).listen === 'all') return true;
    if (event.kind === 'edit') memory.unwritten.put(event.channel, event);
    return false;
  }

  function isOverheardMessage(event: Event): boolean {
    if (event.kind !== 'message') return false;
    return event.to === 'none' || (event.to === 'thread' && !commands.isServed(event.channel));
  }

  /** Of a message that is neither remembered nor about to be. */
  async function isOverheardEdit(event: EditEvent, isWaiting: (messageId: string) => boolean): Promise<boolean> {
    if (isWaiting(event.messageId)) return false;
    return (await conversations.journal.find(event.channel, event.messageId)) === undefined;
  }

  return { handle, isUrgent, isWanted };
}

const foldedNotice =
  '🗂️ This channel has grown: I folded its older messages into a summary, and go on from that. ' +
  '`memory show` tells what I remember.';
const imagesGoneNotice =
  '🖼️ An image of that question is not there any more, so I answer without it. Send it again with the question.';
const storeFailingNotice =
  '⚠️ I cannot reach my memory just now, and I will not answer without it. Your message is kept: I answer as soon as I can.';
const foldFailingNotice =
  '⚠️ I cannot fold the older messages into a summary just now. Nothing is lost, but the oldest may be left out of my answers for a while.';

function commandLine(event: MessageEvent, addressed: boolean): string | undefined {
  const text = event.text.trim();
  return addressed && /^\/[a-z]/i.test(text) ? text.slice(1) : undefined;
}

function toNotice(text: string, isPrivate: boolean): Notice {
  return { text, private: isPrivate, actions: [], files: [] };
}

function toSpender({ channel, author }: MessageEvent): Required<Spender> {
  return { channel, person: author.id, payer: author.payer };
}
