import { z } from 'zod';
import type { Values } from './commands/command.ts';
import { completeLine } from './commands/complete.ts';
import { commands } from './commands/list.ts';
import { restrictionProblems } from './commands/policy.ts';
import { settingExamples } from './commands/settings.ts';
import type { Config } from './config.ts';
import { headKind } from './conversation/head.ts';
import { planLimits, smallestHigh } from './conversation/limits.ts';
import type { Profile } from './conversation/profile.ts';
import { encodingForModel, loadCounter, upperBound } from './conversation/tokens.ts';
import { systemText } from './conversation/wire.ts';
import { createCore } from './core.ts';
import { BotError } from './errors.ts';
import type { Adapter, OpenIntake } from './event.ts';
import { startHousekeeping } from './housekeeping.ts';
import type { Log } from './log.ts';
import { chooseModel } from './model/choose.ts';
import { applyNetworkEnvironment } from './model/network.ts';
import { observed } from './model/observed.ts';
import { type Health, startOperations } from './operations/http.ts';
import { createMetrics } from './operations/metrics.ts';
import { observedStore } from './storage/observed.ts';
import { openStore } from './storage/open.ts';
import { type RecordKind, record, type Store } from './storage/store.ts';

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
  /** What a command line, without its slash, can become. */
  complete(line: string): string[];
}

interface AppOptions {
  config: Config;
  environment: Record<string, string | undefined>;
  log: Log;
  /** Whether health and metrics are served. */
  serve: boolean;
  startAdapters(host: Host): Promise<Adapter[]>;
}

const drainMs = 7000;

export async function startApp({ config, environment, log, serve, startAdapters }: AppOptions): Promise<App> {
  for (const line of applyNetworkEnvironment(environment)) log.info({}, line);
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
  const core = await createCore({ config, defaults, store, model, metrics, log, signal: stopped.signal, now });
  const { inbox, memory } = core;
  metrics.watchQueue(() => ({ waiting: inbox.waiting(), running: inbox.running() }));
  const housekeeping = startHousekeeping({ store, memory, inbox, retentionDays: config.retentionDays, log, now });
  log.info({}, chosen.told);

  const adapters = await startAdapters({
    openIntake: core.open,
    log,
    now,
    defaultRole: defaults.role,
    complete: (line) => completeLine(commands, line, settingValues),
  });
  const health = () => healthOf(store, adapters);
  const operations = serve
    ? await startOperations({ host: config.host, port: config.port, metrics, health })
    : undefined;
  if (operations !== undefined) log.info({}, `health and metrics on http://${config.host}:${operations.port}`);
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
      await operations?.close();
      await store.close();
    },
  };
}

async function healthOf(store: Store, adapters: readonly Adapter[]): Promise<Health> {
  const parts = [await storeHealth(store), ...adapters.map((adapter) => ({ name: adapter.name, ...adapter.health() }))];
  return { ready: parts.every((part) => part.ready), parts };
}

/** Something new each time: a store that can be read may still have no room. */
async function storeHealth(store: Store): Promise<Health['parts'][number]> {
  try {
    await store.commit([record(probeKind, 'health', { at: Date.now() })]);
    await store.list(headKind, '', { limit: 1 });
    return { name: 'store', ready: true, detail: 'answers' };
  } catch {
    return { name: 'store', ready: false, detail: 'cannot be read and written' };
  }
}

const probeKind: RecordKind<{ at: number }> = {
  name: 'probe',
  version: 1,
  schema: z.object({ at: z.number() }),
  upgrades: {},
};

export function toDefaults(config: Config, model: string): Profile {
  const { maxReplyTokens, temperature } = config.model;
  return {
    role: config.role,
    model,
    maxReplyTokens,
    request: temperature === undefined ? {} : { temperature },
    memory: config.memory,
    listen: config.listen,
  };
}

/** A budget in which nothing could be remembered, or which the model cannot read, is refused before anything starts. */
async function checkBudget(
  defaults: Profile,
  contextTokens: number | undefined,
  count: (text: string, model: string) => Promise<number>,
): Promise<void> {
  const { tokens } = defaults.memory;
  if (contextTokens !== undefined && tokens + defaults.maxReplyTokens > contextTokens) {
    throw new BotError(
      'config',
      `MEMORY_TOKENS: with MAX_REPLY_TOKENS it is more than the ${contextTokens} tokens ${defaults.model} can read`,
    );
  }
  const text = systemText(defaults.role, false);
  const fits = (roleTokens: number): boolean => planLimits(defaults.memory, roleTokens).high >= smallestHigh;
  // Loading the counter takes a while: it is not needed where even the upper bound fits.
  if (fits(upperBound(text)) || fits(await count(text, defaults.model))) return;
  throw new BotError(
    'config',
    `MEMORY_TOKENS, MEMORY_HIGH, SYSTEM_ROLE: beside the role and the summaries fewer than ${smallestHigh} of ${tokens} tokens remain for the conversation`,
  );
}

function checkRestrictions(config: Config): void {
  const [problem] = restrictionProblems(commands, config.policy.restrictedCommands);
  if (problem !== undefined) throw new BotError('config', problem);
}

/** What a setting may be set to, for completion. */
function settingValues(option: string, values: Values): readonly string[] {
  return option === 'value' ? settingExamples(String(values.name).replace(/^workspace\./i, '')) : [];
}
