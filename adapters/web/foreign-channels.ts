import type { ChannelId } from '../../src/event.ts';
import type { MemoryViews } from './host.ts';

/** Direct messages are in no list: what is not listed is not shown, whoever guesses its name. */
export function createForeignChannels(views: Pick<MemoryViews, 'channels'>, now: () => number) {
  let listed: Promise<ReadonlySet<string>> | undefined;
  let listedAt = 0;

  async function list(): Promise<ReadonlySet<string>> {
    const found = await views.channels();
    return new Set(found.filter((one) => one.platform !== 'web').map((one) => one.id));
  }

  return async (key: string): Promise<ChannelId | undefined> => {
    if (listed === undefined || now() - listedAt > staleMs) {
      listedAt = now();
      listed = list();
      listed.catch(() => {
        listed = undefined;
      });
    }
    return (await listed).has(key) ? (key as ChannelId) : undefined;
  };
}

/** Every look into a memory asks; the list is long. */
const staleMs = 2_000;
