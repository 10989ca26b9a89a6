import type { Log } from '../log.ts';
import { isOfferedIn, type McpServerSpec } from './mcp-config.ts';
import type { McpTimes } from './mcp-connection.ts';
import { startMcpServer } from './mcp-server.ts';
import type { ToolSource } from './toolbox.ts';

/** The tools of all MCP servers. Starting waits for none of them. */
export interface McpTools extends ToolSource {
  stop(): Promise<void>;
}

interface McpOptions {
  servers: readonly McpServerSpec[];
  log: Log;
  times?: Partial<McpTimes>;
}

const usualTimes: McpTimes = {
  startMs: 60_000,
  callMs: 25_000,
  waitMs: 5000,
  firstPauseMs: 1000,
  longestPauseMs: 300_000,
  steadyMs: 60_000,
};

export function startMcp({ servers, log, times = {} }: McpOptions): McpTools {
  const running = servers.map((spec) => startMcpServer(spec, { ...usualTimes, ...times }, log));
  return {
    tools: (channel) =>
      running.filter(({ spec }) => isOfferedIn(spec.channels, channel)).flatMap((server) => server.tools()),
    names: () => running.flatMap((server) => server.tools().map((tool) => tool.name)),
    async stop() {
      await Promise.all(running.map((server) => server.stop()));
    },
  };
}
