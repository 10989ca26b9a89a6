import { MessageFlags, type RawFile } from 'discord.js';
import type { Notice } from '../../src/event.ts';
import { maxMessageChars, noPings } from './answer.ts';
import type { Api, MessageBody } from './api.ts';
import { toLines, toRows } from './buttons.ts';
import { troubleOf } from './failure.ts';
import { toNonce } from './ids.ts';
import { type Post, postSchema } from './wire.ts';

/** What is said beside answers: in the channel for everybody, or to one person in a direct message. */

export type Split = (text: string, maxChars: number) => readonly string[];

const searchPages = 2;
const maxOwned = 2000;

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

  /** Which notice each message is that was posted or found in this run. */
  const owners = new Map<string, string>();

  function own(id: string, key: string): void {
    owners.set(id, key);
    const [oldest] = owners.keys();
    if (owners.size > maxOwned && oldest !== undefined) owners.delete(oldest);
  }

  /**
   * Known by the message it is about. Where there is none, as to a slash command, Discord shows nothing by which one notice
   * could be told from another of the same words; but one message is one notice, and no more.
   */
  function isSame(post: Post, place: NoticePlace, content: string, key: string): boolean {
    const isNotice = ((post.flags ?? 0) & MessageFlags.SuppressNotifications) !== 0;
    const isOwn = isNotice && post.author.id === deps.self();
    const owner = owners.get(post.id) ?? key;
    const about = post.message_reference?.message_id;
    return isOwn && about === place.reference && owner === key && post.content === content.trim();
  }

  async function wasSaid(place: NoticePlace, content: string, key: string): Promise<boolean> {
    if (place.searchAfter === undefined) return false;
    for await (const page of api.messagesAfter(place.channel, place.searchAfter, searchPages)) {
      const posts = page.flatMap((one) => postSchema.safeParse(one).data ?? []);
      const said = posts.find((post) => isSame(post, place, content, key));
      if (said === undefined) continue;
      own(said.id, key);
      return true;
    }
    return false;
  }

  /** Silent: nobody's telephone rings for it. */
  async function post(place: NoticePlace, notice: Notice): Promise<void> {
    const reply = place.reference === undefined ? {} : { message_reference: { message_id: place.reference } };
    for (const [n, { body, files }] of toParts(notice, split).entries()) {
      const nonce = toNonce('notice', place.seed, n);
      if (await api.patiently(() => wasSaid(place, body.content ?? '', nonce))) continue;
      const whole = {
        ...body,
        ...reply,
        nonce,
        enforce_nonce: true,
        flags: MessageFlags.SuppressNotifications as const,
      };
      own((await api.patiently(() => api.post(place.channel, whole, files))).id, nonce);
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
