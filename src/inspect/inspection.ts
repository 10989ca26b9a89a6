import { type Contributor, contributorsOf } from '../conversation/contributors.ts';
import { liveRanges } from '../conversation/head.ts';
import { type LastRecalled, lastRecalled } from '../conversation/last-recalled.ts';
import type { Memory } from '../conversation/memory.ts';
import { countSpec } from '../conversation/standing.ts';
import { changeText } from '../conversation/traces.ts';
import { plainText } from '../conversation/wire.ts';
import type { ChannelId, LinkTo } from '../event.ts';
import type { Model, ToolSpec } from '../model/model.ts';
import { prepareNextPrompt } from '../turn/next-prompt.ts';
import type { Prepared } from '../turn/prepare.ts';
import { linkOf, speakerOf } from '../turn/recalling.ts';
import { type FoldNode, toFoldTree } from './fold-tree.ts';

/** What a channel's memory holds, what of it the next prompt carries, and why the rest does not. */
export interface Inspection {
  channel: ChannelId;
  model: string;
  role: string;
  preset: string | undefined;
  /** `total` is `set` unless the model reads less (`readable`) or counts more tokens than we do (`ratio`). */
  budget: {
    total: number;
    set: number;
    readable: number | undefined;
    ratio: number;
    parts: { part: PromptPart; tokens: number }[];
    room: number;
  };
  marks: { high: number; low: number; raw: number };
  turns: { verbatim: number; firstVerbatim: number | undefined; total: number };
  leftOut: boolean;
  folds: FoldNode[];
  folding: boolean;
  contributors: Contributor[];
  recalled: Recalled[];
  undoable: boolean;
  changes: { at: number; by: string; what: string }[];
}

type PromptPart = 'role' | 'examples' | 'tools' | 'channel' | 'folds' | 'turns' | 'recall' | 'question';

interface Recalled {
  seq: number;
  at: number;
  name: string;
  text: string;
  /** The answer names it. */
  cited: boolean;
  link: string | undefined;
}

export interface InspectDeps {
  memory: Memory;
  model: Model;
  link: LinkTo;
  now(): number;
}

/** Here the bot does not speak itself. */
const ownName = 'Channelore';
const changesShown = 20;

export async function inspectChannel(deps: InspectDeps, channel: ChannelId): Promise<Inspection> {
  const { memory } = deps;
  const prepared = await nextPrompt(deps, channel);
  const { plan, limits, budget, state, profile } = prepared;
  const stored = await memory.folds.all(channel);
  const ranges = liveRanges(state.head, state.view, state.nextSeq);
  const changes = [...state.head.changes, ...(await memory.workspaces.changes(channel))];
  return {
    channel,
    model: profile.model,
    role: profile.role,
    preset: state.head.preset,
    budget: {
      total: limits.total,
      set: profile.memory.tokens,
      readable: budget.readable < profile.memory.tokens ? budget.readable : undefined,
      ratio: budget.ratio,
      parts: partsOf(prepared).filter(({ tokens }) => tokens > 0),
      room: Math.max(0, limits.total - plan.tokens.total - prepared.recallRoom),
    },
    marks: { high: limits.high, low: limits.low, raw: state.rawTokens },
    turns: {
      verbatim: plan.turns.length,
      firstVerbatim: plan.turns[0]?.seq,
      total: ranges.reduce((sum, range) => sum + range.to - range.from + 1, 0),
    },
    leftOut: plan.leftOut,
    folds: toFoldTree(stored, state.view.folds),
    folding: memory.folding.isRunning(channel),
    contributors: contributorsOf(state.tail, ownName),
    recalled: (await lastRecalled(memory.conversations, channel)).map((one) => toRecalled(one, deps.link)),
    undoable: state.head.away.length > 0,
    changes: changes
      .sort((a, b) => a.at - b.at)
      .slice(-changesShown)
      .map((change) => ({ at: change.at, by: change.by, what: changeText(change) })),
  };
}

function toRecalled({ channel, turn, cited }: LastRecalled, link: LinkTo): Recalled {
  const { seq, at } = turn;
  return {
    seq,
    at,
    name: turn.role === 'assistant' ? ownName : speakerOf(turn),
    text: plainText(turn),
    cited,
    link: linkOf(turn, channel, link),
  };
}

function partsOf({ plan, tokens, recallRoom }: Prepared): { part: PromptPart; tokens: number }[] {
  return [
    { part: 'role', tokens: tokens.role },
    { part: 'examples', tokens: tokens.examples },
    { part: 'tools', tokens: tokens.tools },
    { part: 'channel', tokens: tokens.seed },
    { part: 'folds', tokens: plan.tokens.folds },
    { part: 'turns', tokens: plan.tokens.turns },
    // Kept free: what it is filled with is another with each question.
    { part: 'recall', tokens: recallRoom },
    { part: 'question', tokens: plan.tokens.newest },
  ];
}

export interface PromptView {
  messages: unknown[];
  /** What describes the tools is sent beside the messages. */
  tools: (ToolSpec & { tokens: number })[];
  /** All of it, by our own count. */
  tokens: number;
}

export async function viewPrompt(deps: InspectDeps, channel: ChannelId): Promise<PromptView> {
  const { messages, tools, promptTokens, profile } = await nextPrompt(deps, channel);
  const counter = await deps.memory.counterFor(profile.model);
  const toView = async ({ name, description, parameters }: ToolSpec) => {
    const spec = { name, description, parameters };
    return { ...spec, tokens: await countSpec(spec, counter) };
  };
  return { messages, tools: await Promise.all(tools.map(toView)), tokens: promptTokens };
}

/** As it would be for the person who spoke last. */
async function nextPrompt({ memory, model, now }: InspectDeps, channel: ChannelId) {
  const profile = await memory.profiles.of(channel);
  const { page, tail } = await memory.conversations.read(channel);
  const last = [...tail, ...page].findLast((turn) => turn.role === 'user');
  const asking = { profile, name: last?.name, at: now() };
  return { ...(await prepareNextPrompt({ ...memory, model }, channel, asking)), profile };
}
