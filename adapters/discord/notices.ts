import { MessageFlags, type RawFile } from 'discord.js';
import type { Notice } from '../../src/event.ts';
import { noPings } from './answer.ts';
import type { Api, MessageBody } from './api.ts';
import { toLines, toRows } from './buttons.ts';
import { troubleOf } from './failure.ts';
import { toNonce } from './ids.ts';
import { postSchema } from './wire.ts';

/** What is said beside answers: in the channel for everybody, or to one person in a direct message. */

export type Split = (text: string, maxChars: number) => readonly string[];

/** Discord's limit for a message. */
export const maxMessageChars = 2000;
const searchPages = 2;

export interface NoticePart {
  body: MessageBody;
  files: RawFile[];
}

/** Buttons and files stand under the last part. */
export function toParts(notice: Notice, split: Split): NoticePart[] {
  const texts = split(notice.text + toLines(notice.actions), maxMessageChars);
  const files = notice.files.map(({ name, mime, content, encoding }) => ({
    name,
    contentType: mime,
    data: Buffer.from(content, encoding),
  }));
  return texts.map((content, n) => {
    const isLast = n === texts.length - 1;
    const components = isLast ? toRows(notice.actions) : [];
    return { body: { content, components, allowed_mentions: noPings }, files: isLast ? files : [] };
  });
}

export type Notices = ReturnType<typeof createNotices>;

export interface NoticePlace {
  channel: string;
  /** The message it is about. */
  reference: string | undefined;
  /** The same for the same notice. */
  seed: string;
  /** An earlier run may have said it: looked for among what was said since this message. */
  searchAfter: string | undefined;
}

export function createNotices(deps: { api: Api; split: Split; self: () => string }) {
  const { api, split } = deps;

  async function wasSaid(place: NoticePlace, content: string): Promise<boolean> {
    if (place.searchAfter === undefined) return false;
    for await (const page of api.messagesAfter(place.channel, place.searchAfter, searchPages)) {
      const posts = page.flatMap((one) => postSchema.safeParse(one).data ?? []);
      const isSame = posts.some((post) => post.author.id === deps.self() && post.content === content.trim());
      if (isSame) return true;
    }
    return false;
  }

  /** Silent: nobody's telephone rings for it. */
  async function post(place: NoticePlace, notice: Notice): Promise<void> {
    const parts = toParts(notice, split);
    if (await api.patiently(() => wasSaid(place, parts[0]?.body.content ?? ''))) return;
    const reply = place.reference === undefined ? {} : { message_reference: { message_id: place.reference } };
    for (const [n, { body, files }] of parts.entries()) {
      const key = { nonce: toNonce('notice', place.seed, n), enforce_nonce: true };
      const whole = { ...body, ...reply, ...key, flags: MessageFlags.SuppressNotifications as const };
      await api.patiently(() => api.post(place.channel, whole, files));
    }
  }

  /** False where the person takes no direct messages. Buttons would act there, not where they belong. */
  async function tell(person: string, seed: string, notice: Notice): Promise<boolean> {
    const inWords = notice.actions.map(
      ({ label, command }) => `\n${label}: mention me in the channel with \`/${command}\``,
    );
    const plain = { ...notice, text: notice.text + inWords.join(''), actions: [] };
    try {
      const channel = await api.patiently(() => api.directChannel(person));
      await post({ channel, reference: undefined, seed, searchAfter: undefined }, plain);
      return true;
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'closed' || trouble === 'forbidden' || trouble === 'channel-gone') return false;
      throw error;
    }
  }

  return { post, tell };
}

export function plainNotice(text: string): Notice {
  return { text, private: true, actions: [], files: [] };
}
