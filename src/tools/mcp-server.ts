import { type Tool as McpTool, ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isNamed, type McpServerSpec } from './mcp-config.ts';
import { type Connection, keepConnected, type McpTimes } from './mcp-connection.ts';
import { toolNames } from './mcp-names.ts';
import { resultText } from './mcp-result.ts';
import { mostDescriptionChars, type Tool, withoutDialect } from './tool.ts';

/** One MCP server, and its tools as ours. */
export interface McpServer {
  readonly spec: McpServerSpec;
  /** As it last told them; also while it is being started again, so that prompts stay the same. */
  tools(): readonly Tool[];
  stop(): Promise<void>;
}

const mostTools = 64;
const maxSchemaChars = 16_000;
const maxRefusalChars = 1000;

export function startMcpServer(spec: McpServerSpec, times: McpTimes, allLogs: Log): McpServer {
  const log = allLogs.child({ mcp: spec.name });
  let told = '';
  let tools: readonly Tool[] = [];
  const connecting = keepConnected({ spec, times, log, onTools: setTools });

  function setTools(listed: readonly McpTool[]): void {
    const now = JSON.stringify(listed);
    if (now === told) return;
    told = now;
    const wanted = listed.filter((tool) => isNamed(spec.tools, tool.name) && isBearable(tool)).slice(0, mostTools);
    if (wanted.length < listed.length)
      log.info({ told: listed.length, offered: wanted.length }, 'not all of its tools are offered');
    const names = toolNames(
      spec.name,
      wanted.map((tool) => tool.name),
    );
    tools = wanted.map((tool) => ({
      name: names.get(tool.name) ?? tool.name,
      description: (tool.description ?? tool.title ?? tool.name).slice(0, mostDescriptionChars).toWellFormed(),
      // The protocol lets a tool without arguments say nothing of them; the chat API refuses a request with such a one.
      parameters: { properties: {}, ...withoutDialect(tool.inputSchema) },
      run: async (args, { signal }) => await call(tool.name, args, signal),
    }));
  }

  async function call(tool: string, args: unknown, signal: AbortSignal): Promise<string> {
    if (!isObject(args)) throw new BotError('input', 'the arguments must be a JSON object');
    const connection = await connecting.current(signal);
    const options = { signal, timeout: times.callMs, maxTotalTimeout: times.callMs };
    try {
      return resultText(await connection.client.callTool({ name: tool, arguments: args }, options));
    } catch (error) {
      signal.throwIfAborted();
      // Its own words are data for the model, as what it answers is.
      if (error instanceof ProtocolError)
        return `The server refused the call: ${error.message.slice(0, maxRefusalChars)}`;
      throw toFailure(error, connection);
    }
  }

  /** What the model is told; and what is done about the connection. */
  function toFailure(error: unknown, { client, giveUp }: Connection): BotError {
    const code = error instanceof SdkError ? error.code : undefined;
    if (code === SdkErrorCode.InvalidResult) {
      return new BotError('tool', `the server ${spec.name} answered something unreadable`, { cause: error });
    }
    if (code === SdkErrorCode.RequestTimeout) {
      client.ping({ timeout: times.waitMs }).catch(giveUp);
      return new BotError('tool', `the server ${spec.name} did not answer in time`, { cause: error });
    }
    giveUp(error);
    return new BotError('tool', `the server ${spec.name} ended during the call and is started again`, {
      cause: error,
    });
  }

  return { spec, tools: () => tools, stop: connecting.stop };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What takes a large part of every prompt is no help. */
function isBearable(tool: McpTool): boolean {
  return JSON.stringify(tool.inputSchema).length <= maxSchemaChars;
}
