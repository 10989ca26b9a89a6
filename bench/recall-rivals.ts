import { DatabaseSync } from 'node:sqlite';
import MiniSearch from 'minisearch';
import { createRecallIndex } from '../src/conversation/recall-index.ts';
import { createTermReader } from '../src/conversation/recall-terms.ts';
import type { Spoken } from './recall-conversations.ts';

/** Ways to find turns: ours, and what else one would take off the shelf. */

interface Finder {
  /** Places of turns, best first. */
  rank(question: string, most: number): { place: number; score: number }[];
  /** What each word is worth to ours; others clip nothing. */
  worth(question: string): ReadonlyMap<string, number>;
  close(): void;
  /** What it takes outside of JavaScript's memory. */
  bytes(): number;
}

export type BuildFinder = (turns: readonly Spoken[]) => Finder;

const nothing = { worth: () => new Map<string, number>(), close: () => {}, bytes: () => 0 };

function toEnd<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

const ours: BuildFinder = (turns) => {
  const index = createRecallIndex();
  const read = createTermReader();
  for (const [seq, { at, speaker, text }] of turns.entries()) {
    toEnd(index.put({ seq, rev: 0, at, author: speaker, name: speaker, text, answers: undefined }, read));
  }
  const ask = (text: string, most: number) =>
    toEnd(index.rank({ text, people: new Set(), by: 'talk', isWanted: () => true, most }));
  return {
    ...nothing,
    rank: (question, most) => ask(question, most).hits.map(({ seq, score }) => ({ place: seq, score })),
    worth: (question) => ask(question, 1).worth,
  };
};

const lastOnes: BuildFinder = (turns) => ({
  ...nothing,
  rank: (_, most) => turns.slice(-most).map((_, n) => ({ place: turns.length - 1 - n, score: 1 })),
});

/** Its own tokenizer and ranking, any of the words. */
const fts5: BuildFinder = (turns) => {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE VIRTUAL TABLE said USING fts5(text)');
  const insert = db.prepare('INSERT INTO said(rowid, text) VALUES (?, ?)');
  db.exec('BEGIN');
  for (const [n, { speaker, text }] of turns.entries()) insert.run(n, `${speaker}: ${text}`);
  db.exec('COMMIT');
  const select = db.prepare('SELECT rowid AS place, -rank AS score FROM said WHERE said MATCH ? ORDER BY rank LIMIT ?');
  return {
    ...nothing,
    rank(question, most) {
      const words = question.match(/[\p{L}\p{N}]+/gu) ?? [];
      if (words.length === 0) return [];
      const rows = select.all(words.map((word) => `"${word}"`).join(' OR '), most);
      return rows.map((row) => ({ place: Number(row.place), score: Number(row.score) }));
    },
    close: () => db.close(),
    bytes() {
      const count = Number(db.prepare('PRAGMA page_count').get()?.page_count);
      return count * Number(db.prepare('PRAGMA page_size').get()?.page_size);
    },
  };
};

const miniSearch: BuildFinder = (turns) => {
  const index = new MiniSearch<Spoken & { place: number }>({ idField: 'place', fields: ['speaker', 'text'] });
  index.addAll(turns.map((turn, place) => ({ ...turn, place })));
  return {
    ...nothing,
    rank: (question, most) =>
      index
        .search(question)
        .slice(0, most)
        .map(({ id, score }) => ({ place: Number(id), score })),
  };
};

export const finders: Record<string, BuildFinder> = {
  'this program': ours,
  'last N turns': lastOnes,
  'SQLite FTS5': fts5,
  MiniSearch: miniSearch,
};
