import type { Values } from './commands/command.ts';
import { completeLine, type MoreValues } from './commands/complete.ts';
import { commands } from './commands/list.ts';
import type { MayUse } from './commands/policy.ts';
import type { Preset } from './commands/preset.ts';
import { createPresets, type Presets } from './commands/presets.ts';
import { settingExamples } from './commands/settings.ts';
import { type Config, isLoopback } from './config.ts';
import type { Memory } from './conversation/memory.ts';
import type { Profile } from './conversation/profile.ts';
import { encodingForModel, loadCounter } from './conversation/tokens.ts';
import { createCore } from './core.ts';
import { BotError } from './errors.ts';
import type { Adapter, OpenIntake } from './event.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Views } from './inspect/console-views.ts';
import type { Log } from './log.ts';
import { chooseModel } from './model/choose.ts';
import type { ApiServer } from './model/client.ts';
import type { Embedder } from './model/embed.ts';
import { applyNetworkEnvironment } from './model/network.ts';
import { observed } from './model/observed.ts';
import type { Audit } from './operations/audit.ts';
import { type Callers, createCallers } from './operations/callers.ts';
import { type Handler, type Health, startOperations } from './operations/http.ts';
import { createMetrics } from './operations/metrics.ts';
import { checkBudget, checkRestrictions, checkTools } from './start-checks.ts';
import { observedStore } from './storage/observed.ts';
import { openStore } from './storage/open.ts';
import { createProbe } from './storage/probe.ts';
import { createShelf, type Shelf } from './storage/shelf.ts';
import { openTools } from './tools/open-tools.ts';
import type { Toolbox } from './tools/toolbox.ts';
import { unreadable } from './turn/attachments.ts';

/** The parts, put together; and taken apart in the order that loses nothing. */
export interface App {
  stop(): Promise<void>;
}

/** What the core offers whoever speaks to the world. */
export interface Host {
  openIntake: OpenIntake;
  log: Log;
  now(): number;
  defaultRole: string;
  /** Answers cost nothing: the demo model gives them, and there is no budget that they count in. */
  isFree: boolean;
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
  /** Why a file that somebody is about to send will not be read. */
  unreadable(file: { name: string; mime: string; bytes: number }): string | undefined;
  /** What an option may be that only the running program knows. */
  valuesFor: MoreValues;
  presets(): Promise<readonly Pick<Preset, 'name' | 'description'>[]>;
  views: Views;
  /** Who sends a request that is handed on, as the operator's proxies tell it. */
  callerOf: Callers['caller'];
  /** Where an adapter keeps what is its own. */
  shelfOf(owner: string): Shelf;
  audit: Pick<Audit, 'note'>;
  /** Why somebody may not see or do what a command shows or does; the one policy, for whatever is no command. */
  mayUse: MayUse;
}

export interface Started {
  adapters: Adapter[];
  /** Takes the requests to HOST and PORT that are neither for health nor for metrics. */
  handle?: Handler | undefined;
}

interface AppOptions {
  config: Config;
  environment: Record<string, string | undefined>;
  log: Log;
  /** Whether health and metrics are served. */
  serve: boolean;
  startAdapters(host: Host): Promise<Started>;
}

const drainMs = 7000;

