import { toBotError } from '../errors.ts';
import { type ChannelId, channelParts, parentChannel } from '../event.ts';
import { type Named, toLabels } from '../usage/labels.ts';
import type { Conversations } from './conversations.ts';
import type { Head } from './head.ts';
import type { ChannelState } from './journal.ts';

/** Channels and people by the names they are shown by, as far as a memory knows them. */
export interface ShownNames {
  /** The name alone, which others may have too. */
  channel(channel: ChannelId): Promise<string>;
  /** The name a person was last seen under in these channels; the id where none of them knows the person. */
  person(person: string, channels: readonly ChannelId[]): Promise<string>;
}

/** Who did something, and where. */
export interface Seen {
  channel: ChannelId;
  person: string;
}

/** More of a person's channels are not looked at for a name: the last ones used come first. */
const mostChannels = 20;

/** For one report: what was looked up is not looked up again. */
export function createShownNames(conversations: Pick<Conversations, 'read'>): ShownNames {
  const states = new Map<ChannelId, Promise<ChannelState | undefined>>();

  function stateOf(channel: ChannelId): Promise<ChannelState | undefined> {
    const known = states.get(channel) ?? conversations.read(channel).catch(noneIfDamaged);
    states.set(channel, known);
    return known;
  }

  return {
    channel: async (channel) => shownPlace(channel, (await stateOf(channel))?.head ?? {}),
    async person(person, channels) {
      const places = new Set(channels.slice(0, mostChannels).flatMap((one) => [one, parentChannel(one) ?? one]));
      let last: { name: string; at: number } | undefined;
      for (const place of places) {
        const state = await stateOf(place);
        if (state === undefined || !Object.hasOwn(state.head.people, person)) continue;
        const known = state.head.people[person];
        const at = lastSaid(state, person);
        if (known !== undefined && (last === undefined || at > last.at)) last = { name: known.shown, at };
      }
      return last?.name ?? person;
    },
  };
}

/** A damaged channel goes by its id, and hides no name of the others. */
function noneIfDamaged(error: unknown): undefined {
  if (toBotError(error).kind !== 'damaged') throw error;
}

function lastSaid({ page, tail }: ChannelState, person: string): number {
  const isTheirs = ({ author }: { author?: string | undefined }): boolean => author === person;
  return Math.max(page.findLast(isTheirs)?.at ?? 0, tail.findLast(isTheirs)?.at ?? 0);
}

/** As its platform shows it, where that is known; else its id there. */
export function shownPlace(channel: ChannelId, head: Partial<Pick<Head, 'place' | 'direct'>>): string {
  if (head.place === undefined && head.direct === true) return 'direct message';
  return head.place ?? channel.split('/').slice(2).map(decodeURIComponent).join(' › ');
}

/** A thread counts as its channel. */
export function channelKey(channel: ChannelId): ChannelId {
  return parentChannel(channel) ?? channel;
}

/** The same person in every workspace of a platform. */
export function personKey({ channel, person }: Seen): string {
  return `${channelParts(channel).platform}:${person}`;
}

export function lastFirst<T extends { day: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : 0));
}

export interface Labels {
  channel(channel: ChannelId): string;
  person(seen: Seen): string;
}

/** Names that tell apart whoever and whatever is called the same. `fixed`: names by the bare id. */
export async function labelsOf(
  rows: readonly (Seen & { day: string })[],
  names: ShownNames,
  fixed: ReadonlyMap<string, string>,
): Promise<Labels> {
  const seen = lastFirst(rows);
  const channelNames: Named[] = [];
  for (const key of new Set(seen.map(({ channel }) => channelKey(channel)))) {
    const { platform, workspace } = channelParts(key);
    channelNames.push({ key, name: await names.channel(key), hints: [platform, `${platform}/${workspace}`] });
  }
  const personNames: Named[] = [];
  for (const [key, of] of Map.groupBy(seen, personKey)) {
    const [{ person } = { person: '' }] = of;
    if (fixed.has(person)) continue;
    const name = await names.person(person, [...new Set(of.map(({ channel }) => channel))]);
    personNames.push({ key, name, hints: [key.slice(0, key.indexOf(':'))] });
  }
  const channelLabels = toLabels(channelNames);
  const personLabels = toLabels(personNames);
  return {
    channel: (channel) => channelLabels.get(channelKey(channel)) ?? channel,
    person: (one) => fixed.get(one.person) ?? personLabels.get(personKey(one)) ?? one.person,
  };
}
