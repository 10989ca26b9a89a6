import { createLinks, type Links } from './recall-links.ts';
import { createPostings } from './recall-postings.ts';
import { createBest, type Hit, score, worthOf } from './recall-score.ts';
import { calledIn, callingOf, createSpeakers } from './recall-speakers.ts';
import { createTermReader, namedTimes, type ReadTerms, timeTerms, wordsOf } from './recall-terms.ts';

/** What an index is told of a turn. */
export interface Said {
  seq: number;
  rev: number;
  at: number;
  author: string | undefined;
  name: string | undefined;
  /** Nothing where it takes no part: it is erased, or was not answered. It keeps its place. */
  text: string | undefined;
  /** The turn it answers. */
  answers: number | undefined;
}

/**
 * The turns of a channel, to be found by their words. Ranking depends on what is held and not on how it came to be held:
 * an index that followed every change ranks exactly like one built anew.
 */
export interface RecallIndex {
  /** Turns come in the order they were said; one that is known is replaced. Lets others run within a long text. */
  put(said: Said, read: ReadTerms): Generator<void, void>;
  /** What is held of a turn, to compare with the journal. */
  standing(seq: number): { rev: number; isSpoken: boolean } | undefined;
  /** Makes room: the oldest turn is not found any more. */
  leaveOldest(): void;
  rank(asked: Asked): Generator<void, Ranking>;
  /** How many turns take part. */
  size(): number;
  bytes(): number;
}

export interface Asked {
  text: string;
  /** Platform ids of people whose turns weigh more. */
  people: ReadonlySet<string>;
  /** `talk`: what was said around a turn counts too, as for a question; `words`: only its own, as for a search. */
  by: 'talk' | 'words';
  isWanted(seq: number): boolean;
  most: number;
}

export interface Ranking {
  /** Best first; of equals the newer. */
  hits: Hit[];
  /** Among how many they are the best. */
  total: number;
  /** What each term of the question is worth here. */
  worth: ReadonlyMap<string, number>;
}

/** How much more a turn of somebody who is meant weighs; measured with the weights of a turn's surroundings. */
const meantWeight = 1.5;
/** More different words than any prose of 40,000 characters has: a heap of noise must not push others out of the index. */
const mostTermsInTurn = 4000;
/** Of a question that is a document the rarest words are enough. */
const mostTerms = 64;
/** Beside its rarest words, those of a question that stand in more of the turns tell nothing of which turn is meant. */
const alwaysAsked = 10;
const telltale = 0.2;
/** So much is looked through for one question, however large the channel is; its very rarest words always. */
const mostPostings = 6_000;
const fewestAsked = 3;
/** Names and months beyond this are part of what was pasted, not of what is asked. */
const wordsAskedChars = 4000;
const wordsPerPause = 200;
const turnsPerPause = 5000;
/** Columns and links. */
const turnBytes = 200;
const absent = -1;
const leftOut = -2;

