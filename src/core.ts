import { type Bot, createBot } from './bot.ts';
import { commands } from './commands/list.ts';
import { createMayUse, createPolicy, type MayUse } from './commands/policy.ts';
import { withPreset } from './commands/preset.ts';
import { noPresets, type Presets } from './commands/presets.ts';
import { createCommandRunner } from './commands/runner.ts';
import type { EncoderFor } from './commands/setting.ts';
import { resolveProfile } from './commands/settings.ts';
import type { Config } from './config.ts';
import { createMemory, type Memory, type MemoryDeps } from './conversation/memory.ts';
import type { Profile } from './conversation/profile.ts';
import { encodingForModel, loadCounter } from './conversation/tokens.ts';
import { channelParts, type LinkTo, type OpenIntake, type Surface } from './event.ts';
import { createInbox, type Inbox } from './inbox/inbox.ts';
import { createViews, type Views } from './inspect/console-views.ts';
import type { Log } from './log.ts';
import type { Embedder } from './model/embed.ts';
import type { Model } from './model/model.ts';
import { type Audit, createAudit } from './operations/audit.ts';
import type { Metrics } from './operations/metrics.ts';
import type { Store } from './storage/store.ts';
import type { Toolbox } from './tools/toolbox.ts';
import { interruptAnswers } from './turn/interrupting.ts';
import { createRunningAnswers } from './turn/running.ts';
import { drawChart } from './usage/chart-image.ts';
import { createLedger } from './usage/ledger.ts';
import { loadPrices } from './usage/prices.ts';

/** What answers: everything between the intake of events and the replies to them, over a store and a model. */
export interface Core {
  open: OpenIntake;
  inbox: Inbox;
  bot: Bot;
  memory: Memory;
  views: Views;
  audit: Audit;
  mayUse: MayUse;
}

interface CoreDeps {
  config: Pick<Config, 'policy' | 'budgets' | 'pricesFile' | 'timeZone'> & { model: Pick<Config['model'], 'foldName'> };
  defaults: Profile;
  store: Store;
  model: Model;
  metrics: Metrics;
  /** Absent: nothing can be called. */
  toolbox?: Toolbox | undefined;
  /** Absent: what was said is found by its words alone. */
  embedder?: Embedder | undefined;
  /** Absent: no roles to choose from. */
  presets?: Presets | undefined;
  log: Log;
  /** Fires when what goes on in the background must end. */
  signal: AbortSignal;
  now(): number;
}

/** However small the budget, so much of a channel's unfolded talk is kept in memory. */
const smallestTailTokens = 50_000;

export async function createCore(deps: CoreDeps): Promise<Core> {
  const { config, defaults, store, model, metrics, log, signal, now, presets = noPresets } = deps;
  const { timeZone } = config;
  const counterFor = (name: string) => loadCounter(encodingForModel(name));
  const encode: EncoderFor = async (name) => (await counterFor(name)).encode;
  const prices = await loadPrices(config.pricesFile);
  const audit = createAudit({ store, log, now });
  const ledger = createLedger({ store, prices, timeZone, limits: config.budgets, now });
  const memory = createMemory({
    store,
    model,
    foldModel: config.model.foldName,
    ledger,
    toolbox: deps.toolbox,
    embedder: deps.embedder,
    resolveProfile: createToProfile(defaults, presets, encode, log),
    counterFor,
    tailTokens: Math.max(smallestTailTokens, defaults.memory.tokens * 2),
    signal,
    log,
    now,
    onFold: metrics.folded,
  });
  const surfaces = new Map<string, Surface>();
  const link: LinkTo = (channel, ...message) => surfaces.get(channelParts(channel).platform)?.link(channel, ...message);
  const running = createRunningAnswers();
  memory.changes.watch((change) => interruptAnswers(running, change));
  const policy = createPolicy(config.policy);
  const runner = createCommandRunner({
    memory,
    model,
    running,
    ledger,
    presets,
    policy,
    timeZone,
    pricesAsOf: prices.asOf,
    commands: () => commands,
    encode,
    draw: drawChart,
    link,
    log,
    audit,
    now,
  });
  const bot = createBot({
    memory,
    answer: {
      ...memory,
      model,
      ledger,
      running,
      log,
      link,
      now,
      onFirstToken: metrics.firstToken,
      onToolFailed: () => metrics.failed('tool'),
    },
    commands: runner,
    log,
    metrics,
    now,
  });
  const inbox = createInbox({ store, ...bot, follow: memory.amending.follow, log, now });
  const open: OpenIntake = async (platform, surface) => {
    surfaces.set(platform, surface);
    return await inbox.open(platform, surface);
  };
  const views = createViews({
    store,
    memory,
    model,
    runner,
    ledger,
    link,
    timeZone,
    pricesAsOf: prices.asOf,
    signal,
    log,
    now,
  });
  return { open, inbox, bot, memory, views, audit, mayUse: createMayUse(policy, commands) };
}

type Layers = Parameters<MemoryDeps['resolveProfile']>[0];

/** What is stored and no longer understood is named once, and what holds otherwise holds. */
function createToProfile(
  defaults: Profile,
  presets: Presets,
  encode: EncoderFor,
  log: Log,
): (layers: Layers) => Promise<Profile> {
  const named = new Set<string>();
  const found = async ({ preset, ...layer }: Layers[number]) => ({
    ...layer,
    preset: preset === undefined ? undefined : await presets.find(preset),
  });
  return async (given) => {
    const { role, examples, layers } = withPreset(await Promise.all(given.map(found)));
    const { profile, ignored } = await resolveProfile(layers, defaults, encode);
    for (const name of ignored.filter((one) => !named.has(one))) {
      named.add(name);
      log.warn({ name }, 'a stored setting is not understood and has no effect');
    }
    return role === undefined ? profile : { ...profile, role, examples };
  };
}
