import type { Calibration } from '../conversation/calibration.ts';
import type { Conversations } from '../conversation/conversations.ts';
import type { FoldTexts } from '../conversation/folds.ts';
import type { ChannelState } from '../conversation/journal.ts';
import { type MemoryLimits, planLimits } from '../conversation/limits.ts';
import type { Profile } from '../conversation/profile.ts';
import { type PromptBudget, promptBudget, seedRoom } from '../conversation/prompt-budget.ts';
import type { Recall } from '../conversation/recall.ts';
import type { Seeds } from '../conversation/seed.ts';
import { cutAtSentence } from '../conversation/sentences.ts';
import { standingTokens, toStanding } from '../conversation/standing.ts';
import { imageTokens, type TokenCounter } from '../conversation/tokens.ts';
import type { Turn } from '../conversation/turn.ts';
import { planWindow, type WindowPlan } from '../conversation/window.ts';
import { countMessages, leftOutMessage, toMessages } from '../conversation/wire.ts';
import { type ChannelId, parentChannel } from '../event.ts';
import type { ChatMessage, Model } from '../model/model.ts';
import type { Tool } from '../tools/tool.ts';
import type { Toolbox } from '../tools/toolbox.ts';
import { buildPrompt, type FoldText } from './prompt.ts';
import { type Along, mentionedIn, nothingAlong, toAlong } from './recalling.ts';
import { fitSteps, type LiveStep } from './steps.ts';

/** Everything that goes into one request, chosen to fit. Reads; changes nothing. */
export interface Prepared {
  messages: ChatMessage[];
  tools: readonly Tool[];
  /** The names of those that would take too much of the prompt. */
  toolsLeftOut: readonly string[];
  /** What was found again for the question; where later rounds leave no room for it, the answer may still cite it. */
  along: Along;
  /** What it may take: nothing where everything stands in the prompt anyway. */
  recallRoom: number;
  /** Our own count of `messages` and `tools`, primer included. */
  promptTokens: number;
  plan: WindowPlan<FoldText>;
  limits: MemoryLimits;
  budget: PromptBudget;
  /** The role and its frame; examples; what describes the tools; a thread's share of its parent. */
  tokens: { role: number; examples: number; tools: number; seed: number };
  /** What another round of calls and results may take. */
  stepRoom: number;
  state: ChannelState;
}

export interface PrepareDeps {
  conversations: Conversations;
  folds: FoldTexts;
  seeds: Seeds;
  calibration: Calibration;
  toolbox: Toolbox;
  recall: Pick<Recall, 'search'>;
  model: Model;
  counterFor(model: string): Promise<TokenCounter>;
}

export interface Asked {
  channel: ChannelId;
  question: Turn;
  images: readonly string[];
  profile: Profile;
  /** What an earlier round of the same answer found: the beginning of its prompt stays as it was. */
  along?: Along | undefined;
  /** The rounds of the answer under way. */
  steps?: readonly LiveStep[];
}

const cutNote = '[The message was longer; its end is cut off here.]';

