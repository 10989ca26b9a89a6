import type { Notice } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { noticeType, toKey } from './answer.ts';
import { type Api, type Body, toPosts } from './api.ts';
import { type About, toActions, toLines } from './buttons.ts';
import { toPlatformError, troubleOf } from './failure.ts';
import { fallback, markdownBlock, maxPieceChars } from './markdown.ts';

/** What is said beside answers: for all to see, or to one person alone. */

export type Split = (text: string, maxChars: number) => readonly string[];

export type Notices = ReturnType<typeof createNotices>;

export interface NoticePlace {
  channel: string;
  thread: string | undefined;
  about: About;
  /** The same for the same notice. */
  seed: string;
  /** An earlier run may have said it: looked for among what was said since this message. */
  searchAfter: string | undefined;
}

/** Buttons stand under the last part. */
export function toBodies(notice: Notice, about: About, split: Split): Body[] {
  const texts = split(notice.text + toLines(notice.actions), maxPieceChars);
  return texts.map((text, n) => {
    const actions = n === texts.length - 1 ? toActions(notice.actions, about) : [];
    return { text: fallback(text), blocks: [markdownBlock(text), ...actions] };
  });
}

export function createNotices(deps: { api: Api; split: Split; self: string; log: Log; now(): number }) {
  const { api, split, log } = deps;

  async function wasSaid(place: NoticePlace, key: string): Promise<boolean> {
    if (place.searchAfter === undefined) return false;
    const posts = toPosts(await api.messagesAfter(place.channel, place.thread, place.searchAfter));
    return posts.some(({ user, metadata }) => user === deps.self && metadata?.event_payload.notice === key);
  }

  async function post(place: NoticePlace, notice: Notice): Promise<void> {
    let searchAfter = place.searchAfter;
    for (const [n, body] of toBodies(notice, place.about, split).entries()) {
      const key = toKey(`${place.seed}:${n}`);
      const metadata = { event_type: noticeType, event_payload: { notice: key } };
      await api.patiently(async () => {
        if (await wasSaid({ ...place, searchAfter }, key)) return;
        try {
          await api.post(place.channel, place.thread, { ...body, metadata });
        } catch (error) {
          // It may have been posted all the same.
          if (troubleOf(error) === 'passing') searchAfter ??= place.thread ?? '0';
          throw error;
        }
      });
    }
  }

  /** Only this person sees it, in the place where they spoke. */
  async function whisper(place: NoticePlace, person: string, notice: Notice): Promise<void> {
    for (const body of toBodies(notice, place.about, split)) {
      await api.patiently(() => api.postEphemeral(place.channel, place.thread, person, body));
    }
  }

  /** False where the person cannot be written to. Buttons would act there, not where they belong. */
  async function tell(person: string, seed: string, notice: Notice): Promise<boolean> {
    const inWords = notice.actions.map(({ label, command }) => `\n${label}: mention me there with \`/${command}\``);
    const plain = { ...notice, text: notice.text + inWords.join(''), actions: [] };
    try {
      const channel = await api.patiently(() => api.openDirect(person));
      const about = { thread: undefined, question: undefined };
      await post({ channel, thread: undefined, about, seed, searchAfter: undefined }, plain);
      return true;
    } catch (error) {
      if (['channel-gone', 'forbidden', 'not-joined', 'scope', 'other'].includes(troubleOf(error))) return false;
      throw error;
    }
  }

  /** Files cannot be shown to one person in a channel: they go to their direct messages. Says where they are, or why not. */
  async function giveFiles(person: string, notice: Notice): Promise<Notice> {
    const { files, text } = notice;
    if (files.length === 0) return notice;
    const names = files.map((file) => file.name).join(', ');
    try {
      const channel = await api.patiently(() => api.openDirect(person));
      await api.patiently(() => api.upload(channel, files));
      return { ...notice, text: `${text}\n📎 ${names}: in our direct messages`, files: [] };
    } catch (error) {
      const known = toPlatformError(error, deps.now());
      if (known.retryAt !== undefined) throw error;
      log.warn({ error: known }, 'files could not be given');
      return { ...notice, text: `${text}\n⚠️ I cannot send you ${names}: ${known.message}`, files: [] };
    }
  }

  return { post, whisper, tell, giveFiles };
}

export function plainNotice(text: string): Notice {
  return { text, private: true, actions: [], files: [] };
}