export function createRecallIndex(): RecallIndex {
  const seqs: number[] = [];
  const revs: number[] = [];
  const seconds: number[] = [];
  /** In words; `absent` for a turn that takes no part, `leftOut` for one that there is no room for. */
  const lengths: number[] = [];
  const speakerOf: number[] = [];
  const answersTo: number[] = [];
  /** How the turn begins where it calls somebody. */
  const callings = new Map<number, string>();
  const postings = createPostings();
  const speakers = createSpeakers();
  let turns = 0;
  let words = 0;
  /** How far the turns are linked; a change before that has them linked anew. */
  let links: Links | undefined;
  let linked = 0;
  let oldest = 0;

  function slotOf(seq: number): number {
    let from = 0;
    let to = seqs.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((seqs[middle] ?? 0) < seq) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  const isHeld = (slot: number): boolean => (lengths[slot] ?? absent) >= 0;

  function drop(slot: number): void {
    if (!isHeld(slot)) return;
    postings.remove(slot);
    if (speakers.release(speakerOf[slot] ?? 0)) links = undefined;
    callings.delete(slot);
    turns--;
    words -= lengths[slot] ?? 0;
    lengths[slot] = absent;
    if (slot < linked) links = undefined;
  }

  const isBefore = (slot: number): boolean => slot < linked && isHeld(slot);

  function* linkAll(): Generator<void, Links> {
    if (links === undefined) linked = 0;
    const all = links ?? createLinks();
    const names = speakers.names();
    for (; linked < seqs.length; linked++) {
      if (linked % turnsPerPause === turnsPerPause - 1) yield;
      if (!isHeld(linked)) continue;
      const answers = answersTo[linked] ?? absent;
      const question = answers === absent ? undefined : slotOf(answers);
      all.add({
        slot: linked,
        at: seconds[linked] ?? 0,
        length: lengths[linked] ?? 0,
        speaker: speakers.key(speakerOf[linked] ?? 0),
        answers: question !== undefined && seqs[question] === answers && isBefore(question) ? question : undefined,
        calls: calledIn(callings.get(linked), names),
      });
    }
    links = all;
    return all;
  }

  return {
    *put(said, read) {
      const counts = new Map<string, number>();
      let length = 0;
      for (const terms of said.text === undefined ? [] : read(said.text)) {
        addTo(counts, terms);
        length += terms.length;
        if (terms.length > wordsPerPause) yield;
      }
      const slot = slotOf(said.seq);
      if (slot < seqs.length && seqs[slot] !== said.seq) throw new RangeError('turns come in the order they were said');
      drop(slot);
      seqs[slot] = said.seq;
      revs[slot] = said.rev;
      if (lengths[slot] === leftOut && said.text !== undefined) return;
      seconds[slot] = Math.floor(said.at / 1000);
      answersTo[slot] = said.answers ?? absent;
      lengths[slot] = absent;
      if (said.text === undefined) return;
      const { id, isNew } = speakers.take(said);
      for (const terms of read(said.name ?? '')) addTo(counts, terms);
      addTo(counts, timeTerms(said.at));
      postings.put(slot, counts);
      const calling = callingOf(said.text);
      if (calling !== undefined) callings.set(slot, calling);
      speakerOf[slot] = id;
      lengths[slot] = length;
      turns++;
      words += length;
      if (isNew || slot < linked) links = undefined;
    },

    standing(seq) {
      const slot = slotOf(seq);
      return seqs[slot] === seq ? { rev: revs[slot] ?? 0, isSpoken: lengths[slot] !== absent } : undefined;
    },

    leaveOldest() {
      while (oldest < seqs.length && !isHeld(oldest)) oldest++;
      if (oldest === seqs.length) return;
      drop(oldest);
      lengths[oldest] = leftOut;
    },

    *rank(asked) {
      const all = yield* linkAll();
      const spoken = wordsOf(asked.text.slice(0, wordsAskedChars));
      const terms = new Set(namedTimes(spoken));
      for (const some of createTermReader()(asked.text)) {
        for (const term of some) terms.add(term);
        yield;
      }
      const rarest = [...terms]
        .map((term) => ({ term, frequency: postings.frequency(term) }))
        .sort((x, y) => x.frequency - y.frequency || (x.term < y.term ? -1 : 1));
      const talk = asked.by === 'talk';
      const found = rarest.filter(({ frequency }) => frequency > 0).slice(0, mostTerms);
      const lists = (talk ? telling(found, turns) : found).map(({ term }) => postings.list(term));
      const { scores, matched } = yield* score(lists, { slots: seqs.length, turns, words, lengths, links: all, talk });
      const meant = talk ? speakers.meant(spoken, asked.people) : new Set<number>();
      const best = createBest(asked.most);
      // Who searches for several words wants those that have them all, if there are any.
      const fewest = talk ? 0 : mostOf(matched);
      let total = 0;
      for (let slot = 0; slot < scores.length; slot++) {
        if (slot % turnsPerPause === turnsPerPause - 1) yield;
        const own = scores[slot] ?? 0;
        const seq = seqs[slot] ?? 0;
        if (own === 0 || (matched[slot] ?? 0) < fewest || !asked.isWanted(seq)) continue;
        total++;
        best.add({ seq, score: meant.has(speakerOf[slot] ?? 0) ? own * meantWeight : own });
      }
      return { hits: best.hits, total, worth: new Map(rarest.map((one) => [one.term, worthOf(one.frequency, turns)])) };
    },

    size: () => turns,
    bytes: () => seqs.length * turnBytes + postings.bytes(),
  };
}

interface Asking {
  term: string;
  frequency: number;
}

/** Of a question's terms, rarest first, those that tell which turns are meant, as far as that takes no long time. */
function telling(found: readonly Asking[], turns: number): Asking[] {
  let left = mostPostings;
  return found.filter(({ frequency }, n) => {
    if (n >= alwaysAsked && frequency > turns * telltale) return false;
    if (n >= fewestAsked && frequency > left) return false;
    left -= frequency;
    return true;
  });
}

function addTo(counts: Map<string, number>, terms: readonly string[]): void {
  for (const term of terms) {
    const count = counts.get(term) ?? 0;
    if (count > 0 || counts.size < mostTermsInTurn) counts.set(term, count + 1);
  }
}

function mostOf(counts: Uint8Array): number {
  let most = 0;
  for (const count of counts) if (count > most) most = count;
  return most;
}
