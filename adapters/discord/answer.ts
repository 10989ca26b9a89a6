import { MessageFlags } from 'discord.js';
import type { Action, Piece } from '../../src/event.ts';
import type { Api, MessageBody } from './api.ts';
import { toRows } from './buttons.ts';
import { troubleOf } from './failure.ts';
import { isNewer, toNonce } from './ids.ts';
import { type Columns, drawTables } from './tables.ts';
import { createTyping } from './typing.ts';
import { type Post, postSchema } from './wire.ts';

/** The messages of one answer: posted, edited, found again after a crash, taken back. */
export interface Answer {
  progress(note: string): Promise<void>;
  write(piece: Piece): Promise<string>;
  withdraw(): Promise<void>;
  /** No answer comes after all: what was shown while it was awaited goes. */
  endProgress(): Promise<void>;
  /** What an earlier run left unfinished says so. */
  markUnfinished(mark: string): Promise<void>;
}

export interface AnswerPlan {
  /** What is posted to. */
  channel: string;
  /** The message it replies to. */
  question: string | undefined;
  /** Nothing of it is older than this. */
  after: string;
  /** The same for the same event. */
  seed: string;
  /** The pieces known to stand. */
  posted: readonly string[];
  /** Nobody can have posted anything yet. */
  fresh: boolean;
  self: () => string;
}

/** Whatever the model writes, nobody is called by it. */
export const noPings = { parse: [], replied_user: false };

/** Discord's limit for a message. */
export const maxMessageChars = 2000;
const notePrefix = '⏳ ';
const searchPages = 5;
const mostAttempts = 3;

/** Notices are silent messages, answers are not: that is how they are told apart afterwards. */
export function isAnswerPiece(post: Post, question: string | undefined, self: string): boolean {
  const isNotice = ((post.flags ?? 0) & MessageFlags.SuppressNotifications) !== 0;
  return post.author.id === self && !isNotice && post.message_reference?.message_id === question;
}

export function createAnswer(api: Api, plan: AnswerPlan): Answer {
  const { channel, question, seed } = plan;
  const typing = createTyping(api, channel);
  let ids: (string | undefined)[] = [...plan.posted];
  let searched = plan.fresh;
  let placeholder = false;
  /** By piece: the table that it ends in, whose rows go on in the next one. */
  const openTables: (Columns | undefined)[] = [];
  /** A message that was deleted must not be given back by Discord's own memory of nonces. */
  let salt = 0;
  const tried = new Set<string>();

  /** What an earlier run posted without living to say so, oldest first. */
  async function recover(): Promise<void> {
    if (searched) return;
    const found: string[] = [];
    await api.patiently(async () => {
      found.length = 0;
      for await (const page of api.messagesAfter(channel, plan.after, searchPages)) {
        const posts = page.flatMap((one) => postSchema.safeParse(one).data ?? []);
        found.push(...posts.filter((post) => isAnswerPiece(post, question, plan.self())).map((post) => post.id));
      }
    });
    const known = new Set(ids);
    const last = ids.findLast((id) => id !== undefined) ?? '0';
    ids.push(...found.filter((id) => !known.has(id) && isNewer(id, last)));
    searched = true;
  }

  async function post(index: number, body: MessageBody): Promise<string> {
    const reply = question === undefined ? {} : { message_reference: { message_id: question } };
    for (let attempt = 1; ; attempt++) {
      const nonce = toNonce(seed, index, salt);
      const isFirst = !tried.has(nonce);
      tried.add(nonce);
      const posted = await api.post(channel, { ...body, ...reply, nonce, enforce_nonce: true });
      if (isFirst && posted.content === (body.content ?? '').trim()) return posted.id;
      // An earlier attempt may have posted it: Discord gives that message back, and it is to stand as it is now.
      try {
        await api.edit(channel, posted.id, body);
        return posted.id;
      } catch (error) {
        if (troubleOf(error) !== 'message-gone' || attempt === mostAttempts) throw error;
        salt++;
      }
    }
  }

  async function put(index: number, body: MessageBody): Promise<string> {
    await recover();
    const known = ids[index];
    if (known !== undefined) {
      try {
        await api.edit(channel, known, body);
        return known;
      } catch (error) {
        if (troubleOf(error) !== 'message-gone') throw error;
        salt++;
      }
    }
    const id = await post(index, body);
    ids[index] = id;
    return id;
  }

  async function removeFrom(index: number): Promise<void> {
    for (const id of ids.slice(index)) if (id !== undefined) await api.patiently(() => api.remove(channel, id));
    if (ids.length > index) salt++;
    ids = ids.slice(0, index);
  }

  return {
    async progress(note) {
      await typing.start();
      if (note === '' || (ids.length > 0 && !placeholder)) return;
      placeholder = true;
      await put(0, toBody(`${notePrefix}${note}`, []));
    },

    async write(piece) {
      typing.stop();
      const { text, open } = drawTables(piece.text, maxMessageChars, openTables[piece.index - 1]);
      openTables[piece.index] = open;
      const body = toBody(text, piece.actions);
      const task = () => put(piece.index, body);
      // Of what is still growing the next edit says all; only what must come is insisted on.
      const id = piece.done || piece.last ? await api.patiently(task) : await task();
      placeholder = false;
      if (piece.last) await removeFrom(piece.index + 1);
      return id;
    },

    async withdraw() {
      typing.stop();
      await recover();
      await removeFrom(0);
    },

    async markUnfinished(mark) {
      await recover();
      const id = ids.findLast((one) => one !== undefined);
      if (id === undefined) return;
      const { content } = await api.patiently(() => api.message(channel, id));
      if (content.startsWith(notePrefix)) return await removeFrom(ids.indexOf(id));
      if (content.endsWith(mark)) return;
      const kept = content.slice(0, maxMessageChars - mark.length - 2).toWellFormed();
      await api.patiently(() => api.edit(channel, id, toBody(`${kept}\n\n${mark}`, [])));
    },

    async endProgress() {
      typing.stop();
      if (!placeholder) return;
      placeholder = false;
      await removeFrom(0);
    },
  };
}

function toBody(text: string, actions: readonly Action[]): MessageBody {
  return { content: text, components: toRows(actions), allowed_mentions: noPings };
}
