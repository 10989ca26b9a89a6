import { BotError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createCurrentTime } from './current-time.ts';
import type { McpTools } from './mcp.ts';
import { type McpServerSpec, readMcpConfig } from './mcp-config.ts';
import { createSearchHistory, type SearchLines } from './search-history.ts';
import { type DatabaseTool, openDatabaseTool } from './sql.ts';
import type { Tool } from './tool.ts';
import { createToolbox, noTools, type Toolbox } from './toolbox.ts';
import { createWeatherTools } from './weather.ts';

/** Everything the operator offers, put together; what he does not offer is not even started. */
export interface Tools {
  toolbox: Toolbox;
  /** Those that every channel is offered from the start, as long as it wants no others. */
  always: readonly Tool[];
  close(): Promise<void>;
}

interface ToolsConfig {
  /** Which are offered; `all` among them is all. */
  names: readonly string[];
  databaseFile: string | undefined;
  mcpFile: string | undefined;
  forecastUrl: string;
  geocodingUrl: string;
}

interface ToolsDeps {
  config: ToolsConfig;
  /** For what MCP_CONFIG takes from it. */
  environment: Record<string, string | undefined>;
  timeZone: string;
  search: SearchLines;
  log: Log;
}

const databaseName = 'ask_database';

export async function openTools({ config, environment, timeZone, search, log }: ToolsDeps): Promise<Tools> {
  const { names, databaseFile, mcpFile } = config;
  if (names.length === 0) {
    const idle = [databaseFile && 'SQL_TOOL_FILE', mcpFile && 'MCP_CONFIG'].filter(Boolean);
    if (idle.length > 0) log.warn({}, `${idle.join(' and ')} has no effect: TOOLS names no tool`);
    return { toolbox: noTools, always: [], close: async () => undefined };
  }
  const builtIn = [...createWeatherTools(config), createCurrentTime(timeZone), createSearchHistory(search)];
  const builtInNames = builtIn.map((tool) => tool.name);
  const servers = mcpFile === undefined ? [] : readMcpConfig(mcpFile, environment);
  for (const name of names) mustBeKnown(name, [...builtInNames, databaseName], servers);
  const isNamed = (name: string): boolean => names.includes('all') || names.includes(name);
  if (names.includes(databaseName) && databaseFile === undefined) {
    throw new BotError('config', `TOOLS: ${databaseName} needs SQL_TOOL_FILE beside it`);
  }
  const database: DatabaseTool | undefined =
    databaseFile !== undefined && isNamed(databaseName)
      ? await openDatabaseTool({ file: databaseFile, log })
      : undefined;
  const mcp = servers.length > 0 ? await openServers(servers, log) : undefined;
  const sources = [{ tools: () => builtIn, names: () => builtInNames }, database, mcp];
  return {
    toolbox: createToolbox(
      sources.filter((source) => source !== undefined),
      names,
      (error) => log.warn({ error }, 'a source of tools failed'),
    ),
    always: [...builtIn, ...((await database?.tools()) ?? [])].filter(({ name }) => isNamed(name)),
    async close() {
      await Promise.all([database?.close(), mcp?.stop()]);
    },
  };
}

/** Their library is loaded only where there are any. */
async function openServers(servers: readonly McpServerSpec[], log: Log): Promise<McpTools> {
  const { startMcp } = await import('./mcp.ts');
  return startMcp({ servers, log });
}

/** A server tells its tools only once it runs: of those the beginning of the name must do. */
function mustBeKnown(name: string, known: readonly string[], servers: readonly McpServerSpec[]): void {
  if (name === 'all' || known.includes(name) || servers.some((server) => name.startsWith(`${server.name}_`))) return;
  const all = [...known, ...servers.map((server) => `${server.name}_…`), 'all'];
  throw new BotError('config', `TOOLS: there is no tool ${JSON.stringify(name)}; there are ${all.join(', ')}`);
}
