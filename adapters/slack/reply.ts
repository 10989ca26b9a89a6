import { type BotError, userText } from '../../src/errors.ts';
import type { CommandEvent, Event, MessageEvent, Notice, Reply } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { type Answer, type AnswerDeps, createAnswer } from './answer.ts';
import type { Api } from './api.ts';
import { toPlatformError, troubleOf } from './failure.ts';
import { isDirect, toPlace } from './ids.ts';
import { maxPieceChars } from './markdown.ts';
import { type NoticePlace, type Notices, plainNotice } from './notices.ts';
import { createStatus, type Status } from './status.ts';

/** How a message is answered: in its thread. */

export interface ReplyDeps extends Omit<AnswerDeps, 'status'> {
  api: Api;
  notices: Notices;
  log: Log;
}

/** Of edits Slack takes fifty a minute, of what is added to a stream a hundred. */
export const limits = { pieceChars: maxPieceChars, minEditMs: 700 };

export function createMessageReply(
  deps: ReplyDeps,
  event: MessageEvent,
  posted: readonly string[],
  fresh: boolean,
): Reply {
  const { notices } = deps;
  const { channel, thread: conversation } = toPlace(event.channel);
  const thread = conversation ?? event.messageId;
  const seed = `${event.channel}:${event.id}`;
  const about = { thread: conversation, question: event.messageId };
  const status = createStatus(deps.api, deps.log, channel, thread);
  const recipient = { user: event.author.id, team: event.origin.team ?? '' };
  const where = { channel, thread, conversation, question: event.messageId, after: event.messageId };
  const answer = createAnswer({ ...deps, status }, { ...where, recipient, seed, posted, fresh });
  const guarded = guardAnswer(deps, event, answer, status);

  async function say(key: string, given: Notice): Promise<void> {
    const searchAfter = fresh ? undefined : event.messageId;
    const place: NoticePlace = { channel, thread, about, seed: `${seed}:${key}`, searchAfter };
    const notice = await notices.giveFiles(event.author.id, given);
    if (!notice.private || isDirect(channel)) {
      await status.settled();
      await notices.post(place, notice);
      return status.ended();
    }
    await notices.whisper(place, event.author.id, notice);
    await status.clear();
  }

  return { ...guarded, say: (key, notice) => guarded.say(() => say(key, notice)) };
}

/** An edit or a deletion is answered by nothing but the answers it changes. */
export function createQuietReply(log: Log, event: Event): Reply {
  return {
    limits,
    async progress() {},
    async write() {
      return '';
    },
    async say(key, notice) {
      log.warn({ channel: event.channel, event: event.id, key, notice: notice.text }, 'nobody to say this to');
    },
    async withdraw() {},
    async end() {},
  };
}

/** Where nothing can be said any more, that ends quietly: a line in the log, and a word to whoever asked. */
export function guardAnswer(deps: ReplyDeps, event: MessageEvent | CommandEvent, answer: Answer, status: Status) {
  const { log, notices } = deps;
  let ended: BotError | undefined;

  async function end(error: unknown): Promise<BotError> {
    const known = toPlatformError(error, deps.now());
    const trouble = troubleOf(error);
    const isFinal = ['channel-gone', 'not-joined', 'forbidden', 'archived', 'scope'].includes(trouble);
    if (!isFinal || ended !== undefined) return known;
    ended = known;
    log.warn({ channel: event.channel, event: event.id, trouble, error: known }, 'an answer cannot be shown');
    await word(known);
    return known;
  }

  async function word(error: BotError): Promise<void> {
    const { channel } = toPlace(event.channel);
    const where = isDirect(channel) ? 'here' : `in <#${channel}>`;
    const text = `${userText(error, 0)} That is why you see no answer of mine ${where}.`;
    const told = notices.tell(event.author.id, `${event.channel}:${event.id}:ended`, plainNotice(text));
    await told.catch((failed: unknown) => log.debug({ error: failed }, 'and nobody could be told'));
  }

  async function run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw await end(error);
    }
  }

  return {
    limits,
    async progress(note: string) {
      status.show(note);
    },
    async write(piece: Parameters<Answer['write']>[0]) {
      // What is still growing need not knock at a closed door again; its end does.
      if (ended !== undefined && !piece.last) throw ended;
      return await run(() => answer.write(piece));
    },
    withdraw: () => run(() => answer.withdraw()),
    async end(unfinished?: string) {
      if (unfinished !== undefined) await run(() => answer.markUnfinished(unfinished));
      await status.clear();
    },
    async say(task: () => Promise<void>) {
      try {
        await run(task);
      } catch (error) {
        if (ended === undefined) throw error;
      }
    },
  };
}
