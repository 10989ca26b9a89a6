import { type ChannelId, parentChannel } from '../event.ts';
import type { Log } from '../log.ts';
import type { Embedder } from '../model/embed.ts';
import type { Model } from '../model/model.ts';
import type { Store } from '../storage/store.ts';
import { noTools, type Toolbox } from '../tools/toolbox.ts';
import type { Spender } from '../usage/budget.ts';
import type { Ledger, Reservation } from '../usage/ledger.ts';
import { nobody } from '../usage/usage-record.ts';
import { type Amending, createAmending } from './amending.ts';
import { type Calibration, createCalibration } from './calibration.ts';
import { type Changes, createChanges } from './changes.ts';
import { type Conversations, createConversations } from './conversations.ts';
import { createDamageLog } from './damage-log.ts';
import { createEmbeddings } from './embeddings.ts';
import { createFolding, type Folding } from './folding.ts';
import { createFoldTexts, type FoldTexts } from './folds.ts';
import { isDirect } from './journal.ts';
import { createUnwrittenEdits, readLate, type UnwrittenEdits } from './late.ts';
import { type MemoryLimits, planLimits } from './limits.ts';
import type { Profile } from './profile.ts';
import { promptBudget, seedRoom } from './prompt-budget.ts';
import { createRecall, type Recall } from './recall.ts';
import type { recordMessage } from './recording.ts';
import { createSeeds, type Seeds } from './seed.ts';
import { standingTokens, toStanding } from './standing.ts';
import type { TokenCounter } from './tokens.ts';
import type { Turn } from './turn.ts';
import { createWorkspaces, type Workspaces } from './workspaces.ts';

/** The parts of the memory, put together once. */
export interface Memory {
  conversations: Conversations;
  workspaces: Workspaces;
  profiles: { of(channel: ChannelId): Promise<Profile> };
  folds: FoldTexts;
  seeds: Seeds;
  calibration: Calibration;
  amending: Amending;
  unwritten: UnwrittenEdits;
  folding: Folding;
  changes: Changes;
  recall: Recall;
  toolbox: Toolbox;
  counterFor(model: string): Promise<TokenCounter>;
  recording(profile: Profile): Promise<Parameters<typeof recordMessage>[0]>;
  /** What stands before the turns in every prompt: the role and its frame, examples, tools, a thread's seed. */
  fixedTokens(channel: ChannelId, profile: Profile, direct: boolean): Promise<number>;
  limits(channel: ChannelId, profile: Profile, direct: boolean): Promise<MemoryLimits>;
  reserve(spender: Spender, profile: Profile, question: Turn): Promise<Reservation>;
  inBackground(work: Promise<unknown>): void;
  /** Resolves when nothing goes on in the background. */
  idle(): Promise<void>;
}

/** What is set for a thread, a channel or a workspace. */
interface ProfileLayer {
  role: string | undefined;
  /** By name; its role and settings count where the layer has none of its own. */
  preset?: string | undefined;
  settings: Record<string, unknown>;
}

export interface MemoryDeps {
  store: Store;
  model: Model;
  foldModel: string | undefined;
  /** Absent: nothing can be called. */
  toolbox?: Toolbox | undefined;
  /** Absent: what was said is found by its words alone. */
  embedder?: Embedder | undefined;
  ledger: Ledger;
  /** Layers of settings, the first wins, over the defaults. */
  resolveProfile(layers: readonly ProfileLayer[]): Promise<Profile>;
  counterFor(model: string): Promise<TokenCounter>;
  /** How much of a channel's unfolded talk is kept in memory. */
  tailTokens: number;
  signal: AbortSignal;
  log: Log;
  now(): number;
  onFold(outcome: 'written' | 'dropped' | 'failed'): void;
}