export async function preparePrompt(deps: PrepareDeps, asked: Asked): Promise<Prepared> {
  const { channel, question, profile, images } = asked;
  const state = await deps.conversations.read(channel);
  const counter = await deps.counterFor(profile.model);
  const wholeBudget = await promptBudget(deps, profile);
  const budget = wholeBudget.tokens;
  const offered = await deps.toolbox.offered(channel, profile);
  const standing = await toStanding(profile, offered, question.name === undefined, counter, budget);
  const seed = await deps.seeds.of(channel, seedRoom(budget));
  const fixedTokens = standingTokens(standing) + seed.tokens;
  const limits = planLimits({ ...profile.memory, tokens: budget }, fixedTokens);
  const noteTokens = await countMessages([leftOutMessage], counter);
  const imageCost = images.length * imageTokens('auto');
  // However long the question is, the answer's own rounds have as much room.
  const askedTokens = question.tokens + imageCost;
  const roundsRoom = budget - fixedTokens - Math.min(askedTokens, Math.floor((budget - fixedTokens) / 2));
  const after = await fitSteps(asked.steps ?? [], roundsRoom, counter);
  const older = state.tail.filter((turn) => turn.seq < question.seq);
  const more = state.rawTokens > state.tail.reduce((sum, turn) => sum + turn.tokens, 0);
  const plan = planWindow({
    budget,
    fixedTokens,
    newestTokens: askedTokens + after.tokens,
    noteTokens,
    recallTokens: limits.recall,
    folds: await deps.folds.texts(state.view.folds),
    turns: older,
    more,
    rounds: profile.memory.rounds,
  });
  const withImages = plan.newestRoom === undefined;
  const newest =
    plan.newestRoom === undefined ? question : await cutTurn(question, plan.newestRoom - after.tokens, counter);
  const isWhole = state.view.folds.length === 0 && plan.turns.length === older.length && !more;
  const isNeeded = !isWhole || parentChannel(channel) !== undefined;
  const recallRoom = isNeeded ? Math.max(0, Math.min(limits.recall, budget - plan.tokens.total)) : 0;
  const along = asked.along ?? (await findAlong(deps, asked, { state, plan, seed, counter, room: recallRoom }));
  const fits = plan.tokens.total + along.tokens <= budget;
  const messages = buildPrompt({
    system: standing.system,
    examples: standing.examples,
    seed: seed.messages,
    folds: plan.folds,
    turns: plan.turns,
    leftOut: plan.leftOut,
    recall: fits ? along.message : undefined,
    newest,
    images: withImages ? images : [],
    after: after.messages,
  });
  const newestTokens = newest === question ? plan.tokens.newest : newest.tokens + after.tokens;
  return {
    messages,
    tools: standing.tools,
    toolsLeftOut: standing.leftOut,
    along,
    recallRoom,
    promptTokens: plan.tokens.total - plan.tokens.newest + newestTokens + (fits ? along.tokens : 0),
    plan,
    limits,
    budget: wholeBudget,
    tokens: { ...standing.tokens, seed: seed.tokens },
    stepRoom: roundsRoom - after.tokens,
    state,
  };
}

interface Around {
  state: ChannelState;
  plan: WindowPlan<FoldText>;
  seed: { shown: ReadonlySet<number> };
  counter: TokenCounter;
  room: number;
}

/** Looked for only where something that was said does not stand in the prompt anyway. */
async function findAlong({ recall, conversations }: PrepareDeps, asked: Asked, around: Around): Promise<Along> {
  const { channel, question } = asked;
  const { state, plan, seed, counter, room } = around;
  if (room === 0) return nothingAlong;
  const replied = question.replyTo === undefined ? undefined : await findTurn(conversations, channel, question.replyTo);
  // What came after it, an answer that is to be written again among it, is no past of the question.
  const shown = new Set(plan.turns.map((turn) => turn.seq));
  const found = await recall.search(channel, {
    text: [question.text, replied?.text ?? ''].join('\n').trim(),
    people: [question.author, replied?.author, ...mentionedIn(question.text, state.head.people)].filter(
      (id) => id !== undefined,
    ),
    isShown: (one, seq) => (one === channel ? seq >= question.seq || shown.has(seq) : seed.shown.has(seq)),
    maxTokens: room,
    counter,
  });
  return await toAlong(found, room, counter);
}

async function findTurn({ journal }: Conversations, channel: ChannelId, messageId: string): Promise<Turn | undefined> {
  const ref = await journal.find(channel, messageId);
  return ref && (await journal.page(channel, ref)).find((turn) => turn.seq === ref.seq);
}

/** The beginning of a message that is larger than everything, up to a sentence's end, and a note that it was cut. */
async function cutTurn(turn: Turn, room: number, counter: TokenCounter): Promise<Turn> {
  const whole = [turn.text, ...(turn.attachments ?? []).map((one) => one.text ?? '')].join('');
  const none = await cutTo(turn, '', counter);
  for (let left = room - none.tokens; left > 0; ) {
    const beginning = await cutAtSentence(whole, left, counter);
    const cut = await cutTo(turn, beginning, counter);
    if (cut.tokens <= room) return cut;
    // Frames, and what makes a text harmless, make it longer.
    left = Math.min(left - 1, Math.floor((left * room) / cut.tokens));
  }
  return none;
}

/** As much of the turn as `beginning` holds of its text and its files, in their order; each file in its own frame. */
async function cutTo(turn: Turn, beginning: string, counter: TokenCounter): Promise<Turn & { note: string }> {
  let at = Math.min(turn.text.length, beginning.length);
  const text = beginning.slice(0, at);
  const attachments = (turn.attachments ?? []).flatMap((one) => {
    const part = beginning.slice(at, at + (one.text ?? '').length);
    at += part.length;
    return part === '' ? [] : [{ ...one, text: part }];
  });
  const cut = { ...turn, text, attachments, note: cutNote };
  return { ...cut, tokens: await countMessages(toMessages(cut), counter) };
}
