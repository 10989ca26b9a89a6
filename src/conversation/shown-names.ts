import { type ChannelId, parentChannel } from '../event.ts';
import type { Conversations } from './conversations.ts';
import type { Head } from './head.ts';

/** Channels and people by the names they are shown by, as far as a memory knows them. */
export interface ShownNames {
  channel(channel: ChannelId): Promise<string>;
  person(channel: ChannelId, person: string): Promise<string>;
}

/** For one report: what was looked up is not looked up again. */
export function createShownNames(conversations: Pick<Conversations, 'read'>): ShownNames {
  const heads = new Map<ChannelId, Promise<Head>>();

  function headOf(channel: ChannelId): Promise<Head> {
    const known = heads.get(channel) ?? conversations.read(channel).then((state) => state.head);
    heads.set(channel, known);
    return known;
  }

  return {
    channel: async (channel) => shownPlace(channel, await headOf(channel)),
    async person(channel, person) {
      const above = parentChannel(channel);
      for (const one of above === undefined ? [channel] : [channel, above]) {
        const { people } = await headOf(one);
        const known = Object.hasOwn(people, person) ? people[person] : undefined;
        if (known !== undefined) return known.shown;
      }
      return person;
    },
  };
}

/** As its platform shows it, where that is known; else its id there. */
export function shownPlace(channel: ChannelId, head: Pick<Head, 'place'>): string {
  return head.place ?? channel.split('/').slice(2).map(decodeURIComponent).join(' › ');
}
