import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { Log } from '../log.ts';
import { cacheKey } from '../model/cache-key.ts';
import { type CallCost, collect } from '../model/collect.ts';
import type { Model } from '../model/model.ts';
import { record } from '../storage/store.ts';
import type { Charge, Ledger } from '../usage/ledger.ts';
import type { Conversations } from './conversations.ts';
import { type FoldInput, foldFault, foldRequest, shrinkRequest } from './fold-text.ts';
import { type Fold, type FoldTexts, foldId, foldKind, planHigherFold, toFoldRef } from './folds.ts';
import { type FoldRef, liveRanges } from './head.ts';
import { type ChannelState, openRanges, withHead } from './journal.ts';
import type { MemoryLimits } from './limits.ts';
import type { Profile } from './profile.ts';
import { cutAtSentence } from './sentences.ts';
import type { TokenCounter } from './tokens.ts';
import { isSpoken, type Turn } from './turn.ts';
import { planFold } from './window.ts';
import { countMessages, foldMessage, toTranscript } from './wire.ts';

/**
 * Folds a channel when it is due. The model is called outside the commit lock; what it wrote becomes true in one
 * commit, and only if the epoch, the turns and the folds it stands on are still what they were. A failure changes
 * nothing and is tried again after a growing pause.
 */
export interface Folding {
  /** Folds as long as it is due; answers whether anything was folded. Calls for one channel share one run. */
  run(request: FoldRequest): Promise<FoldResult>;
  /** Resolves when nothing is being folded. */
  idle(): Promise<void>;
}

export interface FoldRequest {
  channel: ChannelId;
  /** Whose message made it due, for the ledger. */
  person: string;
  profile: Profile;
  limits: MemoryLimits;
  /** A cold fold: the provider's cache has expired anyway, so less is reason enough. */
  high: number;
}

interface FoldResult {
  folded: number;
  /** The channel had never been folded before. */
  first: boolean;
  /** Set when folding has failed so often that people should know. */
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
  onFolded(): void;
  onFailed(): void;
}

/** One fold to be written. */
interface Batch {
  level: number;
  epoch: number;
  from: number;
  to: number;
  text: string;
  tokens: number;
  /** The revisions it stands on: turns by number, or the folds it replaces. */
  turns: Turn[];
  replaces: FoldRef[];
}

const mostBatchTokens = 16_000;
const instructionTokens = 200;
const mostFoldsARun = 50;
const longestPauseMs = 600_000;
const longestPauseTurns = 64;
const failuresUntilTold = 3;
const failuresUntilQuiet = 5;
const quietLogMs = 3_600_000;
/** A forgotten stretch shorter than this costs less as it is than as a fold. */
const smallestGap = 200;

interface Trouble {
  failures: number;
  notBefore: number;
  notBeforeSeq: number;
  told: boolean;
  loggedAt: number;
}