export function createMemory(deps: MemoryDeps): Memory {
  const { store, ledger, counterFor, now, log, toolbox = noTools } = deps;
  const changes = createChanges();
  const folds = createFoldTexts(store, createDamageLog(log));
  const conversations = createConversations(store, { tokens: deps.tailTokens }, now, changes, folds);
  const workspaces = createWorkspaces(store);
  const seeds = createSeeds(conversations, folds);
  const calibration = createCalibration(store, now);
  const background = new Set<Promise<unknown>>();

  const folding = createFolding({
    conversations,
    folds,
    model: deps.model,
    foldModel: deps.foldModel,
    counterFor,
    signal: deps.signal,
    log,
    now,
    changes,
    onFolded: deps.onFold,
    ledger,
  });

  async function profileOf(channel: ChannelId): Promise<Profile> {
    const above = parentChannel(channel);
    const heads = [channel, ...(above === undefined ? [] : [above])];
    const layers = await Promise.all(heads.map(async (one) => (await conversations.read(one)).head));
    const settings = await workspaces.settings(channel);
    return await deps.resolveProfile([
      ...layers.map(({ role, preset, settings }) => ({ role, preset, settings })),
      { role: undefined, settings },
    ]);
  }

  async function fixedTokens(channel: ChannelId, profile: Profile, direct: boolean): Promise<number> {
    const counter = await counterFor(profile.model);
    const { tokens: budget } = await promptBudget({ calibration, model: deps.model }, profile);
    const standing = await toStanding(profile, await toolbox.offered(channel, profile), direct, counter, budget);
    return standingTokens(standing) + (await seeds.of(channel, seedRoom(budget))).tokens;
  }

  async function limits(channel: ChannelId, profile: Profile, direct: boolean): Promise<MemoryLimits> {
    const { tokens } = await promptBudget({ calibration, model: deps.model }, profile);
    return planLimits({ ...profile.memory, tokens }, await fixedTokens(channel, profile, direct));
  }

  function inBackground(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work
      .catch((error: unknown) => log.error({ error }, 'work in the background failed'))
      .finally(() => background.delete(settled));
    background.add(settled);
  }

  /** Summaries that went are written anew from what is left, off every path. */
  function refold(channel: ChannelId): void {
    const fold = async (): Promise<void> => {
      const profile = await profileOf(channel);
      const direct = isDirect(await conversations.read(channel));
      const now = await limits(channel, profile, direct);
      await folding.run({ channel, person: nobody, profile, limits: now, high: now.high });
    };
    inBackground(fold());
  }

  const { embedder, signal } = deps;
  const embeddings =
    embedder &&
    createEmbeddings({
      store,
      conversations,
      embedder,
      ledger,
      counter: () => counterFor(embedder.model),
      inBackground,
      signal,
      log,
      now,
    });
  const recall = createRecall({ conversations, log, embeddings });
  changes.watch((change) => {
    const { channel, what, summariesGone } = change;
    folding.interrupt(change);
    if (summariesGone) refold(channel);
    // What was taken back leaves the index now, not when somebody asks next.
    if (what === 'amended' || what === 'reset') inBackground(recall.refresh(channel));
    // What leaves the prompt is what will have to be found.
    if (what === 'folded' && embeddings !== undefined) inBackground(embeddings.fill(channel));
  });
  const unwritten = createUnwrittenEdits(now);
  const amending = createAmending({
    unwritten,
    store,
    conversations,
    folds,
    counter: async () => await counterFor((await deps.resolveProfile([])).model),
    inBackground,
  });

  return {
    conversations,
    workspaces,
    profiles: { of: profileOf },
    folds,
    seeds,
    calibration,
    amending,
    unwritten,
    folding,
    changes,
    recall,
    toolbox,
    counterFor,
    fixedTokens,
    limits,
    inBackground,

    async recording(profile) {
      return {
        conversations,
        counter: await counterFor(profile.model),
        late: async (channel, id) => (await readLate(store, channel, id)) ?? unwritten.get(channel, id),
      };
    },

    /** An upper estimate: all that is unfolded, folds, role, question, what may be recalled; at most the whole budget. */
    async reserve({ channel, person, payer }, profile, question) {
      const state = await conversations.read(channel);
      const folded = state.view.folds.reduce((sum, fold) => sum + fold.tokens, 0);
      const fixed = await fixedTokens(channel, profile, question.name === undefined);
      const mayRecall = state.view.folds.length > 0 || parentChannel(channel) !== undefined;
      const recalled = mayRecall ? planLimits(profile.memory, fixed).recall : 0;
      const all = fixed + folded + state.rawTokens + question.tokens + recalled;
      const promptTokens = Math.min(profile.memory.tokens, all);
      return await ledger.reserve({
        channel,
        person,
        payer,
        model: profile.model,
        promptTokens,
        completionTokens: profile.maxReplyTokens,
      });
    },

    async idle() {
      while (background.size > 0) await Promise.allSettled(background);
      await folding.idle();
    },
  };
}
