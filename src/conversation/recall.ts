import { type ChannelId, parentChannel } from '../event.ts';
import type { Embeddings, Meaning } from './embeddings.ts';
import { fused } from './embeddings-vectors.ts';
import { branchSeq, liveRanges } from './head.ts';
import { pageId, pageNumber } from './page.ts';
import type { Seen } from './recall-follow.ts';
import type { Asked, Ranking } from './recall-index.ts';
import { createRecallIndexes, type IndexesDeps } from './recall-indexes.ts';
import {
  type Candidate,
  inOrder,
  type PageOf,
  type Readable,
  type Recalled,
  select,
  toReadable,
} from './recall-select.ts';
import { countContent } from './recall-terms.ts';
import type { TokenCounter } from './tokens.ts';
import { isSpoken, type Turn } from './turn.ts';

/**
 * Anything ever said in a channel, found again. A thread may draw on what its channel had said before it; no channel
 * is ever asked for another.
 */
export interface Recall {
  /** What of the past a question is about and the prompt does not hold, in the order it was said; nothing for small talk. */
  search(channel: ChannelId, query: RecallQuery): Promise<Recalled[]>;
  /** The channel's own turns that have the words, best first, shown or not; with how many there are. */
  find(channel: ChannelId, words: string, part: { offset: number; limit: number }): Promise<Findings>;
  /** After something was edited or erased: its words leave the index now and not only at the next search. */
  refresh(channel: ChannelId): Promise<void>;
  /** What the indexes take in memory, roughly, and of how many channels there is one. */
  size(): { bytes: number; channels: number };
}

export interface RecallQuery {
  /** The newest message, and what it replies to. */
  text: string;
  /** Platform ids of who asks, is replied to or is mentioned. */
  people: readonly string[];
  /** Whether the prompt holds the turn word for word; a thread's seed is its channel's turns. */
  isShown(channel: ChannelId, seq: number): boolean;
  maxTokens: number;
  maxSnippets?: number;
  counter: TokenCounter;
}

interface Findings {
  total: number;
  found: Readable[];
}

/** A question with one word to go by finds everything and means nothing. */
const leastContent = 2;
const defaultSnippets = 20;
/** Some are passed over: they say the same again, or are too long for what room is left. */
const mostHits = 60;
const pagesAhead = 6;
/** Of what is listed, the place with the words. */
const mostCharsFound = 240;
/** Nobody pages on for longer. */
const mostFound = 1000;
/** While people erase and edit, found things are looked for again so often. */
const mostTries = 3;

/** Where is looked: the channel, and of its parent what was said before it branched off. */
interface Place {
  channel: ChannelId;
  until: number;
}

interface Looked extends Place {
  seen: Seen;
  ranking: Ranking;
  /** The turns nearest in meaning, where that is asked for. */
  near: readonly number[] | undefined;
}

interface RecallDeps extends IndexesDeps {
  /** Absent: turns are found by their words alone. */
  embeddings?: Pick<Embeddings, 'ask' | 'forget'> | undefined;
}

