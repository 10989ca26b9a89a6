import { z } from 'zod';
import { type ChannelId, channelParts, toChannelId } from '../event.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';

/** What holds for all channels of a workspace, unless a channel has its own. */
export interface Workspaces {
  settings(channel: ChannelId): Promise<Record<string, unknown>>;
  change(
    channel: ChannelId,
    plan: (settings: Record<string, unknown>) => Record<string, unknown>,
    also: StoredRecord[],
  ): Promise<void>;
}

const workspaceKind: RecordKind<{ settings: Record<string, unknown> }> = {
  name: 'workspace',
  version: 1,
  schema: z.object({ settings: z.record(z.string(), z.unknown()) }),
  upgrades: {},
};

export function createWorkspaces(store: Store): Workspaces {
  const known = new Map<string, Record<string, unknown>>();
  let last: Promise<unknown> = Promise.resolve();

  async function read(id: string): Promise<Record<string, unknown>> {
    const here = known.get(id);
    if (here !== undefined) return here;
    const settings = (await store.get(workspaceKind, id))?.settings ?? {};
    known.set(id, settings);
    return settings;
  }

  return {
    settings: (channel) => read(workspaceId(channel)),
    async change(channel, plan, also) {
      const id = workspaceId(channel);
      const mine = last.then(async () => {
        const settings = plan(await read(id));
        await store.commit([record(workspaceKind, id, { settings }), ...also]);
        known.set(id, settings);
      });
      last = mine.catch(() => undefined);
      await mine;
    },
  };
}

function workspaceId(channel: ChannelId): string {
  const { platform, workspace } = channelParts(channel);
  return toChannelId({ platform, workspace, channel: '*' });
}
