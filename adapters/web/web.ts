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
import { openChannels } from './own-channels.ts';
import { createPageFiles } from './page-files.ts';
import { peopleRoutes } from './people-routes.ts';
import { createPosting } from './posting.ts';
import { createReply } from './reply.ts';
import type { OwnPlace, Route } from './route.ts';
import { openSessions } from './sessions.ts';
import { talkRoutes } from './talk-routes.ts';
import { createThreadNames } from './thread-names.ts';
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
  const uploads = await openUploads(shelf, now);
  const sweeping = setInterval(() => void sweepUploads(), sweepMs).unref();
  const vendor = await openVendor();
  const talk = createOpenTalk(now);
  const live = createLive();
  const names = createThreadNames(views);
  const files = createKeptFiles(sessions.secret, now);
  const exists = ({ channel }: { channel: ChannelId }): boolean => channels.find(channel) !== undefined;
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

  async function sweepUploads(): Promise<void> {
    try {
      await uploads.sweep();
    } catch (error) {
      log.warn({ error }, 'files that nobody sent could not be removed');
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
  const posting = createPosting({ intake, talk, live, channels, now });
  const entrance = createEntrance({ access, sessions, callerOf, now });
  const routes: Route[] = [
    ...entryRoutes({
      access,
      entrance,
      sessions,
      live,
      audit: deps.audit,
      limits: createLoginLimits(now),
      documents: createDocuments(vendor.importMap),
      files: createPageFiles(),
      vendor,
      callerOf,
      now,
    }),
    ...peopleRoutes({ host: deps, entrance, hasLogin: access.hasLogin }),
    ...channelRoutes({ channels, views, posting, talk, live, names, now }),
    ...talkRoutes({ views, posting, talk, live, uploads }),
    ...fileRoutes({ uploads, files, unreadable: deps.unreadable }),
    ...memoryRoutes({ views, files, now }),
    ...usageRoutes({ usage: deps.usage, platform: onlyPlatform, audit: deps.audit }),
    ...auditRoutes({ views, platform: onlyPlatform }),
  ];

  function findOwn(key: string): OwnPlace | undefined {
    const found = channels.find(key);
    return found && { id: found.thread?.id ?? found.channel.id, ...found };
  }

  const app = createWebApp({
    routes,
    entrance,
    callerOf,
    publicUrl,
    isTaking: () => state === 'open',
    findOwn,
    findForeign: createForeignChannels(views, now),
    mayUse: deps.mayUse,
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