export function createFolding(deps: FoldingDeps): Folding {
  const { conversations, folds, log, now } = deps;
  const running = new Map<ChannelId, Promise<FoldResult>>();
  const troubles = new Map<ChannelId, Trouble>();

  async function run(request: FoldRequest): Promise<FoldResult> {
    const { channel } = request;
    const result: FoldResult = { folded: 0, first: false, failing: false };
    let state = await conversations.read(channel);
    result.first = state.head.folds.length === 0 && state.head.away.every((put) => put.folds.length === 0);
    const trouble = troubles.get(channel);
    if (trouble !== undefined && (now() < trouble.notBefore || state.nextSeq < trouble.notBeforeSeq)) return result;
    while (result.folded < mostFoldsARun) {
      const batch = await nextBatch(state, request);
      if (batch === undefined) break;
      try {
        if (!(await foldBatch(batch, request))) break;
        result.folded++;
        troubles.delete(channel);
      } catch (error) {
        result.failing = fail(channel, state.nextSeq, error);
        break;
      }
      state = await conversations.read(channel);
    }
    if (result.folded > 0) log.info({ channel, folds: result.folded }, 'folded');
    result.first &&= result.folded > 0;
    return result;
  }

  /** The pause doubles in turns and in seconds; people are told once, the log is not filled. */
  function fail(channel: ChannelId, nextSeq: number, error: unknown): boolean {
    deps.onFailed();
    const before = troubles.get(channel);
    const failures = (before?.failures ?? 0) + 1;
    const quiet = before !== undefined && failures > failuresUntilQuiet && now() - before.loggedAt < quietLogMs;
    if (!quiet) log.warn({ channel, failures, error }, 'a fold failed; the turns stay as they are');
    const told = failures >= failuresUntilTold;
    troubles.set(channel, {
      failures,
      notBefore: now() + Math.min(longestPauseMs, 1000 * 2 ** failures),
      notBeforeSeq: nextSeq + Math.min(longestPauseTurns, 2 ** failures),
      told: told || (before?.told ?? false),
      loggedAt: quiet ? before.loggedAt : now(),
    });
    return told && !(before?.told ?? false);
  }

  async function nextBatch(state: ChannelState, request: FoldRequest): Promise<Batch | undefined> {
    return (await turnBatch(state, request)) ?? (await foldOfFolds(state, request));
  }

  async function turnBatch(state: ChannelState, { limits, high }: FoldRequest): Promise<Batch | undefined> {
    const inMemory = state.tail.reduce((sum, turn) => sum + turn.tokens, 0) >= state.rawTokens;
    const ranges = openRanges(state);
    const turns = inMemory ? state.tail : await readSpoken(state, ranges);
    const cut = planFold(turns, state.rawTokens, { high, low: limits.low, rounds: limits.rounds });
    const lastFold = state.view.folds.at(-1);
    const gap = lastFold === undefined ? [] : turns.filter((turn) => turn.seq < lastFold.from);
    const gapTokens = gap.reduce((sum, turn) => sum + turn.tokens, 0);
    const due = turns.slice(0, gapTokens >= smallestGap ? Math.max(cut, gap.length) : cut);
    const range = ranges.find((one) => one.from <= (due[0]?.seq ?? -1) && (due[0]?.seq ?? -1) <= one.to);
    if (range === undefined) return undefined;
    const within = due.filter((turn) => turn.seq <= range.to && turn.seq >= range.from);
    const batch = upTo(within, mostBatchTokens);
    const first = batch[0];
    const last = batch.at(-1);
    if (first === undefined || last === undefined) return undefined;
    // Unspoken turns at the edges belong to the fold, else they would remain as gaps of their own.
    const next = turns.find((turn) => turn.seq > last.seq && turn.seq <= range.to);
    const to =
      next === undefined
        ? within.length === batch.length && range !== ranges.at(-1)
          ? range.to
          : last.seq
        : next.seq - 1;
    const tokens = batch.reduce((sum, turn) => sum + turn.tokens, 0);
    const text = batch.map(toTranscript).join('\n');
    return { level: 1, epoch: range.epoch, from: range.from, to, text, tokens, turns: batch, replaces: [] };
  }

  async function readSpoken(state: ChannelState, ranges: ReturnType<typeof openRanges>): Promise<Turn[]> {
    const turns: Turn[] = [];
    for (const range of ranges)
      turns.push(...(await conversations.journal.turns(state.channel, range)).filter(isSpoken));
    return turns;
  }

  async function foldOfFolds(state: ChannelState, { limits }: FoldRequest): Promise<Batch | undefined> {
    const replaces = planHigherFold(state.view.folds, limits.folds);
    const first = replaces[0];
    const last = replaces.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const texts = await folds.texts(replaces);
    return {
      level: Math.max(...replaces.map((fold) => fold.level)) + 1,
      epoch: last.epoch,
      from: first.from,
      to: last.to,
      text: texts.map((fold) => fold.text).join('\n\n'),
      tokens: replaces.reduce((sum, fold) => sum + fold.tokens, 0),
      turns: [],
      replaces,
    };
  }

  /** Answers whether the fold still stood on what it was written from. */
  async function foldBatch(batch: Batch, request: FoldRequest): Promise<boolean> {
    const { channel, person, profile, limits } = request;
    const model = deps.foldModel ?? profile.model;
    const counter = await deps.counterFor(model);
    const costs: CallCost[] = [];
    const cap = batch.replaces.length === 0 ? limits.perFold : Math.min(limits.perFold, Math.floor(batch.tokens / 2));
    const reservation = await deps.ledger.reserve({
      channel,
      person,
      model,
      promptTokens: batch.tokens + instructionTokens,
      completionTokens: cap * 2,
    });
    let written: string | undefined;
    let failure: unknown;
    try {
      written = await writeFold({ text: batch.text, tokens: batch.tokens, cap }, model, counter, channel, costs);
    } catch (error) {
      failure = error;
    }
    const tokens = written === undefined ? 0 : await countMessages([foldMessage(written)], counter);
    const fold: Fold | undefined =
      written === undefined ? undefined : toFold(batch, written, tokens, costs.at(-1)?.model ?? model, now());
    const stands = await conversations
      .change(channel, async (state) => {
        const bill = await deps.ledger.bill(
          channel,
          costs.map((cost) => toCharge(person, cost, now())),
          reservation,
        );
        const holds = fold !== undefined && (await stillHolds(state, batch));
        const step = fold !== undefined && holds ? withFold(state, batch, fold) : undefined;
        return {
          ...(step && { step: { ...step, state: withoutFolded(step.state, batch) } }),
          also: bill.records,
          value: { holds, settle: () => bill.settle() },
        };
      })
      .catch((error: unknown) => {
        reservation.release();
        throw error;
      });
    stands.settle();
    if (failure !== undefined) throw failure;
    if (stands.holds) deps.onFolded();
    else log.info({ channel }, 'a fold was dropped: what it stood on had changed');
    return stands.holds;
  }

  /** In parts where the whole would be too much for one request; too long an answer is shortened once, then cut. */
  async function writeFold(
    input: FoldInput,
    model: string,
    counter: TokenCounter,
    channel: ChannelId,
    costs: CallCost[],
  ): Promise<string> {
    const parts = await inParts(input.text, counter);
    if (parts.length > 1) {
      const texts: string[] = [];
      for (const part of parts) {
        texts.push(
          await writeFold(
            { text: part, tokens: await counter.count(part), cap: input.cap },
            model,
            counter,
            channel,
            costs,
          ),
        );
      }
      const text = texts.join('\n');
      return await writeFold(
        { text, tokens: await counter.count(text), cap: input.cap },
        model,
        counter,
        channel,
        costs,
      );
    }
    const ask = async (
      messages: ReturnType<typeof foldRequest>,
    ): Promise<{ text: string; tokens: number; finish: string }> => {
      const request = {
        model,
        messages,
        purpose: 'fold' as const,
        maxTokens: Math.ceil(input.cap * 1.3) + 50,
        settings: { temperature: 0 },
        cacheKey: cacheKey(channel, 'fold'),
        promptTokens: input.tokens + instructionTokens,
      };
      const answer = await collect(deps.model, request, deps.signal, costs);
      return { text: answer.text.trim(), tokens: await counter.count(answer.text), finish: answer.finish };
    };
    const first = await ask(foldRequest(input));
    const tooLong = first.tokens > input.cap || first.finish === 'length';
    if (!tooLong || first.text === '') return accepted(input, first);
    const second = await ask(shrinkRequest(first.text, input.cap));
    if (second.finish === 'stop' && second.tokens <= input.cap) return accepted(input, second);
    const shorter = second.text !== '' && second.tokens < first.tokens ? second : first;
    const text = await cutAtSentence(shorter.text, input.cap, counter);
    return accepted(input, { text, tokens: await counter.count(text), finish: 'stop' });
  }

  return {
    run(request) {
      const before = running.get(request.channel);
      if (before !== undefined) return before;
      const mine = run(request).finally(() => running.delete(request.channel));
      running.set(request.channel, mine);
      return mine;
    },
    async idle() {
      await Promise.allSettled(running.values());
    },
  };

  /** Compares with the journal as it is now: every turn of the range, or every fold that was to be replaced. */
  async function stillHolds(state: ChannelState, batch: Batch): Promise<boolean> {
    if (batch.replaces.length > 0) {
      return batch.replaces.every((ref) => state.view.folds.some((fold) => fold.id === ref.id));
    }
    const live = liveRanges(state.head, state.view, state.nextSeq);
    const within = live.some((one) => one.epoch === batch.epoch && one.from <= batch.from && batch.to <= one.to);
    const overlaps = state.view.folds.some((fold) => fold.from <= batch.to && batch.from <= fold.to);
    if (!within || overlaps) return false;
    const turns = (await conversations.journal.turns(state.channel, batch)).filter(isSpoken);
    return (
      turns.length === batch.turns.length &&
      turns.every((turn, n) => turn.seq === batch.turns[n]?.seq && turn.rev === batch.turns[n]?.rev)
    );
  }
}