export async function startApp({ config, environment, log, serve, startAdapters }: AppOptions): Promise<App> {
  const network = applyNetworkEnvironment(environment);
  for (const line of network.applied) log.info({}, line);
  for (const line of network.ignored) log.warn({}, line);
  const metrics = createMetrics();
  const now = Date.now;
  const countTokens = async (text: string, name: string) =>
    await (await loadCounter(encodingForModel(name))).count(text);
  const chosen = await chooseModel(config, { log, countTokens });
  const model = observed(chosen.model, metrics);
  const defaults = toDefaults(config, chosen.name);
  await checkBudget(defaults, model.contextTokens(chosen.name), countTokens);
  checkRestrictions(config);
  const store = observedStore(await openStore(config.storeUrl), metrics);
  const stopped = new AbortController();
  const remembering = Promise.withResolvers<Memory>();
  const tools = await openTools({
    config: config.tools,
    environment,
    timeZone: config.timeZone,
    search: async (channel, words, most) => {
      const { found } = await (await remembering.promise).recall.find(channel, words, { offset: 0, limit: most });
      return found.map(({ line }) => line);
    },
    log,
  });
  const { toolbox } = tools;
  await checkTools(defaults, tools);
  const presets = createPresets({ dir: config.rolesDir, log });
  const embedder = await openEmbedder(config.model.embeddingName, chosen.server, { log, now, countTokens });
  const { signal } = stopped;
  const core = await createCore({
    config,
    defaults,
    store,
    model,
    metrics,
    toolbox,
    embedder,
    presets,
    log,
    signal,
    now,
  });
  const { inbox, memory, audit } = core;
  remembering.resolve(memory);
  metrics.watchQueue(() => ({ waiting: inbox.waiting(), running: inbox.running() }));
  const housekeeping = startHousekeeping({
    store,
    memory,
    inbox,
    audit,
    retentionDays: config.retentionDays,
    auditDays: config.auditDays,
    log,
    now,
  });
  log.info({}, chosen.told);

  const callers = createCallers({
    host: config.host,
    isLoopback: isLoopback(config.host),
    hasPassword: config.passwords.app !== undefined,
    trustedProxies: config.trustedProxies,
    publicUrl: config.publicUrl,
  });
  const more: MoreValues = (option, values) => valuesOf(option, values, { toolbox, presets });
  const { adapters, handle } = await startAdapters({
    openIntake: core.open,
    log,
    now,
    defaultRole: defaults.role,
    isFree: chosen.server === undefined && Object.values(config.budgets).every((budget) => budget === undefined),
    complete: (line) => completeLine(commands, line, more),
    unreadable,
    valuesFor: more,
    presets: presets.all,
    views: core.views,
    callerOf: callers.caller,
    shelfOf: (owner) => createShelf(store, owner),
    audit,
    mayUse: core.mayUse,
  });
  const probe = createProbe(store, now);
  const health = () => healthOf(probe, adapters);
  const operations = serve
    ? await startOperations({
        host: config.host,
        port: config.port,
        metricsPort: toMetricsPort(config),
        callers,
        onRefused: (address) =>
          audit.note({ what: 'refused', who: address, from: address, detail: 'by a proxy or name' }),
        metrics,
        health,
        more: handle,
      })
    : undefined;
  if (operations !== undefined) {
    for (const line of addressLines(config, operations, handle !== undefined)) log.info({}, line);
  }
  // The first count of a message must not wait for the ranks to load.
  countTokens('', chosen.name).catch((error: unknown) => log.error({ error }, 'the token counter could not be loaded'));

  return {
    async stop() {
      log.info({}, 'stopping: what runs is finished or kept for the next start');
      housekeeping.stop();
      await Promise.all(adapters.map((adapter) => adapter.pause()));
      await inbox.close(drainMs);
      stopped.abort(new BotError('stopped', 'the program stops'));
      await memory.idle();
      await Promise.all(adapters.map((adapter) => adapter.close()));
      await tools.close();
      await operations?.close();
      await audit.idle();
      await store.close();
    },
  };
}

async function healthOf(probe: () => Promise<boolean>, adapters: readonly Adapter[]): Promise<Health> {
  const ready = await probe();
  const store = { name: 'store', ready, detail: ready ? 'answers' : 'cannot be read and written' };
  const parts = [store, ...adapters.map((adapter) => ({ name: adapter.name, ...adapter.health() }))];
  return { ready: parts.every((part) => part.ready), parts };
}

export function toDefaults(config: Config, model: string): Profile {
  const { maxReplyTokens, temperature } = config.model;
  return {
    role: config.role,
    model,
    maxReplyTokens,
    request: temperature === undefined ? {} : { temperature },
    memory: config.memory,
    listen: config.listen,
    tools: 'all',
  };
}

const embedMs = 30_000;

/** Where the chat model is, there its vectors are asked for. */
async function openEmbedder(
  model: string | undefined,
  server: ApiServer | undefined,
  deps: { log: Log; now(): number; countTokens(text: string, model: string): Promise<number> },
): Promise<Embedder | undefined> {
  if (model === undefined) return undefined;
  if (server === undefined) {
    deps.log.warn({}, 'EMBEDDING_MODEL has no effect: there is no server to ask');
    return undefined;
  }
  const { createEmbedder } = await import('./model/embed.ts');
  const config = { ...server, model, timeoutMs: embedMs };
  return createEmbedder(config, { now: deps.now, countTokens: (text) => deps.countTokens(text, model) });
}

/** Addresses that can be opened on this machine, and the one that people use. */
function addressLines(
  { host, publicUrl }: Pick<Config, 'host' | 'publicUrl'>,
  { port, metricsPort }: { port: number; metricsPort: number | undefined },
  hasConsole: boolean,
): string[] {
  const isEverywhere = host === '0.0.0.0' || /^\[?::\]?$/.test(host);
  const name = isEverywhere ? 'localhost' : host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const url = `http://${name}:${port}`;
  const numbers = metricsPort === undefined || metricsPort === port ? '' : `, metrics on http://${name}:${metricsPort}`;
  const first = metricsPort === port ? `health and metrics on ${url}` : `health on ${url}${numbers}`;
  return hasConsole ? [first, `the web console is open: ${publicUrl ?? url}`] : [first];
}

/** Who reaches the port reaches the numbers, unless others than this machine's programs do and nobody asked for it. */
function toMetricsPort({ host, port, metricsPort }: Config): number | 'none' {
  return metricsPort ?? (isLoopback(host) ? port : 'none');
}

/** What an option may be that only the running program knows, for completion. */
function valuesOf(option: string, values: Values, known: { toolbox: Toolbox; presets: Presets }): readonly string[] {
  if (option === 'preset') return known.presets.names();
  if (option !== 'value') return [];
  return settingExamples(String(values.name).replace(/^workspace\./i, ''), known.toolbox.names());
}
