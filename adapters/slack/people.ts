import type { Author } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import type { Api } from './api.ts';
import { slackError } from './api.ts';
import type { Names } from './text.ts';

/** What a text names, and what is known of the channel it was said in. */
interface Known extends Names {
  /** True for a group's direct messages; undefined when that could not be looked up. */
  isGroup(channel: string): boolean | undefined;
}

/** Names of people and channels: looked up once, kept for a while, and no more of them than so many. */

export interface People {
  author(id: string, shown?: string): Promise<Author>;
  /** Looks up what a text names. */
  names(ids: { people: readonly string[]; channels: readonly string[] }): Promise<Known>;
}

const maxKept = 5000;
const keptMs = 15 * 60_000;
/** Whoever waits for names is waited for by Slack, which waits three seconds at most: all of them together. */
const lookupMs = 1000;

/** An id says nothing to people, and must not reach the model. */
const nameless = 'somebody';

interface Person {
  name: string | undefined;
  admin: boolean;
}

export function createPeople(deps: { api: Api; self: string; team: string; log: Log; now(): number }): People {
  const { api, self, team, log } = deps;
  const people = createKept<Person>(deps.now);
  const channels = createKept<Awaited<ReturnType<Api['channel']>>>(deps.now);

  async function lookUp(id: string): Promise<Person> {
    const { team_id: home, name, real_name: real, profile, is_admin: admin, is_owner: owner } = await api.user(id);
    const shown = [profile?.display_name, profile?.real_name, real, name].find(
      (one) => one !== undefined && one !== '',
    );
    // An admin of another workspace, in a channel shared with it, is none here.
    const isOurs = home === undefined || home === team;
    return { name: shown, admin: isOurs && (admin === true || owner === true) };
  }

  async function person(id: string): Promise<Person | undefined> {
    const looked = people.get(id, () => lookUp(id));
    return await inTime(looked, id);
  }

  async function place(id: string): Promise<Awaited<ReturnType<Api['channel']>> | undefined> {
    const looked = channels.get(id, () => api.channel(id));
    return await inTime(looked, id);
  }

  async function inTime<T>(looked: Promise<T>, id: string): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), lookupMs);
    });
    try {
      return await Promise.race([looked, late]);
    } catch (error) {
      // A name makes an answer better, but is not worth a message lost.
      log.warn({ id, error: slackError(error) }, 'a name could not be looked up');
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async author(id, shown) {
      const known = await person(id);
      return { id, name: known?.name ?? shown ?? nameless, admin: known?.admin === true, roles: [] };
    },

    async names(ids) {
      const [persons, places] = await Promise.all([
        Promise.all(ids.people.map(async (id) => [id, (await person(id))?.name] as const)),
        Promise.all(ids.channels.map(async (id) => [id, await place(id)] as const)),
      ]);
      const named = new Map(persons);
      const placed = new Map(places);
      const isGroup = (id: string): boolean | undefined => placed.get(id)?.isGroup;
      return { self, person: (id) => named.get(id), channel: (id) => placed.get(id)?.name, isGroup };
    },
  };
}

/** What was asked for once is not asked for again until it is old; a failure is not kept. */
function createKept<T>(now: () => number) {
  const kept = new Map<string, { value: Promise<T>; until: number }>();
  return {
    get(id: string, look: () => Promise<T>): Promise<T> {
      const known = kept.get(id);
      if (known !== undefined && known.until > now()) return known.value;
      const value = look();
      kept.delete(id);
      kept.set(id, { value, until: now() + keptMs });
      value.catch(() => kept.delete(id));
      const [oldest] = kept.keys();
      if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
      return value;
    },
  };
}
