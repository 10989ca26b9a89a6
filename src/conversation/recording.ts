import { type ChannelId, type MessageEvent, parentChannel } from '../event.ts';
import type { StoredRecord } from '../storage/store.ts';
import type { Conversations } from './conversations.ts';
import { withOpenSpan } from './conversations.ts';
import { type Head, isForgotten, openSpan } from './head.ts';
import { appendTurn, type ChannelState, type Step, withHead } from './journal.ts';
import { type Late, takenRecord } from './late.ts';
import { cleanName, introduce } from './names.ts';
import type { TokenCounter } from './tokens.ts';
import type { KeptAttachment, Turn } from './turn.ts';
import { countMessages, toMessages } from './wire.ts';

/** Takes what somebody said into the channel's journal, once. */

/** After so long a silence the prompt says what time it is. */
const pauseUntilDatedMs = 30 * 60_000;

export interface Said {
  event: MessageEvent;
  attachments: KeptAttachment[];
  /** Look in the whole journal for the message, not only among the latest: it may have been recorded before a crash. */
  again: boolean;
  /** Committed with it. */
  also(turn: Turn): StoredRecord[] | Promise<StoredRecord[]>;
}

export interface Recorded {
  /** Nothing where the message was deleted before it could be recorded. */
  turn: Turn | undefined;
  known: boolean;
}

export async function recordMessage(
  deps: { conversations: Conversations; counter: TokenCounter; late(channel: ChannelId, id: string): Promise<Late> },
  said: Said,
): Promise<Recorded> {
  const { conversations, counter } = deps;
  const { event } = said;
  const { channel } = event;
  const branch = await branchPoint(conversations, event);
  return await conversations.change<Recorded>(channel, async (state) => {
    if (isForgotten(state.head, event.author.id, event.at)) return { value: { turn: undefined, known: false } };
    // Under the lock: an edit or a deletion of this moment leaves its mark before, or finds the turn after.
    const late = await deps.late(channel, event.messageId);
    if (late === 'deleted') return { value: { turn: undefined, known: false } };
    const known = await findTurn(conversations, state, event.messageId, said.again);
    if (known !== undefined) {
      const gone = known.erased !== undefined;
      return { also: gone ? [] : await said.also(known), value: { turn: gone ? undefined : known, known: true } };
    }
    const opened = withOpenSpan(state);
    const { step: met, shown } = meet(opened.state, event, branch);
    const draft = {
      id: event.messageId,
      at: event.at,
      role: 'user' as const,
      author: event.author.id,
      text: cleanText(late?.text ?? event.text),
      tokens: 0,
      ...(late !== undefined && { editedAt: late.at }),
      ...(shown !== undefined && { name: shown }),
      ...(event.replyTo !== undefined && { replyTo: event.replyTo }),
      ...(isDated(met.state, event.at) && { dated: true }),
      ...(said.attachments.length > 0 && { attachments: said.attachments }),
    };
    const tokens = await countMessages(toMessages({ ...draft, seq: 0, rev: 0 }), counter);
    const step = appendTurn(met.state, { ...draft, tokens }, conversations.limit);
    const taken = late === undefined ? [] : [takenRecord(channel, event.messageId, event.at)];
    const records = [...opened.records, ...met.records, ...step.records, ...taken];
    return {
      step: { state: step.state, records },
      also: await said.also(step.turn),
      value: { turn: step.turn, known: false },
    };
  });
}

/** Text as it is kept: no NUL and no other control characters, no half characters. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]/gu, '')
    .trim();
}

function isDated(state: ChannelState, at: number): boolean {
  const last = state.page.at(-1);
  return last === undefined || at - last.at > pauseUntilDatedMs;
}

async function findTurn(
  conversations: Conversations,
  state: ChannelState,
  messageId: string,
  everywhere: boolean,
): Promise<Turn | undefined> {
  const isIt = (turn: Turn): boolean => turn.id === messageId;
  const near = state.page.find(isIt) ?? state.tail.findLast(isIt);
  if (near !== undefined || !everywhere) return near;
  const ref = await conversations.journal.find(state.channel, messageId);
  if (ref === undefined) return undefined;
  return (await conversations.journal.page(state.channel, ref)).find((turn) => turn.seq === ref.seq);
}

/** The head where something in it is new: a person, the channel's name, a thread's branching. */
function meet(
  state: ChannelState,
  event: MessageEvent,
  branch: Head['branch'],
): { step: Step; shown: string | undefined } {
  const named = event.to !== 'direct';
  const met = introduce(state.head.people, event.author.id, event.author.name);
  const isNew = parentChannel(state.channel) !== undefined && state.nextSeq === 0;
  const shown = named ? met.shown : undefined;
  const place = event.place === undefined ? state.head.place : cleanName(event.place);
  const isPrivate = event.private === true;
  const isSameKind = state.head.direct === !named && (state.head.private === true) === isPrivate;
  const isSamePlace = place === state.head.place && isSameKind;
  if (met.people === state.head.people && isSamePlace && !isNew) return { step: { state, records: [] }, shown };
  const where = { ...(place !== undefined && { place }), direct: !named, private: isPrivate };
  const head = { ...state.head, ...where, people: met.people, ...(isNew && branch && { branch }) };
  return { step: withHead(state, head), shown };
}

/** A thread knows what its channel knew up to the answer it hangs from, or up to now where that is not in the journal. */
async function branchPoint(conversations: Conversations, event: MessageEvent): Promise<Head['branch']> {
  const above = parentChannel(event.channel);
  if (above === undefined) return undefined;
  const own = await conversations.read(event.channel);
  if (own.nextSeq > 0) return own.head.branch;
  const parent = await conversations.read(above);
  const ref =
    event.branchedFrom === undefined ? undefined : await conversations.journal.find(above, event.branchedFrom);
  if (ref === undefined) {
    return parent.nextSeq === 0 ? undefined : { epoch: openSpan(parent.head).epoch, seq: parent.nextSeq - 1 };
  }
  const near = await conversations.journal.turns(above, { epoch: ref.epoch, from: ref.seq, to: ref.seq + 64 });
  const answer = near.find((turn) => turn.answers === ref.seq);
  return { epoch: ref.epoch, seq: answer?.seq ?? ref.seq };
}

/** Somebody spoke without being remembered; that they take part is. */
export async function notePresence(
  conversations: Conversations,
  event: MessageEvent,
  also: StoredRecord[],
): Promise<void> {
  await conversations.change(event.channel, (state) => {
    const { people } = introduce(state.head.people, event.author.id, event.author.name);
    const records = people === state.head.people ? undefined : withHead(state, { ...state.head, people });
    return { ...(records && { step: records }), also, value: undefined };
  });
}
