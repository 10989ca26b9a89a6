import type { Event } from '../../src/event.ts';
import { isAnswerPiece } from './answer.ts';
import type { Api } from './api.ts';
import { type Place, snowflakeAt, snowflakeMs } from './ids.ts';
import type { Places } from './places.ts';
import { toEditEvent, toMessageEvent } from './to-event.ts';
import { messageSchema, type Post, postSchema, type WireChannel, type WireMessage } from './wire.ts';

/**
 * What was said while nobody listened. The inbox knows what it had before, so no mark of what was seen last is kept: all
 * of the last minutes is offered again. What has a reply of ours is left out, should the inbox have been lost.
 */
export interface CatchUpDeps {
  api: Api;
  places: Places;
  take(event: Event): Promise<unknown>;
  /** How far back it goes. */
  backMs: number;
  now(): number;
}

const maxPages = 20;

/** Whether anything can have been said there since. */
export function isRecent(channel: WireChannel, since: number): boolean {
  const last = channel.last_message_id;
  return typeof last === 'string' && snowflakeMs(last) >= since;
}

export async function catchUp(deps: CatchUpDeps, place: Place): Promise<number> {
  const { api, places } = deps;
  const found: unknown[] = [];
  await api.patiently(async () => {
    found.length = 0;
    const since = snowflakeAt(deps.now() - deps.backMs);
    for await (const page of api.messagesAfter(place.id, since, maxPages)) found.push(...page);
  });
  const posts = found.flatMap((one) => postSchema.safeParse(one).data ?? []);
  const missed = found
    .flatMap((one) => messageSchema.safeParse(one).data ?? [])
    .filter((message) => !isAnswered(message.id, posts, places.self));
  const around = places.around(place.guild);
  const members = new Map<string, Promise<WireMessage['member']>>();
  let count = 0;
  for (const message of missed) {
    if (toMessageEvent(message, place, around) === undefined) continue;
    const member = await memberOf(api, place, message.author.id, members);
    const whole = { ...message, ...(member === undefined ? {} : { member }) };
    const events = [toMessageEvent(whole, place, around), toEditEvent(whole, place, around)];
    for (const event of events) if (event !== undefined) await deps.take(event);
    count++;
  }
  return count;
}

function isAnswered(id: string, posts: readonly Post[], self: string): boolean {
  return posts.some((post) => isAnswerPiece(post, id, self));
}

/** The REST API tells who wrote, but not what they may do here. */
async function memberOf(
  api: Api,
  place: Place,
  user: string,
  known: Map<string, Promise<WireMessage['member']>>,
): Promise<WireMessage['member']> {
  const { guild } = place;
  if (guild === undefined) return undefined;
  const asked = known.get(user) ?? api.patiently(() => api.member(guild, user)).catch(() => undefined);
  known.set(user, asked);
  return await asked;
}
