import { type BotError, userText } from '../../src/errors.ts';
import type { Event, MessageEvent, Notice, Reply } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { type Answer, createAnswer, maxMessageChars } from './answer.ts';
import type { Api } from './api.ts';
import { toPlatformError, troubleOf } from './failure.ts';
import { toPlace } from './ids.ts';
import { type Notices, plainNotice } from './notices.ts';

/** How a message is answered: as a reply to it, where it was said. */

export interface ReplyDeps {
  api: Api;
  notices: Notices;
  log: Log;
  now(): number;
  self(): string;
  /** The message to be answered is gone, and nobody said so. */
  onQuestionGone(event: Event): void;
}

/** Discord takes five edits in five seconds; above that they queue, and an eager editor falls behind. */
const limits = { pieceChars: maxMessageChars, minEditMs: 1000 };

export function createMessageReply(
  deps: ReplyDeps,
  event: MessageEvent,
  posted: readonly string[],
  fresh: boolean,
): Reply {
  const { api, notices } = deps;
  const place = toPlace(event.channel);
  const seed = `${event.channel}:${event.id}`;
  const plan = { channel: place.id, question: event.messageId, after: event.messageId, seed, posted, fresh };
  const answer = createAnswer(api, { ...plan, self: deps.self });
  const guarded = guardAnswer(deps, event, answer);

  async function sayHere(key: string, notice: Notice): Promise<void> {
    const searchAfter = fresh ? undefined : event.messageId;
    await notices.post({ channel: place.id, reference: event.messageId, seed: `${seed}:${key}`, searchAfter }, notice);
  }

  async function sayPrivately(key: string, notice: Notice): Promise<void> {
    if (await notices.tell(event.author.id, `${seed}:${key}`, notice)) return;
    await sayHere(
      key,
      plainNotice(
        'I have an answer for you alone, but your direct messages are closed to me. My slash commands answer privately, too.',
      ),
    );
  }

  return {
    ...guarded,
    say: (key, notice) =>
      guarded.say(async () => {
        await answer.endProgress();
        if (notice.private && place.guild !== undefined) await sayPrivately(key, notice);
        else await sayHere(key, notice);
      }),
  };
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
export function guardAnswer(deps: ReplyDeps, event: Exclude<Event, { kind: 'edit' | 'delete' }>, answer: Answer) {
  const { log, notices } = deps;
  let ended: BotError | undefined;

  async function end(error: unknown): Promise<BotError> {
    const known = toPlatformError(error, deps.now());
    const trouble = troubleOf(error);
    if (trouble === 'question-gone') deps.onQuestionGone(event);
    const isFinal = ['question-gone', 'channel-gone', 'forbidden', 'archived'].includes(trouble);
    if (!isFinal || ended !== undefined) return known;
    ended = known;
    log.warn({ channel: event.channel, event: event.id, trouble, error: known }, 'an answer cannot be shown');
    if (trouble !== 'question-gone') await word(known);
    return known;
  }

  async function word(error: BotError): Promise<void> {
    const text = `${userText(error, 0)} That is why you see no answer of mine in <#${toPlace(event.channel).id}>.`;
    const told = notices.tell(event.author.id, `${event.channel}:${event.id}:ended`, plainNotice(text));
    await told.catch((error: unknown) => log.debug({ error }, 'and nobody could be told'));
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
    progress: (note: string) => run(() => answer.progress(note)),
    async write(piece: Parameters<Answer['write']>[0]) {
      // What is still growing need not knock at a closed door again; its end does.
      if (ended !== undefined && !piece.last) throw ended;
      return await run(() => answer.write(piece));
    },
    withdraw: () => run(() => answer.withdraw()),
    async end(unfinished?: string) {
      if (unfinished !== undefined) await run(() => answer.markUnfinished(unfinished));
      await answer.endProgress();
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
