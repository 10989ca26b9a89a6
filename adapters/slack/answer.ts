import { createHash } from 'node:crypto';
import type { Action, Piece } from '../../src/event.ts';
import { type Api, type Body, toPosts } from './api.ts';
import { toActions } from './buttons.ts';
import type { Claims } from './claims.ts';
import { troubleOf } from './failure.ts';
import { isNewer } from './ids.ts';
import { fallback, markdownBlock } from './markdown.ts';
import type { Status } from './status.ts';
import { type Stream, type StreamHabits, startStream } from './stream.ts';
import type { Post } from './wire.ts';

/** The messages of one answer: streamed, posted, edited, found again after a crash, taken back. */
export interface Answer {
  write(piece: Piece): Promise<string>;
  withdraw(): Promise<void>;
  /** What an earlier run left unfinished says so. */
  markUnfinished(mark: string): Promise<void>;
}

export interface AnswerPlan {
  channel: string;
  /** The thread it is shown in; nothing for the channel itself. */
  thread: string | undefined;
  /** The thread whose conversation it belongs to; nothing for the channel's. */
  conversation: string | undefined;
  /** The message it answers. */
  question: string | undefined;
  /** Nothing of it is older than this. */
  after: string;
  recipient: { user: string; team: string };
  /** The same for the same event. */
  seed: string;
  /** The pieces known to stand. */
  posted: readonly string[];
  /** Nobody can have posted anything yet. */
  fresh: boolean;
}

export interface AnswerDeps {
  api: Api;
  status: Status;
  self: string;
  now(): number;
  habits: StreamHabits;
  claims: Claims;
}

const answerType = 'channelore_answer';
export const noticeType = 'channelore_notice';

interface Standing {
  ts: string;
  stream: Stream | undefined;
  /** Slack may still hold it for a stream, which must end before it can be edited. */
  open: boolean;
}

export function toKey(seed: string): string {
  return createHash('sha256').update(seed).digest('base64url').slice(0, 24);
}

