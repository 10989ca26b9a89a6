import { z } from 'zod';
import { type RecordKind, record, type Store, type StoredRecord } from '../storage/store.ts';
import type { Quantised } from './embeddings-vectors.ts';

/**
 * The vectors of a page, stored beside it: `{page}:{model}:{dimension}`. They stand for words, so they go where the words
 * go: whoever empties or drops pages takes the records from here into the same commit.
 */

const vectorsSchema = z.object({
  /** Nothing on the page waits to be embedded. */
  done: z.boolean(),
  vectors: z.array(
    z.object({
      seq: z.number(),
      /** Of the turn when it was embedded. */
      rev: z.number(),
      /** Base64. */
      bytes: z.string(),
      scale: z.number(),
    }),
  ),
});

const vectorKind: RecordKind<z.infer<typeof vectorsSchema>> = {
  name: 'vector',
  version: 1,
  schema: vectorsSchema,
  upgrades: {},
};

export interface TurnVector extends Quantised {
  seq: number;
  rev: number;
}

/** Which of them can be compared with each other. */
export function spaceOf(model: string, dimension: number): string {
  return `${encodeURIComponent(model)}:${dimension}`;
}

export function vectorsRecord(
  pageId: string,
  space: string,
  { done, vectors }: { done: boolean; vectors: readonly TurnVector[] },
): StoredRecord {
  const stored = vectors.map(({ seq, rev, bytes, scale }) => ({
    seq,
    rev,
    bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    scale,
  }));
  return record(vectorKind, `${pageId}:${space}`, { done, vectors: stored });
}

export interface PageVectors {
  pageId: string;
  space: string;
  /** `damage`: why the record could not be read. */
  read(): { done: boolean; vectors: TurnVector[]; damage?: unknown };
}

/** Of the channel's pages whose ids begin so, in their order; of all models. */
export async function listVectors(
  store: Store,
  idPrefix: string,
  range: { after?: string; limit?: number } = {},
): Promise<(PageVectors & { id: string })[]> {
  const found = await store.list(vectorKind, idPrefix, range);
  return found.map(({ id, read }) => {
    const [channel = '', epoch = '', page = '', ...space] = id.split(':');
    const readAll = () => {
      const { done, vectors } = read();
      const toBytes = (text: string): Int8Array => Int8Array.from(Buffer.from(text, 'base64'));
      return { done, vectors: vectors.map((one): TurnVector => ({ ...one, bytes: toBytes(one.bytes) })) };
    };
    return { id, pageId: [channel, epoch, page].join(':'), space: space.join(':'), read: () => readable(readAll) };
  });
}

/**
 * The vectors of these pages without those of the turns that are erased or edited: to be committed with them. What is
 * edited waits to be embedded again.
 */
export async function vectorsWithout(
  store: Store,
  pageIds: readonly string[],
  seqs: ReadonlySet<number>,
  why: 'erased' | 'edited',
): Promise<StoredRecord[]> {
  const lists = await Promise.all(pageIds.map((id) => listVectors(store, `${id}:`)));
  return lists.flat().map(({ pageId, space, read }) => {
    const { done, vectors } = read();
    const left = vectors.filter(({ seq }) => !seqs.has(seq));
    return vectorsRecord(pageId, space, { done: done && why === 'erased', vectors: left });
  });
}

/** Of a damaged record nothing is kept: it is made anew. */
function readable(read: PageVectors['read']): ReturnType<PageVectors['read']> {
  try {
    return read();
  } catch (error) {
    return { done: false, vectors: [], damage: error };
  }
}
