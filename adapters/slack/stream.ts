import type { types } from '@slack/bolt';
import type { Api } from './api.ts';
import { errorName, troubleOf } from './failure.ts';
import { growing } from './markdown.ts';

/** One message of an answer while Slack streams it. What it has taken stands as it is: only more of it can follow. */
export interface Stream {
  readonly ts: string;
  /** False where the text cannot be reached by adding to it, or the stream is over: then edits go on. */
  grow(text: string): Promise<boolean>;
}

/** Slack ends a stream after about five minutes. */
const longestMs = 270_000;

export interface StreamPlan {
  channel: string;
  thread: string;
  recipient: { user: string; team: string };
  now(): number;
}

/** Whether streams can be had at all, and with buttons in them, as far as Slack has said no to it. */
export interface StreamHabits {
  refused: boolean;
  withoutBlocks: boolean;
}

/** Nothing where Slack will not have it; the answer is then posted and edited. Throws what passes, and what is final. */
export async function startStream(
  api: Api,
  plan: StreamPlan,
  habits: StreamHabits,
  given: { text: string; blocks: types.ActionsBlock[] },
): Promise<Stream | undefined> {
  const { channel } = plan;
  let taken = growing(given.text);
  const blocks: types.AnyChunk[] = given.blocks.length > 0 ? [{ type: 'blocks', blocks: given.blocks }] : [];
  const words: types.AnyChunk[] = taken === '' ? [] : [{ type: 'markdown_text', text: taken }];
  const startedAt = plan.now();

  async function start(): Promise<string | undefined> {
    for (;;) {
      const chunks = habits.withoutBlocks ? words : [...blocks, ...words];
      if (habits.refused || chunks.length === 0) return undefined;
      try {
        return await api.startStream({ ...plan, chunks });
      } catch (error) {
        if (troubleOf(error) !== 'other' && troubleOf(error) !== 'scope') throw error;
        const isAboutBlocks = /chunk|block/.test(errorName(error) ?? '');
        if (isAboutBlocks && !habits.withoutBlocks) habits.withoutBlocks = true;
        else if (isAboutBlocks || errorName(error) === 'unknown_method') habits.refused = true;
        else return undefined;
      }
    }
  }

  const ts = await start();
  if (ts === undefined) return undefined;

  return {
    ts,
    async grow(text) {
      const wanted = growing(text);
      if (plan.now() - startedAt > longestMs || !wanted.startsWith(taken)) return false;
      const added = wanted.slice(taken.length);
      if (added === '') return true;
      try {
        await api.unhurried(() => api.appendStream(channel, ts, added));
      } catch {
        // Whether it was taken or not, an edit says all of it.
        return false;
      }
      taken = wanted;
      return true;
    },
  };
}
