import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Adapter, ChannelId } from '../../src/event.ts';
import { createAccess, type Passwords } from './access.ts';
import { auditRoutes } from './audit-routes.ts';
import { channelRoutes } from './channel-routes.ts';
import { createDocuments } from './documents.ts';
import { createEntrance } from './entrance.ts';
import { entryRoutes } from './entry-routes.ts';
import { fileRoutes } from './file-routes.ts';
import { createForeignChannels } from './foreign-channels.ts';
import type { ConsoleHost } from './host.ts';
import { createKeptFiles } from './kept-files.ts';
import { createLive } from './live.ts';
import { createLoginLimits } from './login-limits.ts';
import { memoryRoutes } from './memory-routes.ts';
import { createOpenTalk } from './open-talk.ts';
import { type ChannelRecord, openChannels } from './own-channels.ts';
import { createPageFiles } from './page-files.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPosting } from './posting.ts';
import { openPrivateChannels } from './private-channels.ts';
import { createReply } from './reply.ts';
import type { OwnPlace, Route, Visitor } from './route.ts';
import { openSessions } from './sessions.ts';
import { talkRoutes } from './talk-routes.ts';
import { createThreadNames } from './thread-names.ts';
import { toErasure } from './to-event.ts';
import { openUploads } from './uploads.ts';
import { usageRoutes } from './usage-routes.ts';
import { openVendor } from './vendor.ts';
import { createWebApp } from './web-app.ts';

export interface WebDeps extends ConsoleHost {
  /** Only programs of this machine reach the server. */
  isLoopback: boolean;
  /** The address people use, where it is known. */
  publicUrl: string | undefined;
  passwords: Passwords;
  /** Whether admins see the channels of other platforms. */
  showsOthers: boolean;
}

export interface Web extends Adapter {
  /** Answers every request that is given to it. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** All that can be asked, with the rights it takes. */
  routes: readonly Route[];
}

/** How often files that nobody sent are looked for. */
const sweepMs = 600_000;

export async function startWeb(deps: WebDeps): Promise<Web> {
  const views = deps.showsOthers ? deps.views : { ...deps.views, channels: async () => [] };
  const onlyPlatform = deps.showsOthers ? undefined : 'web';
  const { shelf, log, now, passwords, callerOf, publicUrl } = deps;
  const access = createAccess(deps.isLoopback, passwords);
  const sessions = await openSessions(shelf, passwords, now);
  const onTrouble = (error: unknown): void => log.warn({ error }, 'when a channel was used last could not be kept');
  const channels = await openChannels({ shelf, now, onTrouble });
  const privates = await openPrivateChannels({ shelf, secret: sessions.secret, now, onTrouble });
  const uploads = await openUploads(shelf, now);
  const sweeping = setInterval(() => void sweep(), sweepMs).unref();
  const vendor = await openVendor();
  const talk = createOpenTalk(now);
  const live = createLive();
  const names = createThreadNames(views);
  const files = createKeptFiles(sessions.secret, now);
  const exists = ({ channel }: { channel: ChannelId }): boolean =>
    channels.find(channel) !== undefined || privates.has(channel);
  let state: 'open' | 'paused' | 'closed' = 'open';

  const unwatch = views.watch((change) => {
    if (change.what === 'amended' || change.what === 'reset') {
      talk.settle(change.channel);
      files.drop(change.channel);
      live.dropTalk(change.channel);
      void renameThreads(change.channel);
    }
    live.tell(change.channel, { type: 'memory', channel: change.channel, change });
  });

  async function sweep(): Promise<void> {
    try {
      await uploads.sweep();
      if (state !== 'open') return;
      for (const channel of privates.stale()) await forget(channel, { id: channel.by, name: channel.name });
    } catch (error) {
      log.warn({ error }, 'what nobody needs any more could not be removed');
    }
  }

  /** Whoever shows the old names reads them again. */
  async function renameThreads(channel: ChannelId): Promise<void> {
    try {
      if (await names.refresh(channel)) live.tellAll({ type: 'channels' });
    } catch (error) {
      log.warn({ channel, error }, 'the names of threads could not be read');
    }
  }

  const intake = await deps.openIntake('web', {
    reply: (event) => createReply({ talk, live, files, exists }, event),
    fetch: async ({ source }) => await uploads.fetch(source),
    // The console does not know by which name it is reached.
    link: () => undefined,
  });
  function touch(id: ChannelId, at: number): void {
    channels.touch(id, at);
    privates.touch(id, at);
  }

  const posting = createPosting({ intake, talk, live, touch, now });
  const documents = createDocuments(vendor.importMap);
  const entrance = createEntrance({ access, sessions, callerOf, now });
  const routes: Route[] = [
    ...entryRoutes({
      access,
      entrance,
      sessions,
      handOver: privates.handOver,
      live,
      audit: deps.audit,
      limits: createLoginLimits(now),
      documents,
      files: createPageFiles(),
      vendor,
      callerOf,
      now,
    }),
    ...peopleRoutes({ host: deps, entrance, hasLogin: access.hasLogin }),
    ...channelRoutes({ channels, privates, views, live, names, forget }),
    ...talkRoutes({ views, posting, talk, live, uploads }),
    ...fileRoutes({ uploads, files, unreadable: deps.unreadable }),
    ...memoryRoutes({ views, files, now }),
    ...usageRoutes({ usage: deps.usage, platform: onlyPlatform, audit: deps.audit }),
    ...auditRoutes({ views, platform: onlyPlatform }),
  ];

  /** What was said there is forgotten first: what is off the list could no longer be reached. */
  async function forget(channel: ChannelRecord, by: Visitor['person']): Promise<void> {
    const { id } = channel;
    await posting.post(toErasure({ channel, by, posted: { id: `delete-${randomUUID()}`, at: now() } }));
    await (channel.private ? privates : channels).remove(id);
    talk.drop(id);
    live.dropTalk(id);
  }

  function findOwn(key: string, person: string): OwnPlace | undefined {
    const found = channels.find(key) ?? privates.find(key, person);
    return found && { id: found.thread?.id ?? found.channel.id, ...found };
  }

  const app = createWebApp({
    routes,
    entrance,
    callerOf,
    publicUrl,
    isTaking: () => state === 'open',
    findOwn,
    keep: async ({ channel }, { person, payer }) => {
      if (channel.private) await privates.keep(person.id, payer);
    },
    findForeign: createForeignChannels(views, now),
    mayUse: deps.mayUse,
    documents,
    audit: deps.audit,
    log,
    now,
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });

  return {
    name: 'web',
    routes,
    handle(request, response) {
      void listener(request, response);
      return true;
    },
    health: () => ({ ready: state === 'open', detail: state === 'open' ? 'serving' : state }),
    async pause() {
      if (state === 'open') state = 'paused';
    },
    async close() {
      state = 'closed';
      clearInterval(sweeping);
      unwatch();
      live.close();
    },
  };
}
