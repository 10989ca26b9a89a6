import { existsSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseEnv } from 'node:util';
import type { SlackDeps } from '../adapters/slack/slack.ts';
import { type ChatArguments, parseArguments } from '../adapters/terminal/arguments.ts';
import { type Host, startApp } from './app.ts';
import { commands } from './commands/list.ts';
import { type Config, parseConfig } from './config.ts';
import { BotError, toBotError } from './errors.ts';
import type { Adapter } from './event.ts';
import { createLog, type Log } from './log.ts';
import { splitAnswer } from './turn/split.ts';

/**
 * The program: reads its configuration, starts, and ends in good order. An adapter is loaded when it is started: the
 * libraries of platforms that are not used take neither time nor memory.
 */

const configExit = 78;
const exitGraceMs = 10_000;

async function start(): Promise<void> {
  const [mode, ...rest] = process.argv.slice(2);
  if (mode === 'slack-manifest') return await printManifest(rest[0]);
  const environment = { ...readDotEnv(), ...process.env };
  const config = parseConfig(environment);
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const { token } = config.discord;
  const slack = toSlackParts(config);
  const isChat = mode === 'chat' || (isTerminal && token === undefined && slack === undefined);
  const chat = isChat ? parseArguments(rest) : undefined;
  const log = toLog(config, chat !== undefined);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void end();
  };
  const startAdapters = async (host: Host): Promise<Adapter[]> => {
    if (chat !== undefined) return [await startChat(host, chat, { isTerminal, environment, onClosed: stop })];
    const started: Adapter[] = [];
    if (token !== undefined) {
      const { apiUrl } = config.discord;
      const own = { token, apiUrl, catchUpMs: config.catchUpMs, commands, split: splitAnswer };
      const { startDiscord } = await import('../adapters/discord/discord.ts');
      started.push(startDiscord({ ...host, ...own, onFatal: fail }));
    }
    if (slack !== undefined) {
      const { startSlack } = await import('../adapters/slack/slack.ts');
      const own = { ...slack, catchUpMs: config.catchUpMs, commands, split: splitAnswer };
      started.push(startSlack({ ...host, ...own, onFatal: fail }));
    }
    if (started.length > 0) return started;
    log.warn({}, 'nobody can speak to me here: `npm run chat` starts a conversation in a terminal');
    return [];
  };
  const starting = startApp({ config, environment, log, serve: mode !== 'chat', startAdapters });

  /** What only the operator can mend, met while running. */
  function fail(error: BotError): void {
    setTimeout(() => explain(error), exitGraceMs).unref();
    starting
      .then((running) => running.stop())
      .then(
        () => explain(error),
        () => explain(error),
      );
  }

  const app = await starting;
  flushCompileCache();

  async function end(): Promise<void> {
    // Whatever hangs, the program ends: what is unfinished is in the inbox.
    setTimeout(() => process.exit(0), exitGraceMs).unref();
    await app.stop();
    process.exit(0);
  }

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
}

/** `url`: where Slack is to send its requests; without one the app speaks over a socket. */
async function printManifest(url: string | undefined): Promise<void> {
  if (url !== undefined && !/^https:\/\/[^/]/.test(url)) {
    throw new BotError('config', 'the address must begin with https://, as Slack wants it: https://bot.example.org');
  }
  const { manifestText } = await import('../adapters/slack/manifest.ts');
  process.stdout.write(manifestText(commands, url));
}

/** Socket Mode where there is a token for it; else Slack sends its requests. */
function toSlackParts(config: Config): Pick<SlackDeps, 'botToken' | 'line' | 'apiUrl'> | undefined {
  const { botToken, appToken, signingSecret, port, apiUrl } = config.slack;
  if (botToken === undefined) return undefined;
  if (appToken !== undefined) return { botToken, apiUrl, line: { appToken } };
  return signingSecret === undefined
    ? undefined
    : { botToken, apiUrl, line: { signingSecret, host: config.host, port } };
}

interface ChatPlace {
  isTerminal: boolean;
  environment: Record<string, string | undefined>;
  onClosed(): void;
}

async function startChat(host: Host, args: ChatArguments, place: ChatPlace): Promise<Adapter> {
  const { isTerminal, environment, onClosed } = place;
  const io = { ...host, input: process.stdin, output: process.stdout, onClosed };
  if (args.json) {
    const { startJsonLines } = await import('../adapters/terminal/json-lines.ts');
    return await startJsonLines(io);
  }
  const { startTerminal } = await import('../adapters/terminal/terminal.ts');
  return await startTerminal({
    ...io,
    isTerminal,
    color: isTerminal && (environment.NO_COLOR ?? '') === '',
    user: { id: args.as, name: args.as },
    channel: args.channel,
    filesDir: '.',
  });
}

function toLog(config: Config, isChat: boolean): Log {
  const { level, format } = config.log;
  const out = isChat ? process.stderr : process.stdout;
  return createLog({
    level: level ?? (isChat ? 'warn' : 'info'),
    format: format ?? (out.isTTY ? 'pretty' : 'json'),
    secrets: config.secrets,
    destination: isChat ? 2 : 1,
  });
}

function readDotEnv(): Record<string, string | undefined> {
  return existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
}

function explain(error: unknown): never {
  const known = toBotError(error);
  const cause = known.kind === 'bug' && error instanceof Error ? `\n${error.stack}` : '';
  process.stderr.write(`channelore: ${known.message}${cause}\n`);
  process.exit(known.kind === 'config' ? configExit : 1);
}

export async function run(): Promise<void> {
  await start().catch(explain);
}
