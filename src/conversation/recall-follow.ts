import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import { type Head, liveRanges, type Range } from './head.ts';
import type { ChannelState, Journal } from './journal.ts';
import { pageNumber } from './page.ts';
import type { RecallIndex, Said } from './recall-index.ts';
import { saidText } from './recall-select.ts';
import type { ReadTerms } from './recall-terms.ts';
import { isSpoken, type Turn } from './turn.ts';

/** How an index keeps up with its journal. */

/** Of a channel with more, the newest are indexed. */
const maxTurns = 50_000;
/** They are left out so many at a time: each time the index is built anew. */
const leftOutAtOnce = 5000;

/** The stretches to be indexed, oldest first. */
export function planIndexed(state: ChannelState): Range[] {
  const ranges = liveRanges(state.head, state.view, state.nextSeq);
  const total = ranges.reduce((sum, range) => sum + range.to - range.from + 1, 0);
  let extra = Math.ceil(Math.max(0, total - maxTurns) / leftOutAtOnce) * leftOutAtOnce;
  return ranges.flatMap((range) => {
    const without = Math.min(extra, range.to - range.from + 1);
    extra -= without;
    return range.from + without > range.to ? [] : [{ ...range, from: range.from + without }];
  });
}

/** What an index has seen of its channel. */
export interface Seen {
  head: Head;
  ranges: Range[];
  amended: number;
  nextSeq: number;
  last: Turn | undefined;
}

export function toSeen(state: ChannelState): Seen {
  const { head, amended, nextSeq, page } = state;
  return { head, ranges: planIndexed(state), amended, nextSeq, last: page.at(-1) };
}

/** `other`: something else is remembered than before; `unsure`: anything may have changed. */
type Step = 'current' | 'longer' | 'other' | 'unsure';

/**
 * What became of a channel since. A state that was read again consists of new objects, so a head or a turn that is
 * still the same object proves that it was not, and that nothing was changed without being counted in `amended`.
 */
export function planStep(seen: Seen, state: ChannelState): Step {
  const now = toSeen(state);
  if (!isContinued(seen.ranges, now.ranges)) return 'other';
  const { last } = seen;
  const isSame =
    seen.head === now.head || (last !== undefined && (state.page.includes(last) || state.tail.includes(last)));
  if (seen.amended !== now.amended || !isSame) return 'unsure';
  return seen.nextSeq === now.nextSeq ? 'current' : 'longer';
}

/** The same stretches, and perhaps more at the end. */
function isContinued(before: readonly Range[], after: readonly Range[]): boolean {
  return before.every((range, n) => {
    const other = after[n];
    const isLast = n === before.length - 1;
    if (other?.epoch !== range.epoch || other.from !== range.from) return false;
    return isLast ? other.to >= range.to : other.to === range.to;
  });
}

interface Following {
  channel: ChannelId;
  journal: Journal;
  read: ReadTerms;
  inSlices<T>(work: Generator<void, T>): Promise<T>;
  /** What cannot be read is left out. */
  onGap(where: Range, why: 'damaged' | 'missing', error: unknown): void;
  /** An index over this is relieved of its oldest turns. */
  maxBytes: number;
}

const pagesAtOnce = 16;

/** Brings what the index holds of the stretches in line with the journal: reads all of it, changes what differs. */
export async function follow(index: RecallIndex, ranges: readonly Range[], following: Following): Promise<void> {
  for (const range of ranges) {
    let any = false;
    const pieces = toPieces(range);
    for (let first = 0; first < pieces.length; first += pagesAtOnce) {
      const some = pieces.slice(first, first + pagesAtOnce);
      const pages = await Promise.all(some.map((piece) => readPage(piece, following)));
      for (const { piece, turns } of pages) {
        // Retention drops an epoch's first pages; what is missing later was lost.
        if (turns?.length === 0 && any) following.onGap(piece, 'missing', undefined);
        any ||= turns === undefined || turns.length > 0;
      }
      const said = await Promise.all(pages.map(({ piece, turns }) => toSaid(piece, turns ?? [], following)));
      await following.inSlices(putAll(index, said.flat(), following));
    }
  }
}

/** The stretch by the pages it stands on. */
export function toPieces(range: Range): Range[] {
  const pieces: Range[] = [];
  for (let from = range.from, to = from; from <= range.to; from = ++to) {
    while (to < range.to && pageNumber(to + 1) === pageNumber(from)) to++;
    pieces.push({ epoch: range.epoch, from, to });
  }
  return pieces;
}

/** No turns where the page is missing, nothing where it is damaged. */
export async function readPage(
  piece: Range,
  following: Pick<Following, 'channel' | 'journal' | 'onGap'>,
): Promise<{ piece: Range; turns: Turn[] | undefined }> {
  try {
    const at = { epoch: piece.epoch, seq: piece.from };
    return { piece, turns: await following.journal.page(following.channel, at) };
  } catch (error) {
    if (!(error instanceof BotError && error.kind === 'damaged')) throw error;
    following.onGap(piece, 'damaged', error);
    return { piece, turns: undefined };
  }
}

/** Every place in the stretch, with what stands there now. */
async function toSaid({ from, to }: Range, turns: readonly Turn[], following: Following): Promise<Said[]> {
  const bySeq = new Map(turns.map((turn) => [turn.seq, turn]));
  return await Promise.all(
    Array.from({ length: to - from + 1 }, async (_, n): Promise<Said> => {
      const turn = bySeq.get(from + n);
      const nobody = { author: undefined, name: undefined, text: undefined, answers: undefined };
      if (turn === undefined) return { seq: from + n, rev: 0, at: 0, ...nobody };
      const { seq, rev, at, author, name } = turn;
      if (!isSpoken(turn)) return { ...nobody, seq, rev, at };
      return { seq, rev, at, author, name, text: saidText(turn), answers: await answeredBy(turn, following) };
    }),
  );
}

async function answeredBy(turn: Turn, { channel, journal }: Following): Promise<number | undefined> {
  if (turn.answers !== undefined || turn.replyTo === undefined) return turn.answers;
  return (await journal.find(channel, turn.replyTo))?.seq;
}

function* putAll(index: RecallIndex, said: readonly Said[], following: Following): Generator<void, void> {
  for (const one of said) {
    const before = index.standing(one.seq);
    if (before?.rev === one.rev && before.isSpoken === (one.text !== undefined)) continue;
    yield* index.put(one, following.read);
    while (index.bytes() > following.maxBytes && index.size() > 1) index.leaveOldest();
    yield;
  }
}
