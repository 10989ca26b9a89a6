import type { Conversations, Planned } from '../conversation/conversations.ts';
import { appendTurn, type ChannelState, replaceTurn, type Step } from '../conversation/journal.ts';
import type { TokenCounter } from '../conversation/tokens.ts';
import type { RecalledRef, Turn } from '../conversation/turn.ts';
import { toAlternative } from '../conversation/versions.ts';
import { countMessages, toMessages } from '../conversation/wire.ts';
import type { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { StoredRecord } from '../storage/store.ts';
import type { Charge, Ledger, Reservation } from '../usage/ledger.ts';
import { type LiveStep, toKept } from './steps.ts';

/** What became of a question, committed with its cost and its inbox entry in one transaction. */

export interface KeepDeps {
  conversations: Conversations;
  ledger: Ledger;
  counterFor(model: string): Promise<TokenCounter>;
}

export interface Spoken {
  text: string;
  posts: string[];
  /** The platform's id of the message it replies to, which may be shown elsewhere than the question. */
  replyTo: string | undefined;
  model: string;
  at: number;
  partial: string | undefined;
  steps: readonly LiveStep[];
  recalled: readonly RecalledRef[];
}

/** What an answer owes: calls that were made and are not kept yet, and what is held for the one under way. */
export interface Tab {
  charges: Charge[];
  reservation: Reservation | undefined;
  /** How many rounds of tools came before the call that the reservation is for. */
  rounds: number;
  /** That a budget is nearly used up: told once, with the answer. */
  warning: string | undefined;
  /** Something of the answer has been shown, be it in an attempt that was given up. */
  isShown: boolean;
  /** Why the model that settings name did not answer, and a fallback did. */
  passedOver: BotError | undefined;
}

export interface Cost extends Pick<Tab, 'charges'> {
  reservation: Pick<Reservation, 'day' | 'release'> | undefined;
  /** The inbox entry, done or changed; nothing where it stays as it is. */
  entry: (() => StoredRecord[]) | undefined;
}

/**
 * The answer becomes part of the conversation, if its question still stands as it was. `stillWanted` is asked under
 * the commit lock; where it says no, or the question is gone, only the cost is kept: the entry stays as it is, and the
 * caller decides what becomes of it.
 */
export async function keepAnswer(
  deps: KeepDeps,
  channel: ChannelId,
  question: Turn,
  spoken: Spoken,
  cost: Cost,
  stillWanted: () => boolean,
): Promise<boolean> {
  const counter = await deps.counterFor(spoken.model);
  const draft = toAnswer(question, spoken);
  const tokens = await countMessages(toMessages({ ...draft, seq: 0, rev: 0 }), counter);
  return await commit(deps, channel, cost, async (state) => {
    const found = await deps.conversations.journal.find(channel, question.id);
    const page = found === undefined ? [] : await deps.conversations.journal.page(channel, found);
    const asked = page.find((turn) => turn.seq === question.seq);
    const lives = found !== undefined && state.view.spans.some((span) => span.epoch === found.epoch);
    if (!lives || asked === undefined || asked.erased !== undefined || asked.rev !== question.rev || !stillWanted()) {
      return { value: false, open: true };
    }
    const answered = asWasAnswered(state, found.epoch, page, asked);
    const earlier = await earlierAnswer(deps, state, found.epoch, asked);
    const step =
      earlier === undefined
        ? appendTurn(answered.state, { ...draft, tokens }, deps.conversations.limit)
        : replaceTurn(answered.state, found.epoch, earlier.page, withAlternative(earlier.turn, { ...draft, tokens }));
    return { step: { state: step.state, records: [...answered.records, ...step.records] }, value: true };
  });
}

/** No answer: the question stays in the journal but not in prompts, until a retry answers it. */
export async function keepFailure(
  deps: KeepDeps,
  channel: ChannelId,
  question: Turn,
  why: string,
  cost: Cost,
): Promise<void> {
  await commit(deps, channel, cost, async (state) => {
    const ref = await deps.conversations.journal.find(channel, question.id);
    const page = ref === undefined ? [] : await deps.conversations.journal.page(channel, ref);
    const asked = page.find((turn) => turn.seq === question.seq);
    if (ref === undefined || asked === undefined || asked.erased !== undefined) return { value: undefined };
    if ((await earlierAnswer(deps, state, ref.epoch, asked)) !== undefined) return { value: undefined };
    return { step: replaceTurn(state, ref.epoch, page, { ...asked, unanswered: why }), value: undefined };
  });
}

/** Whether another answer to it stands, which a new one makes an earlier version. */
export async function wasAnswered(deps: KeepDeps, channel: ChannelId, question: Turn): Promise<boolean> {
  const state = await deps.conversations.read(channel);
  // Most questions are the last thing that was said.
  if (question.seq + 1 >= state.nextSeq) return false;
  const ref = await deps.conversations.journal.find(channel, question.id);
  return ref !== undefined && (await earlierAnswer(deps, state, ref.epoch, question)) !== undefined;
}

/** Only what it cost. */
export async function keepCost(deps: KeepDeps, channel: ChannelId, cost: Cost): Promise<void> {
  await commit(deps, channel, cost, () => ({ value: undefined }));
}

async function commit<T>(
  deps: KeepDeps,
  channel: ChannelId,
  cost: Cost,
  plan: (state: ChannelState) => Promise<Planned<T> & { open?: boolean }> | Planned<T>,
): Promise<T> {
  const kept = await deps.conversations.change(channel, async (state) => {
    const bill = await deps.ledger.bill(channel, cost.charges, cost.reservation);
    const planned: Planned<T> & { open?: boolean } = await plan(state);
    const entry = planned.open || cost.entry === undefined ? [] : cost.entry();
    return { step: planned.step, also: [...bill.records, ...entry], value: { value: planned.value, bill } };
  });
  kept.bill.settle();
  return kept.value;
}

function toAnswer(question: Turn, spoken: Spoken): Omit<Turn, 'seq' | 'rev'> {
  const { text, posts, replyTo, model, at, partial, steps, recalled } = spoken;
  const id = posts[0] ?? `answer:${question.id}`;
  const draft = { id, at, role: 'assistant' as const, text, tokens: 0, answers: question.seq, posts, model };
  return {
    ...draft,
    ...(replyTo !== undefined && { replyTo }),
    ...(steps.length > 0 && { tools: steps.map(toKept) }),
    ...(recalled.length > 0 && { recalled: [...recalled] }),
    ...(partial !== undefined && { partial }),
  };
}

function asWasAnswered(state: ChannelState, epoch: number, page: Turn[], question: Turn): Step {
  if (question.unanswered === undefined) return { state, records: [] };
  const { unanswered: _, ...turn } = question;
  return replaceTurn(state, epoch, page, turn);
}

/** An answer is looked for a little way behind its question: others may have spoken in between. */
const turnsBehind = 64;

async function earlierAnswer(
  deps: KeepDeps,
  state: ChannelState,
  epoch: number,
  question: Turn,
): Promise<{ turn: Turn; page: Turn[] } | undefined> {
  if (question.seq + 1 >= state.nextSeq) return undefined;
  const range = { epoch, from: question.seq + 1, to: question.seq + turnsBehind };
  const near = await deps.conversations.journal.turns(state.channel, range);
  const turn = near.find((one) => one.answers === question.seq && one.erased === undefined);
  return turn && { turn, page: await deps.conversations.journal.page(state.channel, { epoch, seq: turn.seq }) };
}

/** The oldest versions make room for newer ones. */
const mostAlternatives = 9;

function withAlternative(earlier: Turn, answer: Omit<Turn, 'seq' | 'rev'>): Turn {
  const { seq, rev, alternatives = [] } = earlier;
  return {
    ...answer,
    seq,
    rev: rev + 1,
    alternatives: [...alternatives, toAlternative(earlier)].slice(-mostAlternatives),
  };
}
