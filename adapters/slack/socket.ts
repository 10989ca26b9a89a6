import { setTimeout as delay } from 'node:timers/promises';
import { SocketModeReceiver } from '@slack/bolt';
import { z } from 'zod';
import { BotError, toBotError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';
import type { BoltLogger } from './bolt-logger.ts';
import { errorName, retryAfterMs, troubleOf } from './failure.ts';
import { createDeliver, type Line } from './line.ts';
import { requestHeaders } from './methods.ts';

/**
 * Socket Mode. The client that Bolt brings speaks it; when to connect again is decided here, because its own attempts
 * end the process when the token has been revoked meanwhile.
 */
export interface SocketDeps {
  appToken: string;
  /** Slack's own where there is none. */
  apiUrl: string | undefined;
  log: Log;
  logger: BoltLogger;
  /** The line is closed for good. */
  onFatal(error: BotError): void;
}

type Client = SocketModeReceiver['client'];

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** Without Slack's hello the client would wait for ever. */
const helloMs = 15_000;
const requestMs = 10_000;

export function createSocketLine(deps: SocketDeps): Line {
  const { log } = deps;
  const stop = new AbortController();
  /** The one that counts; while Slack changes sockets there is another. */
  let client: Client | undefined;
  const clients = new Set<Client>();
  let connected = false;
  let renewing = false;
  let fatal: BotError | undefined;
  const { init, deliver } = createDeliver(log);

  /** Bolt's own receiver holds the client; its handler, which has no app, does nothing. */
  function createClient(): Client {
    const api = deps.apiUrl === undefined ? {} : { slackApiUrl: deps.apiUrl };
    const { appToken, logger } = deps;
    const clientOptions = {
      ...api,
      // In place of the client's own, its token included.
      headers: { ...requestHeaders(), Authorization: `Bearer ${appToken}` },
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: requestMs,
    };
    const options = { appToken, logger, autoReconnectEnabled: false, installerOptions: { clientOptions } };
    const { client: made } = new SocketModeReceiver(options);
    clients.add(made);
    made.once('disconnected', () => clients.delete(made));
    aheadOf(made);
    made.on('slack_event', (given: Envelope) => {
      take(given).catch((error: unknown) => {
        log.warn({ error: toBotError(error) }, 'an event of Slack’s could not be taken; it will come again');
      });
    });
    return made;
  }

  async function take({ body, ack }: Envelope): Promise<void> {
    if (stop.signal.aborted) return;
    const answer = await deliver(body);
    try {
      await ack(answer);
    } catch (error) {
      // The socket is gone; on the next one it comes again, and is known.
      log.debug({ error }, 'an event could not be acknowledged');
    }
  }

  /**
   * Slack says so before it closes a socket. The client would close it at once; the next one is opened first, so that no
   * click and no command falls between them.
   */
  function aheadOf(made: Client): void {
    const own = made.listeners('ws_message');
    let leaving = false;
    made.removeAllListeners('ws_message');
    made.on('ws_message', (data: unknown, ...more: unknown[]) => {
      if (!isFarewell(String(data))) {
        for (const listener of own) listener.call(made, data, ...more);
      } else if (!leaving) {
        leaving = true;
        renew(made).catch((error: unknown) => log.debug({ error }, 'an old socket did not close'));
      }
    });
  }

  async function renew(old: Client): Promise<void> {
    renewing = true;
    try {
      await connect();
    } catch (error) {
      log.debug({ error }, 'no new socket yet');
    }
    renewing = false;
    if (client === old && !connected) reconnect();
    else await old.disconnect();
  }

  function reconnect(): void {
    if (!stop.signal.aborted && !renewing) void keep().catch(fail);
  }

  async function connect(): Promise<void> {
    const made = createClient();
    const closed = new Promise<void>((resolve) => {
      made.once('disconnected', () => resolve());
    });
    const hello = new AbortController();
    const late = delay(helloMs, undefined, { signal: hello.signal }).then(() => {
      throw new BotError('platform', 'Slack opened a socket and did not say hello');
    });
    late.catch(() => undefined);
    try {
      await Promise.race([made.start(), late]);
    } catch (error) {
      clients.delete(made);
      void made.disconnect().catch(() => undefined);
      throw error;
    } finally {
      hello.abort();
    }
    if (stop.signal.aborted) return await made.disconnect();
    client = made;
    connected = true;
    void closed.then(() => {
      if (client !== made) return;
      connected = false;
      reconnect();
    });
  }

  /** Connects until it is connected; throws what will not pass. */
  async function keep(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted; failures++) {
      try {
        await connect();
        if (failures > 0) log.info({}, 'connected to Slack again');
        return;
      } catch (error) {
        const remedy = remedyFor(error);
        if (remedy !== undefined) throw remedy;
        const pauseMs = retryAfterMs(error) ?? Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
        log.warn({ error, trouble: troubleOf(error), pauseMs }, 'Slack cannot be reached; I try again');
        await delay(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  }

  function fail(error: unknown): void {
    fatal = toBotError(error);
    deps.onFatal(fatal);
  }

  /** A new socket is opened when this one has closed. */
  function reopen(): void {
    void client?.disconnect().catch((error: unknown) => log.debug({ error }, 'an old socket did not close'));
  }

  async function hangUp(): Promise<void> {
    stop.abort();
    connected = false;
    client = undefined;
    // One may never have had a socket; then nothing answers, and nothing is lost.
    const closing = Promise.all([...clients].map((one) => one.disconnect()));
    await Promise.race([closing, delay(1000, undefined, { ref: false })]);
  }

  return {
    init,
    start: async () => undefined,
    stop: async () => undefined,
    open: keep,
    reopen,
    health() {
      if (fatal !== undefined) return { ready: false, detail: fatal.message };
      return connected ? { ready: true, detail: 'connected' } : { ready: false, detail: 'connecting' };
    },
    pause: hangUp,
    close: hangUp,
  };
}

function isFarewell(text: string): boolean {
  return text.includes('"disconnect"') && farewellSchema.safeParse(toJson(text)).success;
}

const farewellSchema = z.object({ type: z.literal('disconnect') });

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told by the client
  }
}

interface Envelope {
  body: Record<string, unknown>;
  ack(response?: unknown): Promise<void>;
}

const fatalErrors =
  'invalid_auth not_authed token_revoked token_expired account_inactive team_disabled not_allowed_token_type ' +
  'missing_scope socket_mode_disabled forbidden_team invalid_token';

function remedyFor(error: unknown): BotError | undefined {
  const name = errorName(error);
  if (name === undefined || !fatalErrors.split(' ').includes(name)) return undefined;
  const remedy =
    name === 'socket_mode_disabled'
      ? 'switch on Socket Mode in the app’s settings (or paste what npm run slack:manifest prints under App Manifest)'
      : 'under Basic Information > App-Level Tokens make one with the scope connections:write, and put it into SLACK_APP_TOKEN';
  const text = `SLACK_APP_TOKEN: Slack does not accept this token (${name}). At https://api.slack.com/apps choose the app; ${remedy}`;
  return new BotError('config', text, { cause: error });
}
