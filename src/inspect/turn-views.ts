import type { Conversations } from '../conversation/conversations.ts';
import { liveRanges } from '../conversation/head.ts';
import { pageId, pageNumber, type TurnRef } from '../conversation/page.ts';
import type { Turn } from '../conversation/turn.ts';
import type { ChannelId } from '../event.ts';

/** Turns as they are shown to people: what was said, by whom, and what became of it. */
export interface TurnView {
  seq: number;
  id: string;
  posts: readonly string[];
  at: number;
  role: Turn['role'];
  name: string | undefined;
  author: string | undefined;
  text: string;
  tokens: number;
  erased: boolean;
  edited: boolean;
  unanswered: string | undefined;
  partial: string | undefined;
  attachments: { name: string; kind: 'text' | 'image' | 'file'; problem: string | undefined }[];
  tools: { name: string; arguments: string; result: string }[];
  versions: number;
  model: string | undefined;
  answers: number | undefined;
}

/** What is remembered of a channel, oldest first: the newest, or those before `before`. */
export async function readTurns(
  conversations: Conversations,
  channel: ChannelId,
  { before, limit }: { before?: number; limit: number },
): Promise<{ turns: TurnView[]; more: boolean }> {
  const state = await conversations.read(channel);
  const found: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq).reverse()) {
    const to = Math.min(range.to, (before ?? state.nextSeq) - 1);
    for (let upTo = to; upTo >= range.from && found.length <= limit; upTo -= limit) {
      const from = Math.max(range.from, upTo - limit + 1);
      found.unshift(...(await conversations.journal.turns(channel, { epoch: range.epoch, from, to: upTo })));
    }
  }
  const newest = found.slice(-limit);
  return { turns: newest.map(toTurnView), more: found.length > newest.length };
}

/** Single messages by the platform's ids, those of an answer's pieces included: what is remembered now and not erased. */
export async function findTurns(
  conversations: Conversations,
  channel: ChannelId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, TurnView>> {
  const { journal } = conversations;
  const { view } = await conversations.read(channel);
  const pages = new Map<string, Promise<Turn[]>>();
  const pageOf = (ref: TurnRef): Promise<Turn[]> => {
    const id = pageId(channel, ref.epoch, pageNumber(ref.seq));
    const page = pages.get(id) ?? journal.page(channel, ref);
    pages.set(id, page);
    return page;
  };
  const found = new Map<string, TurnView>();
  for (const id of new Set(ids)) {
    const ref = await journal.find(channel, id);
    if (ref === undefined || !view.spans.some((span) => span.epoch === ref.epoch)) continue;
    const turn = (await pageOf(ref)).find((one) => one.seq === ref.seq);
    if (turn !== undefined && turn.erased === undefined) found.set(id, toTurnView(turn));
  }
  return found;
}

function toTurnView(turn: Turn): TurnView {
  const { seq, id, at, role, name, author, text, tokens, unanswered, partial, model, answers } = turn;
  return {
    seq,
    id,
    posts: turn.posts ?? [],
    at,
    role,
    name,
    author,
    text,
    tokens,
    erased: turn.erased !== undefined,
    edited: role === 'user' && turn.rev > 0 && unanswered === undefined,
    unanswered,
    partial,
    attachments: (turn.attachments ?? []).map((one) => ({ name: one.name, kind: one.kind, problem: one.problem })),
    tools: (turn.tools ?? []).flatMap((step) =>
      step.calls.map((call) => ({
        name: call.name,
        arguments: call.arguments,
        result: step.results.find((result) => result.id === call.id)?.content ?? '',
      })),
    ),
    versions: 1 + (turn.alternatives?.length ?? 0),
    model,
    answers,
  };
}
