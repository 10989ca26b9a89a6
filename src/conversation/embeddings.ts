import { toBotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import type { Embedded } from '../model/embed.ts';
import type { Store, StoredRecord } from '../storage/store.ts';
import { createDamageLog } from './damage-log.ts';
import { type ChannelVectors, createKeptVectors, nearestOf } from './embeddings-kept.ts';
import { createPaidEmbedder, type PaidDeps } from './embeddings-paid.ts';
import { spaceOf, type TurnVector, vectorsRecord } from './embeddings-records.ts';
import { type Quantised, quantised } from './embeddings-vectors.ts';
import type { ChannelState } from './journal.ts';
import { pageId, pageNumber, type TurnRef } from './page.ts';
import { planIndexed, toPieces } from './recall-follow.ts';
import { saidText } from './recall-select.ts';
import { createSlices } from './slices.ts';
import { isSpoken, type Turn } from './turn.ts';

/**
 * Turns by what they mean, beside what they are found by their words. It costs money and depends on a server, so it is
 * only ever an addition: whatever is missing, does not match or fails leaves recall as it is without.
 */
export interface Embeddings {
  /** Charged to the channel. */
  ask(channel: ChannelId, text: string): Meaning;
  /** Embeds some of what is not yet, newest first, and charges for it. To be run in the background. */
  fill(channel: ChannelId): Promise<void>;
  /** After something was erased or edited. */
  forget(channel: ChannelId): void;
}

/** A question; it is embedded at most once, however many places are looked at. */
export interface Meaning {
  /** The turns that are nearest to it, nearest first; none where that cannot be told. */
  nearest(channel: ChannelId, isWanted: (seq: number) => boolean, most: number): Promise<number[]>;
}

interface EmbeddingsDeps extends PaidDeps {
  store: Store;
  inBackground(work: Promise<unknown>): void;
}

/** Embedding models read some thousand tokens; what a long message is about stands at its beginning. */
const mostChars = 4000;
const turnsAtOnce = 64;
/** So that one old channel does not use up a day's budget at once. */
const batchesAtOnce = 8;
/** Nobody waits longer for an answer because of this. */
const questionMs = 1500;

interface Batch {
  pages: { id: string; epoch: number; from: number }[];
  turns: Turn[];
}

export function createEmbeddings(deps: EmbeddingsDeps): Embeddings {
  const { store, conversations, embedder, log } = deps;
  const kept = createKeptVectors(store, embedder.model, createDamageLog(log));
  const paid = createPaidEmbedder(deps);
  const inSlices = createSlices();
  const filling = new Map<ChannelId, Promise<void>>();

  /** The turns that are to be embedded, newest page first, as many as go into one request. */
  async function nextBatch(channel: ChannelId, state: ChannelState, vectors: ChannelVectors): Promise<Batch> {
    // The open page changes with every turn.
    const closed = planIndexed(state)
      .flatMap(toPieces)
      .filter((piece) => pageNumber(piece.to) !== pageNumber(state.nextSeq));
    const batch: Batch = { pages: [], turns: [] };
    for (const { epoch, from } of closed.reverse()) {
      const id = pageId(channel, epoch, pageNumber(from));
      if (vectors.done.has(id)) continue;
      const page = await pageOf(channel, { epoch, seq: from });
      const turns = page.filter((turn) => hasWords(turn) && vectors.byTurn.get(turn.seq)?.rev !== turn.rev);
      if (batch.turns.length + turns.length > turnsAtOnce) break;
      batch.pages.push({ id, epoch, from });
      batch.turns.push(...turns);
    }
    return batch;
  }

  /** A damaged page has nothing to be embedded. */
  async function pageOf(channel: ChannelId, ref: TurnRef): Promise<Turn[]> {
    try {
      return await conversations.journal.page(channel, ref);
    } catch (error) {
      if (toBotError(error).kind !== 'damaged') throw error;
      return [];
    }
  }

  async function fillNow(channel: ChannelId): Promise<void> {
    await paid.settle(channel);
    for (let batches = 0; batches < batchesAtOnce && !paid.isPaused(); batches++) {
      const state = await conversations.read(channel);
      const vectors = await kept.of(channel, planIndexed(state));
      const batch = await nextBatch(channel, state, vectors);
      if (batch.pages.length === 0) return;
      if (batch.turns.length === 0) {
        for (const { id } of batch.pages) vectors.done.add(id);
        continue;
      }
      const bought = await paid.embed(channel, batch.turns.map(toText), deps.signal);
      if (bought === undefined) return;
      const fresh = toVectors(batch.turns, bought.embedded);
      await paid.charge(channel, [bought.owes], async () => await toRecords(channel, batch, fresh, vectors));
    }
  }

  /** Under the commit lock: what was edited or erased since it was embedded is left out, and waits. */
  async function toRecords(
    channel: ChannelId,
    batch: Batch,
    fresh: readonly TurnVector[],
    vectors: ChannelVectors,
  ): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    for (const { id, epoch, from } of batch.pages) {
      const turns = (await pageOf(channel, { epoch, seq: from })).filter(hasWords);
      const stands = ({ seq, rev }: TurnVector): boolean => turns.some((turn) => turn.seq === seq && turn.rev === rev);
      const dimension = fresh[0]?.bytes.length ?? 0;
      const known = turns
        .flatMap((turn) => vectors.byTurn.get(turn.seq) ?? [])
        .filter((one) => one.bytes.length === dimension);
      const all = new Map([...known, ...fresh].filter(stands).map((one) => [one.seq, one]));
      const done = turns.every((turn) => all.has(turn.seq));
      for (const one of all.values()) vectors.byTurn.set(one.seq, one);
      if (done) vectors.done.add(id);
      records.push(vectorsRecord(id, spaceOf(embedder.model, dimension), { done, vectors: [...all.values()] }));
    }
    return records;
  }

  async function embedQuestion(channel: ChannelId, text: string): Promise<Quantised | undefined> {
    const question = [text.slice(0, mostChars).toWellFormed()];
    const bought = await paid.embed(channel, question, AbortSignal.timeout(questionMs));
    if (bought === undefined) return undefined;
    paid.owe(channel, bought.owes);
    const [vector] = bought.embedded.vectors;
    return vector && quantised(vector);
  }

  function fill(channel: ChannelId): Promise<void> {
    const running = filling.get(channel) ?? fillOnce(channel);
    filling.set(channel, running);
    return running;
  }

  async function fillOnce(channel: ChannelId): Promise<void> {
    try {
      await fillNow(channel);
    } catch (error) {
      // What the store holds now is not known: it is asked the next time.
      kept.forget(channel);
      throw error;
    } finally {
      filling.delete(channel);
    }
  }

  return {
    fill,
    forget: (channel) => kept.forget(channel),
    ask(channel, text) {
      let question: Promise<Quantised | undefined> | undefined;
      return {
        async nearest(place, isWanted, most) {
          try {
            const state = await conversations.read(place);
            const { byTurn } = await kept.of(place, planIndexed(state));
            if (byTurn.size === 0) return [];
            question ??= embedQuestion(channel, text);
            const vector = await question;
            return vector === undefined ? [] : await inSlices(nearestOf(vector, byTurn, isWanted, most));
          } catch (error) {
            log.warn({ channel, err: error }, 'what was said is found by its words alone');
            return [];
          } finally {
            deps.inBackground(fill(place));
          }
        },
      };
    },
  };
}

function hasWords(turn: Turn): boolean {
  return isSpoken(turn) && saidText(turn).trim() !== '';
}

function toText(turn: Turn): string {
  const said = turn.name === undefined ? saidText(turn) : `${turn.name}: ${saidText(turn)}`;
  return said.slice(0, mostChars).toWellFormed();
}

function toVectors(turns: readonly Turn[], { vectors }: Embedded): TurnVector[] {
  return turns.flatMap(({ seq, rev }, n) => {
    const vector = vectors[n];
    return vector === undefined ? [] : [{ seq, rev, ...quantised(vector) }];
  });
}
