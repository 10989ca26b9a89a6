import { setTimeout as delay } from 'node:timers/promises';
import { REST } from 'discord.js';
import { type BotError, isThrownIn, toBotError } from '../../src/errors.ts';
import type { Adapter, Attachment, Event, OnStray, OpenIntake, Reply } from '../../src/event.ts';
import type { Log } from '../../src/log.ts';
import { createAcknowledging } from './acknowledging.ts';
import { createApi } from './api.ts';
import { createFetch } from './attachments.ts';
import { createCommandReply } from './command-reply.ts';
import { badToken, createConnection, remedyFor, userAgentAppendix } from './connection.ts';
import { toPlatformError, troubleOf } from './failure.ts';
import { toLink, toPlace } from './ids.ts';
import { createListening, type ListeningDeps } from './listening.ts';
import { createNotices, type Split } from './notices.ts';
import { createPlaces } from './places.ts';
import { createMessageReply, createQuietReply } from './reply.ts';
import { areRegistered, type SlashSpec, toSlashCommands } from './slash-commands.ts';
import { createTaking, type Taking } from './taking.ts';
import { toDeleteEvent } from './to-event.ts';

export interface DiscordDeps {
  openIntake: OpenIntake;
  log: Log;
  now(): number;
  token: string;
  /** Discord's own where there is none. */
  apiUrl: string | undefined;
  /** How far back it looks for what was said while it was away. */
  catchUpMs: number;
  commands: readonly SlashSpec[];
  valuesFor: ListeningDeps['valuesFor'];
  /** Cuts a long text into messages. */
  split: Split;
  /** The operator must do something; nothing here will help. */
  onFatal(error: BotError): void;
  onStray: OnStray;
}

const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Returns at once; what keeps it from being ready is in its health, and what will not pass goes to `onFatal`. */
export function startDiscord(deps: DiscordDeps): Adapter {
  const log = deps.log.child({ platform: 'discord' });
  const stop = new AbortController();
  const { signal } = stop;
  const rest = new REST({ ...(deps.apiUrl !== undefined && { api: deps.apiUrl }), userAgentAppendix }).setToken(
    deps.token,
  );
  const api = createApi(rest, signal);
  const acknowledging = createAcknowledging({ api, log });
  const fetchAttachment = createFetch(deps.apiUrl);
  let state: 'open' | 'paused' | 'closed' = 'open';
  let self = '';
  const direct = new Set<string>();
  let taking: Taking | undefined;
  let places: ReturnType<typeof createPlaces> | undefined;

  const onClient = (client: Parameters<ReturnType<typeof createListening>['to']>[0]): void => {
    if (taking === undefined || places === undefined) return;
    places.use(client);
    const { commands, valuesFor, now, catchUpMs } = deps;
    const isOpen = (): boolean => state === 'open';
    const own = { api, places, taking, acknowledging, log, isOpen, direct };
    createListening({ ...own, commands, valuesFor, now, catchUpMs }).to(client);
  };
  const connection = createConnection({ ...deps, log, signal, onClient, onFatal: fail });
  const notices = createNotices({ api, split: deps.split, self: () => self });

  function fail(error: unknown): void {
    if (state !== 'closed') deps.onFatal(toBotError(error));
  }

  /** A message that is gone was deleted while nobody listened: then that is what has happened. */
  function onQuestionGone(event: Event): void {
    if (event.kind !== 'message' || taking === undefined) return;
    const deletion = toDeleteEvent([event.messageId], toPlace(event.channel));
    if (deletion !== undefined) void taking.take(deletion, true);
  }

  function reply(event: Event, posted: readonly string[]): Reply {
    const replying = { api, notices, log, now: deps.now, self: () => self, onQuestionGone, split: deps.split };
    const fresh = posted.length === 0 && taking?.isFresh(event) === true;
    switch (event.kind) {
      case 'message':
        return createMessageReply(replying, event, posted, fresh);
      case 'command':
        return createCommandReply({ ...replying, acknowledged: acknowledging.done }, event, posted, fresh);
      case 'edit':
      case 'delete':
        return createQuietReply(log, event);
    }
  }

  /** Nothing is answered before it is certain that it can be: what an earlier run accepted would be lost. */
  async function whoAmI(): Promise<string> {
    for (let failures = 0; ; failures++) {
      try {
        return await api.self();
      } catch (error) {
        if (troubleOf(error) === 'unauthorized') throw remedyFor(badToken, error) ?? error;
        if (signal.aborted) throw toPlatformError(error, deps.now());
        log.warn({ error }, 'Discord cannot be reached; I try again');
        const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async function register(): Promise<void> {
    const wanted = toSlashCommands(deps.commands);
    try {
      // A bot's application has the bot's own id, but for the oldest ones: Discord says which it is.
      const application = await api.application();
      if (areRegistered(wanted, await api.commands(application))) return;
      await api.registerCommands(application, wanted);
      log.info({ count: wanted.length }, 'the slash commands are registered');
    } catch (error) {
      log.warn(
        { error: toPlatformError(error, deps.now()) },
        'the slash commands could not be registered; mentions work all the same',
      );
    }
  }

  async function start(): Promise<void> {
    self = await whoAmI();
    places = createPlaces(api, self);
    const surface = {
      reply,
      fetch: (attachment: Attachment, until: AbortSignal) => fetchAttachment(attachment, until),
      link: toLink,
    };
    const intake = await deps.openIntake('discord', surface);
    taking = createTaking(intake, { log, signal });
    for (const channel of intake.lastSeen().keys())
      if (toPlace(channel).guild === undefined) direct.add(toPlace(channel).id);
    await connection.open();
    log.info({}, 'connected to Discord');
    await register();
  }

  deps.onStray((error) => {
    if (!isThrownIn(error, ['discord.js', '@discordjs'])) return false;
    log.error({ error }, 'the line to Discord failed in a way that nobody expected; I connect again');
    connection.reopen();
    return true;
  });
  start().catch(fail);

  return {
    name: 'discord',
    health() {
      const line = connection.health();
      return { ready: line.ready && state === 'open', detail: state === 'open' ? line.detail : state };
    },
    async pause() {
      if (state === 'open') state = 'paused';
    },
    async close() {
      state = 'closed';
      stop.abort();
      await connection.close();
    },
  };
}
