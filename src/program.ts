import { existsSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { parseEnv } from 'node:util';
import type { SlackDeps } from '../adapters/slack/slack.ts';
import { type ChatArguments, parseArguments } from '../adapters/terminal/arguments.ts';
import type { Web } from '../adapters/web/web.ts';
import { type Host, type Started, startApp } from './app.ts';
import { commandName, usageLine } from './commands/command.ts';
import { commands } from './commands/list.ts';
import { type Config, isLoopback, parseConfig } from './config.ts';
import { BotError, toBotError } from './errors.ts';
import type { Adapter } from './event.ts';
import { createLog, type Log } from './log.ts';
import { warnOfOpenFiles } from './open-files.ts';
import { watchStrayErrors } from './stray-errors.ts';
import { mcpSecrets, readMcpConfig } from './tools/mcp-config.ts';
import { splitAnswer } from './turn/split.ts';

/**
 * The program: reads its configuration, starts, and ends in good order. An adapter is loaded when it is started: the
 * libraries of platforms that are not used take neither time nor memory.
 */

type Environment = Record<string, string | undefined>;

const configExit = 78;
const exitGraceMs = 10_000;

async function start(): Promise<void> {
  const [mode, ...rest] = process.argv.slice(2);
  if (mode === 'slack-manifest') return await printManifest(rest[0]);
  const environment = { ...readDotEnv(), ...process.env };
  const chat = mode === 'chat' ? parseArguments(rest) : undefined;
  const config = parseConfig(environment, chat === undefined ? 'serve' : chat.json ? 'lines' : 'chat');
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const { token } = config.discord;
  const slack = toSlackParts(config);
  const log = toLog(config, environment, chat);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void end();
  };
  let crashed = false;
  const onStray = watchStrayErrors(log, () => {
    if (crashed) return;
    crashed = true;
    setTimeout(() => process.exit(1), exitGraceMs).unref();
    const exit = (): never => process.exit(1);
    starting.then((running) => running.stop()).then(exit, exit);
  });
  const startAdapters = async (host: Host): Promise<Started> => {
    if (chat !== undefined) {
      return { adapters: [await startChat(host, chat, { isTerminal, environment, onClosed: stop })] };
    }
    const web = await startConsole(host, config);
    const started: Adapter[] = [web];
    if (token !== undefined) {
      const { apiUrl } = config.discord;
      const own = { token, apiUrl, catchUpMs: config.catchUpMs, commands, split: splitAnswer };
      const { startDiscord } = await import('../adapters/discord/discord.ts');
      started.push(startDiscord({ ...host, ...own, onFatal: fail, onStray }));
    }
    if (slack !== undefined) {
      const { startSlack } = await import('../adapters/slack/slack.ts');
      const own = { ...slack, catchUpMs: config.catchUpMs, commands, split: splitAnswer };
      started.push(startSlack({ ...host, ...own, onFatal: fail, onStray }));
    }
    return { adapters: started, handle: web.handle };
  };
  const starting = startApp({ config, environment, log, serve: chat === undefined, startAdapters });

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
  warnOfOpenFiles(['.env', ...config.storeUrl.split(/^sqlite:/).slice(1)], log);
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

async function startConsole(host: Host, config: Config): Promise<Web> {
  if (!showsOthers(config))
    host.log.info(
      {},
      'the web console shows its own channels only: set ADMIN_PASSWORD to see those of other platforms',
    );
  const { startWeb } = await import('../adapters/web/web.ts');
  return await startWeb({
    ...host,
    commands: commands.map((one) => ({
      name: commandName(one),
      usage: usageLine(one),
      help: one.help,
      admin: one.who === 'admin',
    })),
    shelf: host.shelfOf('web'),
    usage: { report: host.views.usage },
    isLoopback: isLoopback(config.host),
    publicUrl: config.publicUrl,
    passwords: config.passwords,
    showsOthers: showsOthers(config),
  });
}

/** What people say on other platforms is shown to whoever knows the password for it, and not to every user of this machine. */
function showsOthers({ passwords, discord, slack }: Config): boolean {
  return passwords.admin !== undefined || (discord.token ?? slack.botToken) === undefined;
}

interface ChatPlace {
  isTerminal: boolean;
  environment: Environment;
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

function toLog(config: Config, environment: Environment, chat: ChatArguments | undefined): Log {
  const { level, format } = config.log;
  const { mcpFile } = config.tools;
  const ofServers = mcpFile === undefined ? [] : mcpSecrets(readMcpConfig(mcpFile, environment));
  const isChat = chat !== undefined;
  // Who sits at a terminal or reads a pipe is told what failed in the conversation itself.
  const usual = !isChat ? 'info' : chat.json ? 'warn' : 'error';
  const out = isChat ? process.stderr : process.stdout;
  return createLog({
    level: level ?? usual,
    format: format ?? (out.isTTY ? 'pretty' : 'json'),
    secrets: [...config.secrets, ...ofServers],
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