export function createAnswer(deps: AnswerDeps, plan: AnswerPlan): Answer {
  const { api, claims } = deps;
  const { channel, thread } = plan;
  const key = toKey(plan.seed);
  let standing: (Standing | undefined)[] = [];
  let searched = plan.fresh;
  for (const ts of plan.posted) claim(standing.length, ts, true);

  function claim(index: number, ts: string, open: boolean, stream?: Stream): void {
    standing[index] = { ts, stream, open };
    claims.add(ts, key);
  }

  /** What an earlier attempt posted without living to say so. A stream that was never ended says nothing of itself. */
  async function recover(): Promise<void> {
    if (searched) return;
    const posts = toPosts(await api.messagesAfter(channel, thread, plan.after));
    const own = posts.filter((post) => post.user === deps.self && isNewer(post.ts, plan.after));
    const known = new Set(standing.map((one) => one?.ts));
    const found = own.filter((one) => !known.has(one.ts));
    for (const post of found) {
      const index = indexOf(post);
      if (index !== undefined && standing[index] === undefined) claim(index, post.ts, true);
    }
    // Of one answer no more than the last message can be without a name: the one that was a stream.
    const nameless = found.find((post) => post.metadata === undefined && !claims.isOthers(post.ts, key));
    if (thread !== undefined && nameless !== undefined) claim(standing.length, nameless.ts, true);
    searched = true;
  }

  function indexOf({ metadata }: Post): number | undefined {
    if (metadata?.event_type !== answerType || metadata.event_payload.answer !== key) return undefined;
    const { index } = metadata.event_payload;
    return typeof index === 'number' ? index : undefined;
  }

  function toBody(index: number, text: string, actions: readonly Action[]): Body {
    const about = { thread: plan.conversation, question: plan.question };
    return {
      text: fallback(text),
      blocks: [markdownBlock(text), ...toActions(actions, about)],
      metadata: { event_type: answerType, event_payload: { answer: key, index } },
    };
  }

  /** An error after which nobody knows whether it was posted: it is looked for before it is posted again. */
  async function posting<T>(task: () => Promise<T>): Promise<T> {
    await deps.status.settled();
    try {
      const posted = await task();
      // A stream that could not be begun has posted nothing.
      if (posted !== undefined) deps.status.ended();
      return posted;
    } catch (error) {
      if (troubleOf(error) === 'passing') searched = false;
      throw error;
    }
  }

  async function begin({ index, text, actions }: Piece): Promise<void> {
    if (thread !== undefined) {
      const { recipient } = plan;
      const blocks = toActions(actions, { thread: plan.conversation, question: plan.question });
      const streaming = { channel, thread, recipient, now: deps.now };
      const stream = await posting(() => startStream(api, streaming, deps.habits, { text, blocks }));
      if (stream !== undefined) return claim(index, stream.ts, true, stream);
    }
    claim(index, await posting(() => api.post(channel, thread, toBody(index, text, actions))), false);
  }

  /** Makes it stand as given, whatever stands there. */
  async function put(index: number, body: Body): Promise<void> {
    await recover();
    const known = standing[index];
    if (known !== undefined) {
      try {
        await close(known);
        return await api.update(channel, known.ts, body);
      } catch (error) {
        if (troubleOf(error) === 'streaming') known.open = true;
        if (troubleOf(error) !== 'message-gone') throw error;
        standing[index] = undefined;
      }
    }
    claim(index, await posting(() => api.post(channel, thread, body)), false);
  }

  async function close(known: Standing): Promise<void> {
    known.stream = undefined;
    if (!known.open) return;
    try {
      await api.stopStream(channel, known.ts);
    } catch (error) {
      const isOver = ['stream-over', 'message-gone', 'other'].includes(troubleOf(error));
      if (!isOver) throw error;
    }
    known.open = false;
  }

  async function grow(piece: Piece): Promise<void> {
    await recover();
    const known = standing[piece.index];
    if (known === undefined) return await begin(piece);
    if (known.stream !== undefined && (await known.stream.grow(piece.text))) return;
    await put(piece.index, toBody(piece.index, piece.text, piece.actions));
  }

  async function removeFrom(index: number): Promise<void> {
    for (const one of standing.slice(index)) {
      if (one === undefined) continue;
      await api.patiently(() => api.remove(channel, one.ts));
      claims.release(one.ts);
    }
    standing = standing.slice(0, index);
  }

  /** All of it is said again, as Slack has it, without what was offered under it. */
  async function markLast(last: Standing, mark: string): Promise<void> {
    await close(last);
    const posts = toPosts(await api.messagesAfter(channel, thread, plan.after));
    const post = posts.find((one) => one.ts === last.ts);
    if (post === undefined) return;
    const { text, blocks = [] } = post;
    const said = blocks.filter((block) => block.type !== 'actions');
    if (JSON.stringify(said).includes(mark)) return;
    const shown = said.length > 0 ? said : [markdownBlock(text)];
    const body = { text: fallback(text), blocks: [...shown, markdownBlock(`\n\n${mark}`)] };
    await api.update(channel, last.ts, body);
  }

  return {
    async markUnfinished(mark) {
      await api.patiently(recover);
      const last = standing.findLast((one) => one !== undefined);
      if (last !== undefined) await api.patiently(() => markLast(last, mark));
    },

    async write(piece) {
      const { index, text, actions } = piece;
      // Of what is still growing the next edit says all; only what must come is insisted on.
      if (piece.done || piece.last) await api.patiently(() => put(index, toBody(index, text, actions)));
      else await api.unhurried(() => grow(piece));
      if (piece.last) await removeFrom(index + 1);
      // One that came while tools ran is ended by a post only, and this may have been an edit.
      if (piece.last) await deps.status.clear();
      const ts = standing[index]?.ts ?? '';
      if (piece.last) for (const one of standing) claims.release(one?.ts ?? '');
      return ts;
    },

    async withdraw() {
      await api.patiently(recover);
      await removeFrom(0);
      await deps.status.clear();
    },
  };
}
