import { type Candidate, select } from '../src/conversation/recall-select.ts';
import { countContent } from '../src/conversation/recall-terms.ts';
import type { TokenCounter } from '../src/conversation/tokens.ts';
import type { Turn } from '../src/conversation/turn.ts';
import { countMessages, toMessages, toTranscript } from '../src/conversation/wire.ts';
import { room } from './core.ts';
import type { Spoken } from './recall-conversations.ts';

/** How much of what was ranked fits into a budget: for ours as the program chooses, for others whole turns in their order. */

interface Ranked {
  question: string;
  hits: readonly { place: number; score: number }[];
  worth: ReadonlyMap<string, number>;
}

export interface Texts {
  /** The places of the turns that are told. */
  taken(places: readonly number[], tokens: number): Promise<number[]>;
  selected(ranked: Ranked, tokens: number): Promise<number[]>;
  /** With the default budget, number of snippets and rule for what is no question. */
  sent(ranked: Ranked): Promise<number[]>;
}

const channel = room('asked');
const turnsPerPage = 16;
const markerTokens = 5;
const sentTokens = 1000;
const sentSnippets = 20;
const leastContent = 2;

export async function toTexts(turns: readonly Spoken[], counter: TokenCounter): Promise<Texts> {
  const all: Turn[] = [];
  const costs: number[] = [];
  for (const [seq, { id, at, speaker, text }] of turns.entries()) {
    const draft = { seq, id, rev: 0, at, role: 'user' as const, author: speaker, name: speaker, text, tokens: 0 };
    all.push({ ...draft, tokens: await countMessages(toMessages(draft), counter) });
    costs.push(markerTokens + (await counter.count(toTranscript(draft))));
  }

  async function chosen({ hits, worth }: Ranked, tokens: number, snippets: number): Promise<number[]> {
    const candidates = hits.map(({ place, score }): Candidate => ({ channel, epoch: 1, seq: place, score }));
    const pageOf = async ({ seq }: Candidate): Promise<Turn[]> => {
      const first = seq - (seq % turnsPerPage);
      return all.slice(first, first + turnsPerPage);
    };
    const found = await select(candidates, pageOf, { tokens, snippets, counter, worth, isShown: () => false });
    return found.flatMap((one) => one.seqs);
  }

  return {
    async taken(places, tokens) {
      let left = tokens;
      const told: number[] = [];
      for (const place of places) {
        left -= costs[place] ?? 0;
        if (left < 0) break;
        told.push(place);
      }
      return told;
    },
    selected: (ranked, tokens) => chosen(ranked, tokens, Number.POSITIVE_INFINITY),
    sent: async (ranked) =>
      countContent(ranked.question) < leastContent ? [] : await chosen(ranked, sentTokens, sentSnippets),
  };
}
