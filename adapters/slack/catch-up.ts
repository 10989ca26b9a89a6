import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { ChannelId } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { type Api, slackError } from './api.ts';
import { isNewer, type Place, toPlace } from './ids.ts';
import { messageSchema, type WireMessage } from './wire.ts';

/**
 * What was said while nobody listened, and is not sent again. The inbox knows what it had before, so all of the last
 * minutes is offered again, where something was said to the bot of late.
 */
export interface CatchUpDeps {
  api: Pick<Api, 'messagesAfter' | 'patiently'>;
  offer(message: WireMessage): Promise<void>;
  /** How far back it goes. */
  backMs: number;
  isOpen(): boolean;
  log: Log;
  now(): number;
}

const lateMs = 7 * 24 * 3_600_000;
const maxPlaces = 200;
/** Of such requests Slack takes fifty a minute; answers need some, too. */
const pauseMs = 100;

const parentSchema = z.object({ ts: z.string(), latest_reply: z.string().optional() });

export async function catchUp(deps: CatchUpDeps, seen: ReadonlyMap<ChannelId, number>): Promise<void> {
  const { api, log, now } = deps;
  const since = ((now() - deps.backMs) / 1000).toFixed(6);
  const places = lately(seen, now());
  const known = new Set(places.map(keyOf));
  for (const place of places) {
    if (!deps.isOpen()) return;
    try {
      const found = await api.patiently(() => api.messagesAfter(place.channel, place.thread, since));
      for (const message of spokenIn(place, found, since)) await deps.offer(message);
      for (const thread of place.thread === undefined ? answeredSince(found, since) : []) {
        const inside = { channel: place.channel, thread };
        if (!known.has(keyOf(inside))) places.push(inside);
        known.add(keyOf(inside));
      }
    } catch (error) {
      log.info({ channel: place.channel, error: slackError(error) }, 'what was said meanwhile could not be read');
    }
    await delay(pauseMs, undefined, { ref: false });
  }
}

/** Where something was said of late, the last first; a thread's channel, too. */
function lately(seen: ReadonlyMap<ChannelId, number>, now: number): Place[] {
  const recent = [...seen].filter(([, at]) => at >= now - lateMs).sort(([, a], [, b]) => b - a);
  const all = recent.flatMap(([id]) => {
    const place = toPlace(id);
    return place.thread === undefined ? [place] : [{ ...place, thread: undefined }, place];
  });
  return [...new Map(all.map((place) => [keyOf(place), place])).values()].slice(0, maxPlaces);
}

function keyOf({ channel, thread = '' }: Place): string {
  return `${channel}/${thread}`;
}

function spokenIn({ channel }: Place, found: readonly unknown[], since: string): WireMessage[] {
  const messages = found.flatMap((one) => messageSchema.safeParse(Object.assign({}, one, { channel })).data ?? []);
  return messages.filter(({ ts }) => isNewer(ts, since));
}

function answeredSince(found: readonly unknown[], since: string): string[] {
  const parents = found.flatMap((one) => parentSchema.safeParse(one).data ?? []);
  return parents.flatMap(({ ts, latest_reply: last }) => (last !== undefined && isNewer(last, since) ? [ts] : []));
}
