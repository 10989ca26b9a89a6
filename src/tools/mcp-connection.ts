import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Tool as McpTool, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createChildTransport } from './mcp-child.ts';
import { type McpServerSpec, mcpSecrets } from './mcp-config.ts';
import { createRemoteTransport } from './mcp-remote.ts';

/** A way to a server that is open now. */
export interface Connection {
  client: Client;
  /** It is of no use any more: another one is made. */
  giveUp(reason: unknown): void;
}

/** Keeps a way to one server open: made anew when it ends, with growing pauses. */
export interface Connecting {
  /** Waits a while for one that is just being made. */
  current(signal: AbortSignal): Promise<Connection>;
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

interface ConnectingDeps {
  spec: McpServerSpec;
  times: McpTimes;
  log: Log;
  /** When it is there, and whenever they change. */
  onTools(tools: readonly McpTool[]): void;
}

export function keepConnected({ spec, times, log, onTools }: ConnectingDeps): Connecting {
  const stopped = new AbortController();
  const { signal } = stopped;
  let open = Promise.withResolvers<Connection>();
  let mode: 'legacy' | 'auto' = 'legacy';
  let wasThere = false;

  function createClient(ended: PromiseWithResolvers<unknown>): Client {
    const tools = {
      debounceMs: 50,
      onChanged: (error: Error | null, listed: McpTool[] | null) =>
        error ? ended.resolve(error) : onTools(listed ?? []),
    };
    const versionNegotiation = { mode, probe: { timeoutMs: times.waitMs } };
    const client = new Client({ name: 'channelore', version: '1' }, { versionNegotiation, listChanged: { tools } });
    client.onclose = () => ended.resolve(undefined);
    client.onerror = (error) => log.debug({ error }, 'trouble with an MCP server');
    return client;
  }

  /** Resolves with the reason when it has ended. */
  async function runOnce(): Promise<unknown> {
    const ended = Promise.withResolvers<unknown>();
    const transport =
      spec.kind === 'child' ? createChildTransport(spec, toStderr(spec, log)) : createRemoteTransport(spec);
    const client = createClient(ended);
    const stop = (): void => ended.resolve(undefined);
    let isOpen = false;
    signal.addEventListener('abort', stop);
    try {
      const limits = { timeout: times.startMs, signal };
      await client.connect(transport, limits);
      const { tools } = await client.listTools(undefined, limits);
      onTools(tools);
      wasThere = true;
      log.info({ tools: tools.length }, 'an MCP server is there');
      isOpen = true;
      open.resolve({ client, giveUp: ended.resolve });
      return await ended.promise;
    } catch (error) {
      return error;
    } finally {
      signal.removeEventListener('abort', stop);
      // Who waits for the next one goes on waiting.
      if (isOpen) open = Promise.withResolvers();
      if (signal.aborted && transport instanceof StreamableHTTPClientTransport) await endSession(transport);
      await client.close().catch((error: unknown) => log.debug({ error }, 'an MCP server did not end well'));
      // A connection that never came about is not the client's to close.
      await transport.close().catch(() => undefined);
    }
  }

  async function keepRunning(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const begun = performance.now();
      const error = await runOnce();
      if (signal.aborted) return;
      // Most speak the older form, and some of these cannot bear to be asked first; a few speak only the newer one.
      if (!wasThere) mode = mode === 'legacy' ? 'auto' : 'legacy';
      if (performance.now() - begun >= times.steadyMs) failures = 0;
      const pauseMs = Math.min(times.longestPauseMs, times.firstPauseMs * 2 ** failures);
      log.warn({ error, pauseMs }, 'an MCP server ended or cannot be reached; it is started again after a pause');
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  const running = keepRunning();

  return {
    async current(asked) {
      const late = sleep(times.waitMs, undefined, { signal: AbortSignal.any([asked, signal]), ref: false });
      late.catch(() => undefined);
      const found = await Promise.race([open.promise, late]);
      if (found !== undefined) return found;
      throw new BotError('tool', `the server ${spec.name} is not there just now; it is being started again`);
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

const sessionEndMs = 1000;

/** Politeness: a server that does not know the session, or none, ends it by itself. */
async function endSession(transport: StreamableHTTPClientTransport): Promise<void> {
  const ended = transport.terminateSession().catch(() => undefined);
  await Promise.race([ended, sleep(sessionEndMs, undefined, { ref: false })]);
}

const maxLineChars = 1000;

/** What it complains about, without what it was told in confidence. */
function toStderr(spec: McpServerSpec, log: Log): (line: string) => void {
  const secrets = mcpSecrets([spec]);
  return (line) => {
    const safe = secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line.slice(0, maxLineChars));
    log.debug({ line: safe }, 'an MCP server wrote to stderr');
  };
}
