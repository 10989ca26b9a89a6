import type { People } from '../conversation/names.ts';
import type { Recalled } from '../conversation/recall-select.ts';
import type { TokenCounter } from '../conversation/tokens.ts';
import type { RecalledRef, Turn } from '../conversation/turn.ts';
import { countMessages, recallMessage } from '../conversation/wire.ts';
import type { ChannelId, LinkTo } from '../event.ts';
import type { ChatMessage } from '../model/model.ts';
import type { Source } from './citing.ts';

/** What of all that was ever said here goes along with a question: as data, in the order of time, each with a marker. */
export interface Along {
  message: ChatMessage | undefined;
  recalled: readonly Recalled[];
  tokens: number;
}

export const nothingAlong: Along = { message: undefined, recalled: [], tokens: 0 };

/** As many of the best as there is room for. */
export async function toAlong(found: readonly Recalled[], room: number, counter: TokenCounter): Promise<Along> {
  for (let kept = [...found]; kept.length > 0; kept = withoutWeakest(kept)) {
    const message = recallMessage(kept.map(({ line }) => line));
    const tokens = await countMessages([message], counter);
    if (tokens <= room) return { message, recalled: kept, tokens };
  }
  return nothingAlong;
}

function withoutWeakest(found: readonly Recalled[]): Recalled[] {
  const weakest = found.reduce((least, one) => (one.score < least.score ? one : least));
  return found.filter((one) => one !== weakest);
}

/** Whom the question names with an `@`. */
export function mentionedIn(text: string, people: People): string[] {
  if (!text.includes('@')) return [];
  const said = text.toLowerCase();
  return Object.entries(people)
    .filter(([, { name, shown }]) => [name, shown].some((one) => said.includes(`@${one.toLowerCase()}`)))
    .map(([id]) => id);
}

/** How an answer that rests on one of them names it: by who and when, with the way there. */
export function toSources(recalled: readonly Recalled[], link: LinkTo, now: number): Source[] {
  return recalled.map((one, n) => ({
    marker: n + 1,
    label: `${speakerOf(one)}, ${dayLabel(one.at, now)}`,
    link: linkOf(one, one.channel, link),
  }));
}

/** An answer that the platform did not take stands nowhere. */
export function linkOf(
  turn: Pick<Turn, 'role' | 'id' | 'posts'> & { replyTo?: string | undefined },
  channel: ChannelId,
  link: LinkTo,
): string | undefined {
  const { role, id, replyTo, posts: [post] = [] } = turn;
  if (role === 'user') return link(channel, id);
  return post === undefined ? undefined : link(channel, post, replyTo);
}

/** As the answer keeps them: where they stand, in the order of the markers. */
export function toRefs(recalled: readonly Recalled[], channel: ChannelId, cited: ReadonlySet<number>): RecalledRef[] {
  return recalled.map((one, n) => ({
    ...(one.channel !== channel && { above: true }),
    epoch: one.epoch,
    seq: one.seq,
    ...(one.seqs.length > 1 && { beside: one.seqs.filter((seq) => seq !== one.seq) }),
    ...(cited.has(n + 1) && { cited: true }),
  }));
}

export function speakerOf({ role, name }: Pick<Turn, 'role'> & { name?: string | undefined }): string {
  return role === 'assistant' ? 'my answer' : (name ?? 'you');
}

const monthDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const wholeDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

function dayLabel(at: number, now: number): string {
  const isThisYear = new Date(at).getUTCFullYear() === new Date(now).getUTCFullYear();
  return (isThisYear ? monthDay : wholeDay).format(at);
}
