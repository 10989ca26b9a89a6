import { BotError, toBotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import { cacheKey } from '../model/cache-key.ts';
import type { CallCost } from '../model/collect.ts';
import type { Model } from '../model/model.ts';
import type { Charge, Ledger } from '../usage/ledger.ts';
import type { Changes, MemoryChange } from './changes.ts';
import type { Conversations } from './conversations.ts';
import { type Batch, foldsText, planFoldsBatch, planTurnBatch, turnsText } from './fold-batch.ts';
import { toFold, withFold } from './fold-step.ts';
import { createFoldTroubles } from './fold-troubles.ts';
import { mostWritten, roomForText, writeFold } from './fold-writer.ts';
import type { FoldTexts } from './folds.ts';
import { liveRanges, type Range } from './head.ts';
import { type ChannelState, openRanges } from './journal.ts';
import type { MemoryLimits } from './limits.ts';
import type { Profile } from './profile.ts';
import type { TokenCounter } from './tokens.ts';
import { isSpoken, type Turn } from './turn.ts';
import { countMessages, foldMessage } from './wire.ts';

/**
 * Folds a channel when it is due. The model is called outside the commit lock; what it wrote becomes true in one
 * commit, and only if the epoch, the turns and the folds it stands on are still what they were. A failure changes
 * nothing and is tried again after a growing pause.
 */
export interface Folding {
  /** Folds as long as it is due; answers how often. Calls for one channel share one run. */
  run(request: FoldRequest): Promise<number>;
  /** What people should be told, once. */
  takeNews(channel: ChannelId): FoldNews;
  isRunning(channel: ChannelId): boolean;
  /** What is being written from something that was just taken back is ended, and begun anew from what is left. */
  interrupt(change: MemoryChange): void;
  /** Resolves when nothing is being folded. */
  idle(): Promise<void>;
}

export interface FoldRequest {
  channel: ChannelId;
  /** Whose message made it due, for the ledger. */
  person: string;
  /** Whose daily budget pays, where not the person's own. */
  payer?: string | undefined;
  profile: Profile;
  limits: MemoryLimits;
  /** A cold fold: the provider's cache has expired anyway, so less is reason enough. */
  high: number;
}

interface FoldNews {
  /** The channel was folded, and had never been before. */
  first: boolean;
  /** Folding has failed several times. */
  failing: boolean;
}

interface FoldingDeps {
  conversations: Conversations;
  folds: FoldTexts;
  model: Model;
  foldModel: string | undefined;
  ledger: Pick<Ledger, 'reserve' | 'bill'>;
  counterFor(model: string): Promise<TokenCounter>;
  /** Fires when the program must stop: the fold is begun again after the next start. */
  signal: AbortSignal;
  log: Log;
  now(): number;
  changes: Pick<Changes, 'tell'>;
  onFolded(outcome: 'written' | 'dropped' | 'failed'): void;
}

/** What a fold costs, and the fold unless it could not be written. */
interface Attempt {
  costs: CallCost[];
  written: { text: string; tokens: number } | undefined;
  failure: unknown;
}

/** One channel's run. */
interface Run {
  folded: Promise<number>;
  /** What is being written just now; nothing while that is being decided. */
  batch: Batch | undefined;
  /** Fires when what the batch stands on was taken back. */
  taken: AbortController;
}

const mostFoldsARun = 50;
/** Each was paid for. */
const mostVoids = 3;
const instructionTokens = 200;
/** For a guess at how far a fold is. */
const charsPerToken = 4;
const noNews: FoldNews = { first: false, failing: false };

export function createFolding(deps: FoldingDeps): Folding {
  const { conversations, folds, log, now } = deps;
  const running = new Map<ChannelId, Run>();
  const troubles = createFoldTroubles(log, now);
  /** Until somebody is there to be told. */
  const news = new Map<ChannelId, FoldNews>();

  async function run(request: FoldRequest, current: Run): Promise<number> {
    const { channel } = request;
    const state = await conversations.read(channel);
    if (troubles.mustWait(channel, state.nextSeq)) return 0;
    const isFirst = state.head.folds.length === 0 && state.head.away.every((put) => put.folds.length === 0);
    let folded = 0;
    let voids = 0;
    for (let tries = 0; tries < mostFoldsARun; tries++) {
      current.batch = undefined;
      current.taken = new AbortController();
      // Read only now: whatever is taken back from here on ends this batch.
      const now = await conversations.read(channel);
      const batch = await nextBatch(now, request);
      if (batch === undefined) break;
      current.batch = batch;
      const outcome = await tryFold(batch, now, request, current.taken.signal);
      if (outcome === 'failed' || voids === mostVoids) break;
      if (outcome === 'kept') folded++;
      else voids++;
    }
    if (folded === 0) return 0;
    log.info({ channel, folds: folded }, 'folded');
    if (isFirst) tell(channel, { first: true });
    return folded;
  }

  function tell(channel: ChannelId, some: Partial<FoldNews>): void {
    news.set(channel, { ...(news.get(channel) ?? noNews), ...some });
  }

  async function tryFold(
    batch: Batch,
    state: ChannelState,
    request: FoldRequest,
    taken: AbortSignal,
  ): Promise<'kept' | 'void' | 'failed'> {
    const { channel } = request;
    try {
      deps.changes.tell({ channel, what: 'folding', fold: { from: batch.from, to: batch.to, done: 0 } });
      const stood = await foldBatch(batch, request, taken);
      troubles.over(channel);
      deps.onFolded(stood ? 'written' : 'dropped');
      if (!stood) log.info({ channel }, voidFold);
      deps.changes.tell({ channel, what: stood ? 'folded' : 'fold-failed' });
      return stood ? 'kept' : 'void';
    } catch (error) {
      if (deps.signal.aborted) return 'failed';
      deps.changes.tell({ channel, what: 'fold-failed' });
      if (taken.aborted) {
        log.info({ channel }, voidFold);
        return 'void';
      }
      deps.onFolded('failed');
      if (troubles.failed(channel, state.nextSeq, error)) tell(channel, { failing: true });
      return 'failed';
    }
  }

  async function nextBatch(state: ChannelState, { profile, limits, high }: FoldRequest): Promise<Batch | undefined> {
    const ranges = openRanges(state);
    const isInMemory = state.tail.reduce((sum, turn) => sum + turn.tokens, 0) >= state.rawTokens;
    const open = {
      turns: isInMemory ? state.tail : await readSpoken(state.channel, ranges),
      rawTokens: state.rawTokens,
      ranges,
      folds: state.view.folds,
    };
    const counter = await deps.counterFor(foldModel(profile));
    const mostTokens = await roomForText(counter, mostInRequest(profile, limits), limits.perFold);
    const { low, rounds } = limits;
    return planTurnBatch(open, { high, low, rounds }, mostTokens) ?? planFoldsBatch(open, limits.folds);
  }

  async function readSpoken(channel: ChannelId, ranges: readonly Range[]): Promise<Turn[]> {
    const turns: Turn[] = [];
    for (const range of ranges) turns.push(...(await conversations.journal.turns(channel, range)).filter(isSpoken));
    return turns;
  }

  function foldModel(profile: Profile): string {
    return deps.foldModel ?? profile.model;
  }

  /** The budget holds for every request, and the model that folds may read less than the one that answers. */
  function mostInRequest(profile: Profile, limits: MemoryLimits): number {
    const window = deps.model.contextTokens(foldModel(profile));
    return window === undefined ? limits.total : Math.min(limits.total, window - mostWritten(limits.perFold));
  }

  /** Answers whether the fold still stood on what it was written from. Its cost counts in any case. */
  async function foldBatch(batch: Batch, request: FoldRequest, taken: AbortSignal): Promise<boolean> {
    const { channel, person, payer, profile, limits } = request;
    const cap = Math.min(limits.perFold, Math.floor(batch.tokens / 2));
    const reservation = await deps.ledger.reserve({
      channel,
      person,
      payer,
      model: foldModel(profile),
      promptTokens: batch.tokens + instructionTokens,
      completionTokens: cap * 2,
    });
    try {
      const attempt = await write(batch, request, cap, AbortSignal.any([deps.signal, taken]));
      const kept = await conversations.change(channel, async (state) => {
        const charges = attempt.costs.map((cost) => toCharge(request, cost, now()));
        const bill = await deps.ledger.bill(channel, charges, reservation);
        const model = attempt.costs.at(-1)?.model ?? foldModel(profile);
        const fold = attempt.written && toFold(batch, { ...attempt.written, model, at: now() });
        const stood = fold !== undefined && (await stillHolds(state, batch));
        return { step: stood ? withFold(state, batch, fold) : undefined, also: bill.records, value: { stood, bill } };
      });
      kept.bill.settle();
      if (attempt.failure !== undefined) throw attempt.failure;
      return kept.stood;
    } finally {
      reservation.release();
    }
  }

  async function write(
    batch: Batch,
    { channel, profile, limits }: FoldRequest,
    cap: number,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const name = foldModel(profile);
    const counter = await deps.counterFor(name);
    const costs: CallCost[] = [];
    let chars = 0;
    const writing = {
      model: deps.model,
      name,
      counter,
      mostTokens: mostInRequest(profile, limits),
      cacheKey: cacheKey(channel, 'fold'),
      signal,
      costs,
      onText: (text: string) => {
        chars += text.length;
        const done = Math.min(0.99, chars / (cap * charsPerToken));
        deps.changes.tell({ channel, what: 'folding', fold: { from: batch.from, to: batch.to, done } });
      },
    };
    try {
      const text = await writeFold(writing, await batchText(batch), cap);
      const tokens = await countMessages([foldMessage(text)], await deps.counterFor(profile.model));
      return { costs, written: { text, tokens }, failure: undefined };
    } catch (error) {
      return { costs, written: undefined, failure: toBotError(error) };
    }
  }

  async function batchText(batch: Batch): Promise<string> {
    if (batch.of === 'turns') return turnsText(batch);
    const texts = await folds.texts(batch.replaces);
    return foldsText(
      batch,
      texts.map((fold) => fold.text),
    );
  }

  /** Compares with the journal as it is now: every turn of the range, or every fold in it and every turn in no fold. */
  async function stillHolds(state: ChannelState, batch: Batch): Promise<boolean> {
    if (batch.of === 'folds') {
      const within = openRanges(state).filter((range) => batch.from <= range.from && range.to <= batch.to);
      const areInUse = batch.replaces.every((ref) => state.view.folds.some((fold) => fold.id === ref.id));
      return areInUse && areSame(await readSpoken(state.channel, within), batch.between);
    }
    const live = liveRanges(state.head, state.view, state.nextSeq);
    const within = live.some((one) => one.epoch === batch.epoch && one.from <= batch.from && batch.to <= one.to);
    const overlaps = state.view.folds.some((fold) => fold.from <= batch.to && batch.from <= fold.to);
    if (!within || overlaps) return false;
    const turns = (await conversations.journal.turns(state.channel, batch)).filter(isSpoken);
    return areSame(turns, batch.turns);
  }

  return {
    run(request) {
      const { channel } = request;
      const before = running.get(channel);
      if (before !== undefined) return before.folded;
      const mine: Run = { folded: Promise.resolve(0), batch: undefined, taken: new AbortController() };
      running.set(channel, mine);
      mine.folded = run(request, mine).finally(() => running.delete(channel));
      return mine.folded;
    },
    interrupt(change) {
      const current = running.get(change.channel);
      if (current !== undefined && restsOnTaken(current.batch, change)) {
        current.taken.abort(new BotError('stopped', 'what was to be summarised has changed'));
      }
    },
    isRunning: (channel) => running.has(channel),
    takeNews(channel) {
      const told = news.get(channel) ?? noNews;
      news.delete(channel);
      return told;
    },
    async idle() {
      await Promise.allSettled([...running.values()].map((one) => one.folded));
    },
  };
}

const voidFold = 'a fold was dropped: what it stood on had changed';

/** While it is being decided what to write, it may be anything. */
function restsOnTaken(batch: Batch | undefined, { taken, summariesGone = false }: MemoryChange): boolean {
  if (taken === undefined) return false;
  if (batch === undefined || taken.why === 'reset' || (batch.of === 'folds' && summariesGone)) return true;
  const ids = new Set(taken.messageIds);
  const turns = batch.of === 'turns' ? batch.turns : batch.between;
  return turns.some((turn) => ids.has(turn.id));
}

function areSame(now: readonly Turn[], then: readonly Turn[]): boolean {
  return now.length === then.length && now.every((turn, n) => turn.seq === then[n]?.seq && turn.rev === then[n]?.rev);
}

function toCharge({ person, payer }: Pick<FoldRequest, 'person' | 'payer'>, cost: CallCost, at: number): Charge {
  return { person, payer, kind: 'fold', model: cost.model, usage: cost.usage, at };
}