function accepted(input: FoldInput, answer: { text: string; tokens: number; finish: string }): string {
  const fault = foldFault(input, answer);
  if (fault !== undefined) throw new BotError('model', `the summary was not kept: ${fault}`);
  return answer.text;
}

/** Whole turns up to a size; a single larger one goes alone. */
function upTo(turns: readonly Turn[], tokens: number): Turn[] {
  const batch: Turn[] = [];
  let sum = 0;
  for (const turn of turns) {
    sum += turn.tokens;
    if (batch.length > 0 && sum > tokens) break;
    batch.push(turn);
  }
  return batch;
}

async function inParts(text: string, counter: TokenCounter): Promise<string[]> {
  const parts: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const part = await cutAtSentence(rest, mostBatchTokens * 1.5, counter);
    if (part === '' || part.length === rest.length) return [...parts, rest];
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}

function toFold(batch: Batch, text: string, tokens: number, model: string, at: number): Fold {
  const { epoch, level, from, to } = batch;
  return { epoch, level, from, to, text, tokens, at, model };
}

function withFold(state: ChannelState, batch: Batch, fold: Fold) {
  const id = foldId(state.channel, fold);
  const gone = new Set(batch.replaces.map((ref) => ref.id));
  const kept = state.head.folds.filter((ref) => !gone.has(ref.id));
  const all = [...kept, toFoldRef(id, fold)].sort((a, b) => a.from - b.from);
  const step = withHead(state, { ...state.head, folds: all });
  return { ...step, records: [...step.records, record(foldKind, id, fold)] };
}

function withoutFolded(state: ChannelState, batch: Batch): ChannelState {
  if (batch.replaces.length > 0) return state;
  const folded = batch.turns.reduce((sum, turn) => sum + turn.tokens, 0);
  return {
    ...state,
    tail: state.tail.filter((turn) => turn.seq < batch.from || turn.seq > batch.to),
    rawTokens: state.rawTokens - folded,
  };
}

function toCharge(person: string, cost: CallCost, at: number): Charge {
  return { person, kind: 'fold', model: cost.model, usage: cost.usage, at };
}
