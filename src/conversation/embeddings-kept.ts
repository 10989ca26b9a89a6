import type { ChannelId } from '../event.ts';
import type { Store } from '../storage/store.ts';
import type { NoteDamage } from './damage-log.ts';
import { listVectors, type TurnVector } from './embeddings-records.ts';
import { nearness, type Quantised } from './embeddings-vectors.ts';
import type { Range } from './head.ts';
import { epochPrefix } from './page.ts';

/** The vectors of the channels that were asked in lately, in memory; they are read when they are first needed. */
export interface KeptVectors {
  /** What is put there is kept with it. */
  of(channel: ChannelId, ranges: readonly Range[]): Promise<ChannelVectors>;
  /** They are read again, without what was erased. */
  forget(channel: ChannelId): void;
}

export interface ChannelVectors {
  byTurn: Map<number, TurnVector>;
  /** Pages of which nothing waits to be embedded. */
  done: Set<string>;
}

/** Of all channels together: 50,000 messages of 512 numbers, and as much again. */
const mostBytes = 64 * 1024 * 1024;
const pagesAtOnce = 32;
/** An object and its place in the map. */
const vectorBytes = 200;

export function createKeptVectors(store: Store, model: string, noteDamage: NoteDamage): KeptVectors {
  /** Least recently used first. */
  const kept = new Map<ChannelId, Promise<ChannelVectors>>();
  const sizes = new Map<ChannelId, number>();
  const ofModel = `${encodeURIComponent(model)}:`;

  async function read(channel: ChannelId, ranges: readonly Range[]): Promise<ChannelVectors> {
    const vectors: ChannelVectors = { byTurn: new Map(), done: new Set() };
    for (const epoch of new Set(ranges.map((range) => range.epoch))) {
      const prefix = epochPrefix(channel, epoch);
      for (let after: string | undefined; ; ) {
        const found = await listVectors(
          store,
          prefix,
          after === undefined ? { limit: pagesAtOnce } : { after, limit: pagesAtOnce },
        );
        for (const one of found.filter(({ space }) => space.startsWith(ofModel))) {
          const page = one.read();
          if (page.damage !== undefined) noteDamage(`vector:${one.id}`, page.damage);
          for (const vector of page.vectors) vectors.byTurn.set(vector.seq, vector);
          if (page.done) vectors.done.add(one.pageId);
        }
        after = found.at(-1)?.id;
        if (found.length < pagesAtOnce) break;
      }
    }
    return vectors;
  }

  function bound(channel: ChannelId, { byTurn }: ChannelVectors): void {
    const [one] = byTurn.values();
    sizes.set(channel, byTurn.size * (vectorBytes + (one?.bytes.length ?? 0)));
    let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    for (const oldest of kept.keys()) {
      if (total <= mostBytes || oldest === channel) break;
      total -= sizes.get(oldest) ?? 0;
      kept.delete(oldest);
      sizes.delete(oldest);
    }
  }

  return {
    async of(channel, ranges) {
      const reading = kept.get(channel) ?? read(channel, ranges);
      kept.delete(channel);
      kept.set(channel, reading);
      try {
        const vectors = await reading;
        if (kept.get(channel) === reading) bound(channel, vectors);
        return vectors;
      } catch (error) {
        if (kept.get(channel) === reading) kept.delete(channel);
        throw error;
      }
    },
    forget(channel) {
      kept.delete(channel);
      sizes.delete(channel);
    },
  };
}

const vectorsPerPause = 500;

/** The turns nearest to the question, nearest first. Lets others run. */
export function* nearestOf(
  question: Quantised,
  vectors: ReadonlyMap<number, TurnVector>,
  isWanted: (seq: number) => boolean,
  most: number,
): Generator<void, number[]> {
  const near: { seq: number; nearness: number }[] = [];
  let count = 0;
  for (const [seq, vector] of vectors) {
    if (++count % vectorsPerPause === 0) yield;
    if (vector.bytes.length === question.bytes.length && isWanted(seq))
      near.push({ seq, nearness: nearness(question, vector) });
  }
  return near
    .sort((a, b) => b.nearness - a.nearness || b.seq - a.seq)
    .slice(0, most)
    .map(({ seq }) => seq);
}
