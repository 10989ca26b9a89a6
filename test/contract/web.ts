import type { Passwords } from '../../adapters/web/access.ts';
import type { CommandHelp, PresetHelp } from '../../adapters/web/views.ts';
import { startWeb, type Web, type WebDeps } from '../../adapters/web/web.ts';
import { toDefaults } from '../../src/app.ts';
import { commandName, usageLine } from '../../src/commands/command.ts';
import { completeLine } from '../../src/commands/complete.ts';
import { commands } from '../../src/commands/list.ts';
import { parseConfig } from '../../src/config.ts';
import { encodingForModel, loadCounter } from '../../src/conversation/tokens.ts';
import { type Core, createCore } from '../../src/core.ts';
import { createLog, type Log } from '../../src/log.ts';
import { systemClock } from '../../src/model/clock.ts';
import { createDemoModel } from '../../src/model/demo.ts';
import type { Embedder } from '../../src/model/embed.ts';
import type { Model } from '../../src/model/model.ts';
import { createCallers } from '../../src/operations/callers.ts';
import { startOperations } from '../../src/operations/http.ts';
import { createMetrics } from '../../src/operations/metrics.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createShelf } from '../../src/storage/shelf.ts';
import { createStore, type Store } from '../../src/storage/store.ts';
import type { Toolbox } from '../../src/tools/toolbox.ts';
import { unreadable } from '../../src/turn/attachments.ts';

/** The console as people reach it: its server on a port of this machine, and the whole core behind it, in this process. */

export interface WebStage {
  url: string;
  web: Web;
  core: Core;
  store: Store;
  close(): Promise<void>;
}

export interface StageOptions {
  port?: number;
  model?: Model;
  env?: Record<string, string>;
  store?: Store;
  passwords?: Passwords;
  isLoopback?: boolean;
  trustedProxies?: readonly string[];
  publicUrl?: string;
  presets?: readonly PresetHelp[];
  log?: Log;
  now?: () => number;
  toolbox?: Toolbox;
  embedder?: Embedder;
  /** In place of what the core offers. */
  host?: Partial<WebDeps>;
}

export const noPasswords: Passwords = { app: undefined, admin: undefined };
export const silent: Log = createLog({ level: 'silent', format: 'json', secrets: [] });

const commandHelp: readonly CommandHelp[] = commands.map((one) => ({
  name: commandName(one),
  usage: usageLine(one),
  help: one.help,
  admin: one.who === 'admin',
}));

const countTokens = async (text: string, name: string): Promise<number> =>
  await (await loadCounter(encodingForModel(name))).count(text);

export async function startWebStage(options: StageOptions = {}): Promise<WebStage> {
  const { port = 0, passwords = noPasswords, isLoopback = true, log = silent, now = Date.now } = options;
  const store = options.store ?? createStore(createMemoryBackend());
  const config = parseConfig({ STORE_URL: 'memory:', ...options.env });
  const defaults = toDefaults(config, options.model === undefined ? 'demo' : 'gpt-4o');
  const model = options.model ?? createDemoModel({ clock: systemClock, wordMs: 15, countTokens });
  const stopped = new AbortController();
  const metrics = createMetrics();
  const { toolbox, embedder } = options;
  const { signal } = stopped;
  const core = await createCore({
    config,
    defaults,
    store,
    model,
    metrics,
    log,
    signal,
    now,
    toolbox,
    embedder,
  });
  const callers = createCallers({
    host: isLoopback ? '127.0.0.1' : '0.0.0.0',
    isLoopback,
    hasPassword: passwords.app !== undefined,
    trustedProxies: options.trustedProxies ?? [],
    publicUrl: options.publicUrl,
  });
  const web = await startWeb({
    openIntake: core.inbox.open,
    log,
    now,
    defaultRole: defaults.role,
    isFree: options.model === undefined,
    complete: (line) => completeLine(commands, line),
    unreadable,
    commands: commandHelp,
    presets: async () => options.presets ?? [],
    shelf: createShelf(store, 'web'),
    views: core.views,
    usage: { report: core.views.usage },
    audit: core.audit,
    mayUse: core.mayUse,
    showsOthers: true,
    callerOf: callers.caller,
    isLoopback,
    publicUrl: options.publicUrl,
    passwords,
    ...options.host,
  });
  const health = async () => ({ ready: true, parts: [] });
  const server = await startOperations({ host: '127.0.0.1', port, metrics, health, callers, more: web.handle });
  return {
    url: `http://127.0.0.1:${server.port}`,
    web,
    core,
    store,
    async close() {
      await web.pause();
      await core.inbox.close(0);
      stopped.abort();
      await core.memory.idle();
      await web.close();
      await server.close();
    },
  };
}
