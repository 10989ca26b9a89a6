import { z } from 'zod';
import { type ChannelId, channelParts, toChannelId } from '../event.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import { type Change, changeSchema, withChange } from './head.ts';

/** What holds for all channels of a workspace, unless a channel has its own. */
export interface Workspaces {
  settings(channel: ChannelId): Promise<Record<string, unknown>>;
  /** Who changed them, newest last. */
  changes(channel: ChannelId): Promise<Change[]>;
  change(
    channel: ChannelId,
    plan: (settings: Record<string, unknown>) => Record<string, unknown>,
    change: Change,
    also: StoredRecord[],
  ): Promise<void>;
}

interface Workspace {
  settings: Record<string, unknown>;
  changes: Change[];
}

const workspaceKind: RecordKind<Workspace> = {
  name: 'workspace',
  version: 1,
  schema: z.object({ settings: z.record(z.string(), z.unknown()), changes: z.array(changeSchema).default([]) }),
  upgrades: {},
};

export function createWorkspaces(store: Store): Workspaces {
  const known = new Map<string, Workspace>();
  let last: Promise<unknown> = Promise.resolve();

  async function read(id: string): Promise<Workspace> {
    const here = known.get(id);
    if (here !== undefined) return here;
    const workspace = (await store.get(workspaceKind, id)) ?? { settings: {}, changes: [] };
    known.set(id, workspace);
    return workspace;
  }

  return {
    settings: async (channel) => (await read(workspaceId(channel))).settings,
    changes: async (channel) => (await read(workspaceId(channel))).changes,
    async change(channel, plan, change, also) {
      const id = workspaceId(channel);
      const mine = last.then(async () => {
        const before = await read(id);
        const workspace = withChange({ ...before, settings: plan(before.settings) }, change);
        await store.commit([record(workspaceKind, id, workspace), ...also]);
        known.set(id, workspace);
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