export function createRecall(deps: RecallDeps): Recall {
  const { conversations, embeddings } = deps;
  const indexes = createRecallIndexes(deps);

  async function placesOf(channel: ChannelId): Promise<Place[]> {
    const own = { channel, until: Number.POSITIVE_INFINITY };
    const above = parentChannel(channel);
    if (above === undefined) return [own];
    const { head } = await conversations.read(channel);
    const until = branchSeq(head, (await conversations.read(above)).head);
    return until === undefined ? [own] : [own, { channel: above, until }];
  }

  async function look(place: Place, asked: Asked, meaning?: Meaning): Promise<Looked> {
    const isWanted = (seq: number): boolean => seq <= place.until && asked.isWanted(seq);
    const [found, near] = await Promise.all([
      indexes.use(place.channel, function* (index, seen) {
        return { seen, ranking: yield* index.rank({ ...asked, isWanted }) };
      }),
      meaning?.nearest(place.channel, isWanted, asked.most),
    ]);
    return { ...place, ...found, near };
  }

  async function stillHolds(looked: readonly Looked[]): Promise<boolean> {
    const held = await Promise.all(looked.map(({ channel, seen }) => indexes.holds(channel, seen)));
    return held.every(Boolean);
  }

  async function recall(channel: ChannelId, query: RecallQuery): Promise<{ recalled: Recalled[]; isTrue: boolean }> {
    const places = await placesOf(channel);
    const meaning = embeddings?.ask(channel, query.text);
    const people = new Set(query.people);
    const looked = await Promise.all(
      places.map((place) => {
        const isWanted = (seq: number): boolean => !query.isShown(place.channel, seq);
        return look(place, { text: query.text, people, by: 'talk', isWanted, most: mostHits }, meaning);
      }),
    );
    const candidates = toCandidates(looked);
    const pageOf = await readPages(candidates, looked);
    const recalled = await select(candidates, pageOf, {
      tokens: query.maxTokens,
      snippets: query.maxSnippets ?? defaultSnippets,
      counter: query.counter,
      worth: new Map(looked.flatMap(({ ranking }) => [...ranking.worth])),
      isShown: (where, seq) =>
        query.isShown(where, seq) || looked.some((one) => one.channel === where && seq > one.until),
    });
    return { recalled: inOrder(recalled), isTrue: await stillHolds(looked) };
  }

  /** A young channel stands whole in its prompt: it needs no index. */
  async function isAllShown(channel: ChannelId, query: RecallQuery): Promise<boolean> {
    for (const place of await placesOf(channel)) {
      const state = await conversations.read(place.channel);
      for (const { from, to } of liveRanges(state.head, state.view, state.nextSeq)) {
        for (let seq = from; seq <= Math.min(to, place.until); seq++) {
          if (!query.isShown(place.channel, seq)) return false;
        }
      }
    }
    return true;
  }

  /** Those of the likeliest are read at once, the others when they are wanted. */
  async function readPages(candidates: readonly Candidate[], looked: readonly Looked[]): Promise<PageOf> {
    const seen = new Map(looked.map((one) => [one.channel, one.seen]));
    const pages = new Map<string, Promise<readonly Turn[]>>();
    const pageOf = (candidate: Candidate): Promise<readonly Turn[]> => {
      const key = pageId(candidate.channel, candidate.epoch, pageNumber(candidate.seq));
      const then = seen.get(candidate.channel);
      const page = pages.get(key) ?? (then && indexes.page(candidate.channel, candidate, then)) ?? Promise.resolve([]);
      pages.set(key, page);
      return page;
    };
    await Promise.all(candidates.slice(0, pagesAhead).map(pageOf));
    return pageOf;
  }

  return {
    async search(channel, query) {
      if (countContent(query.text) < leastContent || query.maxTokens <= 0) return [];
      if (await isAllShown(channel, query)) return [];
      for (let tries = 1; tries <= mostTries; tries++) {
        const { recalled, isTrue } = await recall(channel, query);
        if (isTrue) return recalled;
      }
      return [];
    },

    async find(channel, words, { offset, limit }) {
      const most = Math.min(mostFound, offset + limit);
      const asked: Asked = { text: words, people: new Set(), by: 'words', isWanted: () => true, most };
      for (let tries = 1; tries <= mostTries; tries++) {
        const looked = await look({ channel, until: Number.POSITIVE_INFINITY }, asked);
        const candidates = toCandidates([looked]).slice(offset, most);
        const pageOf = await readPages(candidates, [looked]);
        const found: Readable[] = [];
        for (const candidate of candidates) {
          const own = (await pageOf(candidate)).filter((turn) => turn.seq === candidate.seq && isSpoken(turn));
          const one = await toReadable(candidate, own, looked.ranking.worth, (text) =>
            Math.min(text.length, mostCharsFound),
          );
          if (one !== undefined) found.push(one);
        }
        const { total } = looked.ranking;
        if (await stillHolds([looked])) return { total, found };
      }
      return { total: 0, found: [] };
    },

    async refresh(channel) {
      embeddings?.forget(channel);
      await indexes.refresh(channel);
    },

    size: () => ({ bytes: indexes.bytes(), channels: indexes.channels() }),
  };
}

/**
 * One list of all places. Words are worth more in a large place, so a score counts as its share of what was to be had
 * there; beside what is near in meaning only the order counts.
 */
function toCandidates(looked: readonly Looked[]): Candidate[] {
  const candidates = looked.flatMap(({ channel, seen, ranking, near }) => {
    const all = [...ranking.worth.values()].reduce((sum, worth) => sum + worth, 0);
    const byWords = ranking.hits.map(({ seq, score }) => ({ item: seq, score: score / all }));
    const hits = near === undefined ? byWords : fused([byWords.map(({ item }) => item), near]);
    return hits.flatMap(({ item: seq, score }) => {
      const range = seen.ranges.find(({ from, to }) => from <= seq && seq <= to);
      return range === undefined ? [] : [{ channel, epoch: range.epoch, seq, score }];
    });
  });
  return looked.length === 1 ? candidates : candidates.sort((a, b) => b.score - a.score || b.seq - a.seq);
}
