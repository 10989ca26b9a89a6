import { setTimeout as delay } from 'node:timers/promises';
import { App, webApi } from '@slack/bolt';
import { BotError, isThrownIn, toBotError } from '../../src/errors.ts';
import type { Adapter, Event, OnStray, OpenIntake, Reply, Surface } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { createApi } from './api.ts';
import { createBoltLogger } from './bolt-logger.ts';
import { catchUp } from './catch-up.ts';
import { createClaims } from './claims.ts';
import { type PersonCommands, readOrigin } from './command.ts';
import { createCommandReply } from './command-reply.ts';
import { errorName, toPlatformError, troubleOf } from './failure.ts';
import { createFetch } from './files.ts';
import { createHome } from './home.ts';
import { createHosts } from './hosts.ts';
import { createHttpLine } from './http.ts';
import { toLink } from './ids.ts';
import type { Line } from './line.ts';
import { createListening } from './listening.ts';
import { requestHeaders } from './methods.ts';
import { createNotices, type Split } from './notices.ts';
import { createPane } from './pane.ts';
import { createPeople } from './people.ts';
import { createMessageReply, createQuietReply } from './reply.ts';
import { createResponding } from './responding.ts';
import { createSocketLine } from './socket.ts';
import { createTaking, type Taking } from './taking.ts';
import { inSlackWords } from './words.ts';

export interface SlackDeps {
  openIntake: OpenIntake;
  log: Log;
  now(): number;
  botToken: string;
  /** How events come in: over a socket of ours, or as requests of Slack's. */
  line: { appToken: string } | { signingSecret: string; host: string; port: number };
  /** Slack's own where there is none. */
  apiUrl: string | undefined;
  /** So far back it is looked for what was said while nobody listened. */
  catchUpMs: number;
  commands: readonly PersonCommands[];
  /** Cuts a long text into messages. */
  split: Split;
  /** The operator must do something; nothing here will help. */
  onFatal(error: BotError): void;
  onStray: OnStray;
}

const requestMs = 15_000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Returns at once; what keeps it from being ready is in its health, and what will not pass goes to `onFatal`. */
export function startSlack(deps: SlackDeps): Adapter {
  const { now } = deps;
  const log = deps.log.child({ platform: 'slack' });
  const logger = createBoltLogger(log);
  const stop = new AbortController();
  const { signal } = stop;
  const hosts = createHosts(deps.apiUrl);
  // Each call decides for itself how it is tried again: the client's own way stops all for one, and posts twice.
  const clientOptions = {
    ...(deps.apiUrl === undefined ? {} : { slackApiUrl: deps.apiUrl }),
    headers: requestHeaders(),
    logger,
    timeout: requestMs,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
  };
  const web = new webApi.WebClient(deps.botToken, clientOptions);
  const api = createApi({ web, log, signal, onUnauthorized: (error) => fail(badToken(error)) });
  const line: Line =
    'appToken' in deps.line
      ? createSocketLine({ ...deps.line, apiUrl: deps.apiUrl, log, logger, onFatal: fail })
      : createHttpLine({ ...deps.line, log, now });
  let state: 'open' | 'paused' | 'closed' = 'open';
  let failed = false;

  function fail(error: unknown): void {
    if (state === 'closed' || failed) return;
    failed = true;
    deps.onFatal(toBotError(error));
  }

  /** Nothing is answered before it is certain that it can be: what an earlier run accepted would be lost. */
  async function whoAmI(): ReturnType<typeof api.self> {
    for (let failures = 0; ; failures++) {
      try {
        return await api.self();
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === 'unauthorized') throw badToken(error);
        if (signal.aborted) throw toPlatformError(error, now());
        log.warn({ error, trouble }, 'Slack cannot be reached; I try again');
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async function start(): Promise<void> {
    const startedAt = now();
    const { user_id: self, team_id: team, bot_id: botId, url, ...own } = await whoAmI();
    const enterprise = own.is_enterprise_install === true ? (own.enterprise_id ?? undefined) : undefined;
    const split: Split = (text, maxChars) => deps.split(inSlackWords(text, deps.commands), maxChars);
    const notices = createNotices({ api, split, self, log, now });
    const home = createHome({ api, log, split });
    const habits = { refused: false, withoutBlocks: false };
    const claims = createClaims();
    const replying = { api, notices, log, now, self, habits, claims };
    const commanding = { ...replying, responding: createResponding(now), split };
    let taking: Taking | undefined;

    function reply(event: Event, posted: readonly string[]): Reply {
      const fresh = taking?.isFresh(event) === true && posted.length === 0;
      switch (event.kind) {
        case 'message':
          return createMessageReply(replying, event, posted, fresh);
        case 'command':
          if (readOrigin(event.origin).how === 'home') return home.reply(event);
          return createCommandReply(commanding, event, posted, fresh);
        case 'edit':
        case 'delete':
          return createQuietReply(log, event);
      }
    }

    const surface: Surface = {
      reply,
      fetch: createFetch(hosts, deps.botToken),
      link: (channel, ...message) => toLink(url, channel, ...message),
    };
    const intake = await deps.openIntake('slack', surface);
    taking = createTaking(intake, startedAt);
    const people = createPeople({ api, self, team, log, now });
    const where = { team, mayRespond: hosts.isResponse };
    const app = new App({
      receiver: line,
      authorize: async () => ({ botToken: deps.botToken, botUserId: self, teamId: team, ...(botId ? { botId } : {}) }),
      // What was said is the core's to remember, and whose words count is decided in to-event.ts.
      convoStore: false,
      ignoreSelf: false,
      clientOptions,
      logger,
    });
    const onRemoved = (): void => fail(badToken(undefined));
    const pane = createPane(api, log);
    const { commands } = deps;
    const installation = { team, enterprise };
    const listening = createListening({
      people,
      taking,
      pane,
      where,
      installation,
      commands,
      self,
      log,
      now,
      onRemoved,
    });
    listening.to(app);
    await line.open();
    log.info({}, 'connected to Slack');
    if (deps.catchUpMs === 0) return;
    const isOpen = (): boolean => state === 'open';
    await catchUp({ api, offer: listening.missed, backMs: deps.catchUpMs, isOpen, log, now }, intake.lastSeen());
  }

  deps.onStray((error) => {
    if (!isThrownIn(error, ['@slack'])) return false;
    log.error({ error }, 'the line to Slack failed in a way that nobody expected; I connect again');
    line.reopen();
    return true;
  });
  start().catch(fail);

  return {
    name: 'slack',
    health() {
      const { ready, detail } = line.health();
      return { ready: ready && state === 'open' && !failed, detail: state === 'open' ? detail : state };
    },
    async pause() {
      if (state === 'open') state = 'paused';
      await line.pause();
    },
    async close() {
      state = 'closed';
      stop.abort();
      await line.close();
    },
  };
}

function badToken(error: unknown): BotError {
  const name = errorName(error) ?? 'the app was removed from the workspace';
  const remedy =
    'At https://api.slack.com/apps choose the app, install it again under Install App, and put the Bot User OAuth Token (xoxb-…) into SLACK_BOT_TOKEN';
  return new BotError('config', `SLACK_BOT_TOKEN: Slack does not accept this token (${name}). ${remedy}`, {
    cause: error,
  });
}
