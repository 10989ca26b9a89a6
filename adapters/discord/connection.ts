import { setTimeout as delay } from 'node:timers/promises';
import {
  Client,
  Events,
  GatewayIntentBits,
  Options,
  SimpleShardingStrategy,
  Status,
  type WebSocketManager,
} from 'discord.js';
import { BotError, toBotError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';

/** The line to Discord: kept up by discord.js, as far as it can be. */
export interface Connection {
  /** Resolves with the first session; a failure that passes is waited for, one that does not is thrown. */
  open(): Promise<void>;
  /** Begins anew, after something has gone wrong that nobody expected. */
  reopen(): void;
  health(): { ready: boolean; detail: string };
  close(): Promise<void>;
}

export interface ConnectionDeps {
  token: string;
  apiUrl: string | undefined;
  log: Log;
  now(): number;
  signal: AbortSignal;
  /** Before anything comes in. */
  onClient(client: Client): void;
  /** The line was closed for good. */
  onFatal(error: BotError): void;
}

/** In place of the version of Node, which the library would tell Discord. */
export const userAgentAppendix = 'Channelore';
const portal = 'https://discord.com/developers/applications';
const firstPauseMs = 1000;
const longestPauseMs = 60_000;
/** Each new beginning is a session more, and Discord gives so many a day. */
const longestRestMs = 600_000;
const calmMs = 900_000;

/** What an operator must do about a line that Discord closes for good. */
const remedies = new Map<number, string>([
  [
    4004,
    `DISCORD_BOT_TOKEN: Discord does not accept this token. Open ${portal}, choose the application, then Bot > Reset Token, and put the new token into DISCORD_BOT_TOKEN`,
  ],
  [4010, 'DISCORD_BOT_TOKEN: Discord refused the shard numbers; update the program'],
  [4011, 'DISCORD_BOT_TOKEN: the bot is in too many servers for one connection; start it again, so that it takes more'],
  [4012, 'DISCORD_BOT_TOKEN: Discord no longer speaks this version of its gateway; update the program'],
  [4013, 'DISCORD_BOT_TOKEN: Discord does not know the intents asked for; update the program'],
  [
    4014,
    `DISCORD_BOT_TOKEN: this application may not read messages. Open ${portal}, choose the application, then Bot > Privileged Gateway Intents, switch on Message Content Intent, save, and start again`,
  ],
]);

export function remedyFor(closeCode: number, cause?: unknown): BotError | undefined {
  const remedy = remedies.get(closeCode);
  return remedy === undefined ? undefined : new BotError('config', remedy, { cause });
}

export const badToken = 4004;

export function createConnection(deps: ConnectionDeps): Connection {
  const { log, signal } = deps;
  let client: Client | undefined;
  let fatal: BotError | undefined;
  let opened = false;
  let reopening = false;
  let reopened = { count: 0, at: Number.NEGATIVE_INFINITY };

  /** What it throws where it cannot read a packet would end the program; the other packets are none the worse. */
  function survive<A extends unknown[], R>(handle: (...given: A) => R, otherwise: R): (...given: A) => R {
    return (...given) => {
      try {
        return handle(...given);
      } catch (error) {
        log.warn({ error }, 'something of Discord’s cannot be read and was left out');
        return otherwise;
      }
    };
  }

  /** Packets of the time before it is ready are kept, and handled from a timer. */
  function guardQueue(ws: WebSocketManager): void {
    const handle: unknown = Reflect.get(ws, 'handlePacket');
    if (typeof handle !== 'function') return;
    Reflect.set(
      ws,
      'handlePacket',
      survive((...given: unknown[]): unknown => handle.apply(ws, given), true),
    );
  }

  function createOne(): Client {
    const one = new Client({
      intents: [
        GatewayIntentBits.Guilds,
        GatewayIntentBits.GuildMessages,
        GatewayIntentBits.DirectMessages,
        GatewayIntentBits.MessageContent,
      ],
      shards: 'auto',
      // What was said is the core's to remember.
      makeCache: Options.cacheWithLimits({
        ...Options.DefaultMakeCacheSettings,
        MessageManager: 0,
        ReactionManager: 0,
      }),
      ...(deps.apiUrl === undefined ? {} : { rest: { api: deps.apiUrl } }),
      ws: {
        buildStrategy(manager) {
          manager.emit = survive(manager.emit.bind(manager), true);
          return new SimpleShardingStrategy(manager);
        },
      },
    });
    one.rest.options.userAgentAppendix = userAgentAppendix;
    guardQueue(one.ws);
    // After READY these codes leave the client as it is, and saying that it is ready.
    one.on(Events.ShardDisconnect, ({ code }) => {
      if (one !== client) return;
      fatal ??= remedyFor(code) ?? new BotError('platform', `Discord closed the line for good (${code})`);
      if (opened) deps.onFatal(fatal);
    });
    one.on(Events.ShardError, (error, shard) => log.warn({ error, shard }, 'the line to Discord has trouble'));
    one.on(Events.ShardReconnecting, (shard) => {
      if (!signal.aborted) log.info({ shard }, 'the line to Discord is being restored');
    });
    one.on(Events.ShardResume, (shard, replayed) => log.info({ shard, replayed }, 'the line to Discord is restored'));
    one.on(Events.Error, (error) => log.warn({ error }, 'the Discord client has trouble'));
    one.on(Events.Warn, (warning) => log.debug({ warning }, 'the Discord client warns'));
    return one;
  }

  async function attempt(): Promise<boolean> {
    client = createOne();
    deps.onClient(client);
    try {
      await client.login(deps.token);
      opened = true;
      return true;
    } catch (error) {
      if (fatal !== undefined) throw fatal;
      if (isBadToken(error)) throw remedyFor(badToken, error) ?? error;
      log.warn({ error }, 'Discord cannot be reached; I try again');
      return false;
    }
  }

  async function open(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      if (await attempt()) return;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async function begin(restMs: number): Promise<void> {
    const old = client;
    client = undefined;
    try {
      await old?.destroy();
    } catch (error) {
      log.debug({ error }, 'the old line to Discord did not close');
    }
    await delay(restMs, undefined, { signal }).catch(() => undefined);
    await open();
    if (!signal.aborted) log.info({}, 'connected to Discord again');
  }

  return {
    open,
    reopen() {
      // The first attempts are repeated as it is.
      if (!opened || reopening || fatal !== undefined || signal.aborted) return;
      reopening = true;
      const isCalm = deps.now() - reopened.at > calmMs;
      reopened = { count: isCalm ? 0 : reopened.count + 1, at: deps.now() };
      begin(Math.min(longestRestMs, firstPauseMs * 2 ** reopened.count))
        .catch((error: unknown) => deps.onFatal(toBotError(error)))
        .finally(() => {
          reopening = false;
        });
    },
    health() {
      if (fatal !== undefined) return { ready: false, detail: fatal.message };
      const shards = [...(client?.ws.shards.values() ?? [])];
      const down = shards.filter((shard) => shard.status !== Status.Ready).length;
      if (shards.length === 0) return { ready: false, detail: 'not connected yet' };
      return down > 0
        ? { ready: false, detail: `${down} of ${shards.length} connections are being restored` }
        : { ready: true, detail: 'connected' };
    },
    async close() {
      await client?.destroy();
    },
  };
}

function isBadToken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'TokenInvalid';
}
