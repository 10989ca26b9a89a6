import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  type Tool as McpTool,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createChildTransport } from './mcp-child.ts';
import { isNamed, type McpServerSpec, mcpSecrets } from './mcp-config.ts';
import { toolNames } from './mcp-names.ts';
import { createRemoteTransport } from './mcp-remote.ts';
import { resultText } from './mcp-result.ts';
import type { Tool } from './tool.ts';

/** One MCP server, kept running: started, listened to, started again when it ends or does not answer any more. */
export interface McpServer {
  readonly spec: McpServerSpec;
  /** As it last told them; also while it is being started again, so that prompts stay the same. */
  tools(): readonly Tool[];
  stop(): Promise<void>;
}

export interface McpTimes {
  /** To start and tell its tools: an installer may have to fetch it first. */
  startMs: number;
  callMs: number;
  /** How long a call waits for a server that is just being started. */
  waitMs: number;
  firstPauseMs: number;
  longestPauseMs: number;
  /** Having run so long, its next end counts as its first. */
  steadyMs: number;
}

const mostTools = 64;
const maxDescriptionChars = 1000;
const maxSchemaChars = 16_000;
const maxRefusalChars = 1000;

export function startMcpServer(spec: McpServerSpec, times: McpTimes, allLogs: Log): McpServer {
  const { name } = spec;
  const log = allLogs.child({ mcp: name });
  const stopped = new AbortController();
  let connected = Promise.withResolvers<Connection>();
  let told = '';
  let tools: readonly Tool[] = [];
  let mode: 'legacy' | 'auto' = 'legacy';

  interface Connection {
    client: Client;
    /** Says why it is of no use any more. */
    giveUp(reason: unknown): void;
  }

  function setTools(listed: readonly McpTool[]): void {
    const now = JSON.stringify(listed);
    if (now === told) return;
    told = now;
    const wanted = listed.filter((tool) => isNamed(spec.tools, tool.name) && isBearable(tool));
    if (wanted.length < listed.length || wanted.length > mostTools)
      log.info(
        { told: listed.length, offered: Math.min(wanted.length, mostTools) },
        'not all of its tools are offered',
      );
    const names = toolNames(
      name,
      wanted.map((tool) => tool.name),
    );
    tools = wanted.slice(0, mostTools).map((tool) => ({
      name: names.get(tool.name) ?? tool.name,
      description: (tool.description ?? tool.title ?? tool.name).slice(0, maxDescriptionChars).toWellFormed(),
      parameters: { ...tool.inputSchema },
      run: async (args, { signal }) => await call(tool.name, args, signal),
    }));
  }

  async function call(tool: string, args: unknown, signal: AbortSignal): Promise<string> {
    if (!isObject(args)) throw new BotError('input', 'the arguments must be a JSON object');
    const { client, giveUp } = await connection(signal);
    try {
      const options = { signal, timeout: times.callMs, maxTotalTimeout: times.callMs };
      return resultText(await client.callTool({ name: tool, arguments: args }, options));
    } catch (error) {
      signal.throwIfAborted();
      // Its own words are data for the model, as what it answers is.
      if (error instanceof ProtocolError)
        return `The server refused the call: ${error.message.slice(0, maxRefusalChars)}`;
      if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
        client.ping({ timeout: times.waitMs }).catch(giveUp);
        throw new BotError('model', `the server ${name} did not answer in time`, { cause: error });
      }
      if (error instanceof SdkError && error.code === SdkErrorCode.InvalidResult) {
        throw new BotError('model', `the server ${name} answered something unreadable`, { cause: error });
      }
      giveUp(error);
      throw new BotError('model', `the server ${name} ended during the call and is started again`, { cause: error });
    }
  }

  async function connection(signal: AbortSignal): Promise<Connection> {
    const waiting = AbortSignal.any([signal, stopped.signal]);
    const late = sleep(times.waitMs, undefined, { signal: waiting, ref: false });
    late.catch(() => undefined);
    const found = await Promise.race([connected.promise, late]);
    if (found !== undefined) return found;
    throw new BotError('model', `the server ${name} is not there just now; it is being started again`);
  }

  /** Resolves with the reason when it has ended. */
  async function runOnce(): Promise<unknown> {
    const ended = Promise.withResolvers<unknown>();
    const transport =
      spec.kind === 'child' ? createChildTransport(spec, toStderr(spec, log)) : createRemoteTransport(spec);
    const client = new Client(
      { name: 'channelore', version: '1' },
      {
        versionNegotiation: { mode, probe: { timeoutMs: times.waitMs } },
        listChanged: {
          tools: {
            debounceMs: 50,
            onChanged: (error, listed) => (error ? ended.resolve(error) : setTools(listed ?? [])),
          },
        },
      },
    );
    client.onclose = () => ended.resolve(undefined);
    client.onerror = (error) => log.debug({ error }, 'trouble with an MCP server');
    const stop = () => ended.resolve(undefined);
    stopped.signal.addEventListener('abort', stop);
    try {
      const limits = { timeout: times.startMs, signal: stopped.signal };
      await client.connect(transport, limits);
      setTools((await client.listTools(undefined, limits)).tools);
      log.info({ tools: tools.length }, 'an MCP server is there');
      connected.resolve({ client, giveUp: ended.resolve });
      return await ended.promise;
    } catch (error) {
      return error;
    } finally {
      stopped.signal.removeEventListener('abort', stop);
      connected = Promise.withResolvers();
      if (stopped.signal.aborted && transport instanceof StreamableHTTPClientTransport) await endSession(transport);
      await client.close().catch((error: unknown) => log.debug({ error }, 'an MCP server did not end well'));
      // A connection that never came about is not the client's to close.
      await transport.close().catch(() => undefined);
    }
  }

  async function keepRunning(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; failures++) {
      const begun = performance.now();
      const error = await runOnce();
      if (stopped.signal.aborted) return;
      // Most speak the older form, and some of these cannot bear to be asked first; a few speak only the newer one.
      if (told === '') mode = mode === 'legacy' ? 'auto' : 'legacy';
      if (performance.now() - begun >= times.steadyMs) failures = 0;
      const pauseMs = Math.min(times.longestPauseMs, times.firstPauseMs * 2 ** failures);
      log.warn({ error, pauseMs }, 'an MCP server ended or cannot be reached; it is started again after a pause');
      await sleep(pauseMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  }

  const running = keepRunning();

  return {
    spec,
    tools: () => tools,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What takes a large part of every prompt is no help. */
function isBearable(tool: McpTool): boolean {
  return JSON.stringify(tool.inputSchema).length <= maxSchemaChars;
}

const sessionEndMs = 1000;

/** Politeness: a server that does not know the session, or none, ends it by itself. */
async function endSession(transport: StreamableHTTPClientTransport): Promise<void> {
  const ended = transport.terminateSession().catch(() => undefined);
  await Promise.race([ended, sleep(sessionEndMs, undefined, { ref: false })]);
}

/** What it complains about, without what it was told in confidence. */
function toStderr(spec: McpServerSpec, log: Log): (line: string) => void {
  const secrets = mcpSecrets([spec]);
  return (line) => {
    const safe = secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line.slice(0, 1000));
    log.debug({ line: safe }, 'an MCP server wrote to stderr');
  };
}
