import { z } from 'zod';
import { type ChannelId, channelParts, toChannelId } from '../event.ts';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import { type Change, changeSchema, withChange } from './head.ts';
import { changesWithout, type Somebody } from './traces.ts';

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
  /** In the list of changes somebody is named no more. */
  forget(channel: ChannelId, somebody: Somebody): Promise<void>;
  /** What was changed before is listed no more, in all workspaces. */
  expire(before: number): Promise<void>;
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

  /** One after the other; what was read is kept only once it is written. */
  async function inOrder(
    id: string,
    plan: (workspace: Workspace) => Workspace | undefined,
    also: StoredRecord[],
  ): Promise<void> {
    const mine = last.then(async () => {
      const workspace = plan(await read(id));
      if (workspace === undefined) return;
      await store.commit([record(workspaceKind, id, workspace), ...also]);
      known.set(id, workspace);
    });
    last = mine.catch(() => undefined);
    await mine;
  }

  return {
    settings: async (channel) => (await read(workspaceId(channel))).settings,
    changes: async (channel) => (await read(workspaceId(channel))).changes,
    async change(channel, plan, change, also) {
      const planned = (before: Workspace) => withChange({ ...before, settings: plan(before.settings) }, change);
      await inOrder(workspaceId(channel), planned, also);
    },
    async forget(channel, somebody) {
      await inOrder(
        workspaceId(channel),
        (before) => {
          const changes = changesWithout(before.changes, somebody);
          return changes.every((change, n) => change === before.changes[n]) ? undefined : { ...before, changes };
        },
        [],
      );
    },
    async expire(before) {
      for (const { id } of await store.list(workspaceKind, '')) {
        const planned = (old: Workspace): Workspace | undefined => {
          const changes = old.changes.filter((change) => change.at >= before);
          return changes.length === old.changes.length ? undefined : { ...old, changes };
        };
        await inOrder(id, planned, []);
      }
    },
  };
}

function workspaceId(channel: ChannelId): string {
  const { platform, workspace } = channelParts(channel);
  return toChannelId({ platform, workspace, channel: '*' });
}
