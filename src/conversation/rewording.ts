import type { ChannelId } from '../event.ts';
import { record, type Store, type StoredRecord } from '../storage/store.ts';
import { epochPrefix, pageId, pageKind, pageNumber, type TurnRef } from './page.ts';
import { repeats, toWanted } from './repeats.ts';
import type { TokenCounter } from './tokens.ts';
import { citesTurn, erasedTurn, type Turn } from './turn.ts';
import { countMessages, toMessages } from './wire.ts';

/**
 * What an edit does to the answers that rest on the message as it was. One that cites it is emptied, as after a deletion:
 * in whatever words, it tells what is not said any more. One that only repeats it word for word says the new words.
 */
export interface EditedMessage {
  ref: TurnRef;
  /** Seen from a thread: it was said in the channel above. */
  isAbove: boolean;
  before: string;
  now: string;
}

/** Pages that change with the edit, and what on them. */
export interface Rewording {
  pages: { id: string; turns: Turn[] }[];
  turns: Turn[];
}

const pagesAtOnce = 64;

/** Whether the words of the message are still said, perhaps with more beside them: then nothing rests on what is gone. */
export function isTakenBack({ before, now }: Pick<EditedMessage, 'before' | 'now'>): boolean {
  const wanted = toWanted([before]);
  return wanted.length === 0 ? before !== now : !repeats(asAnswer(now), wanted);
}

/** Nothing said before the message can rest on it. */
export async function planRewording(
  store: Store,
  channel: ChannelId,
  edited: EditedMessage,
  counter: TokenCounter,
): Promise<Rewording> {
  const found: Rewording = { pages: [], turns: [] };
  const wanted = toWanted([edited.before]);
  const { epoch, seq } = edited.ref;
  const number = pageNumber(seq);
  const before = number === 0 ? epochPrefix(channel, epoch) : pageId(channel, epoch, number - 1);
  for (let after = edited.isAbove ? undefined : before; ; ) {
    const limit = { limit: pagesAtOnce };
    const batch = await store.list(pageKind, `${channel}:`, after === undefined ? limit : { ...limit, after });
    for (const one of batch) {
      const page = one.read();
      const turns = await Promise.all(page.map((turn) => reworded(turn, edited, wanted, counter)));
      const changed = turns.filter((turn, n) => turn !== page[n]);
      if (changed.length === 0) continue;
      found.pages.push({ id: one.id, turns });
      found.turns.push(...changed);
    }
    if (batch.length < pagesAtOnce) return found;
    after = batch.at(-1)?.id;
  }
}

async function reworded(
  turn: Turn,
  { ref, isAbove, before, now }: EditedMessage,
  wanted: readonly string[],
  counter: TokenCounter,
): Promise<Turn> {
  if (turn.role !== 'assistant' || turn.erased !== undefined) return turn;
  const none: ReadonlySet<number> = new Set();
  const seqs = new Set([ref.seq]);
  if (citesTurn(turn, isAbove ? none : seqs, isAbove ? seqs : none)) return erasedTurn(turn, 'deleted');
  if (!repeats(turn, wanted)) return turn;
  const said = <T extends { text: string }>(one: T): T => ({ ...one, text: withWords(one.text, before, now) });
  const draft = { ...said(turn), ...(turn.alternatives && { alternatives: turn.alternatives.map(said) }) };
  // In other white space, in other letters or in what a tool was told.
  if (repeats(draft, wanted)) return erasedTurn(turn, 'deleted');
  return { ...draft, rev: turn.rev + 1, tokens: await countMessages(toMessages(draft), counter) };
}

/** Whatever the case of its letters; a text that changes its length with it is left as it is. */
function withWords(text: string, before: string, now: string): string {
  const [lower, wanted] = [text.toLowerCase(), before.replace(/[.!?]$/, '').toLowerCase()];
  if (lower.length !== text.length || wanted === '') return text;
  let result = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    // Not in the middle of a word, nor again in what was just replaced.
    if (at < from || /[\p{L}\p{N}]/u.test(`${text[at - 1] ?? ' '}${text[end] ?? ' '}`)) continue;
    result += text.slice(from, at) + now;
    from = end;
  }
  return result + text.slice(from);
}

function asAnswer(text: string): Turn {
  return { seq: 0, id: '', rev: 0, at: 0, role: 'assistant', text, tokens: 0 };
}

/** `edited`: the page on which the edited message itself stands, if it is one of them, takes that too. */
export function rewordingRecords({ pages }: Rewording, edited?: Turn): StoredRecord[] {
  return pages.map(({ id, turns }) =>
    record(
      pageKind,
      id,
      turns.map((turn) => (turn.seq === edited?.seq ? edited : turn)),
    ),
  );
}
