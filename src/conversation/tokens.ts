import { getEncodingNameForModel, type TiktokenEncoding, type TiktokenModel } from 'js-tiktoken/lite';
import { BotError } from '../errors.ts';
import { createTokenSplit } from './bpe.ts';
import { createEncoder } from './encoder.ts';
import { createSlices } from './slices.ts';
import { type RankFile, readVocabulary } from './vocabulary.ts';

export type EncodingName = TiktokenEncoding;

export interface TokenCounter {
  /** Lets others run every 2 ms, whatever the text. */
  count(text: string): Promise<number>;
  /** In one go: for short texts of our own. */
  countNow(text: string): number;
  /** The tokens themselves, in one go: for short texts. */
  encode(text: string): number[];
  /** How many characters the first `maxTokens` tokens cover; does no more work than these need. */
  fit(text: string, maxTokens: number): Promise<number>;
}

/** Three for the message and one in reserve for names. */
export const perMessageTokens = 4;
/** What the beginning of every reply is charged in the prompt. */
export const replyPrimerTokens = 3;

/** An estimate: providers scale images in ways of their own. */
export function imageTokens(detail: 'low' | 'auto'): number {
  return detail === 'low' ? 85 : 765;
}

/** A token is a byte at least, so what has no more bytes than the budget has tokens needs no counting. */
export function upperBound(text: string): number {
  return Buffer.byteLength(text);
}

/** Newer models, and those of other vendors, are nearest to this one; the calibration absorbs the rest. */
const defaultEncoding = 'o200k_base';

/** Also for dated names, fine-tuned models and a vendor in front: `ft:gpt-4o-2031-01-01:us::x`, `openai/gpt-4o:free`. */
export function encodingForModel(model: string): EncodingName {
  const bare = model.trim().toLowerCase().replace(/^ft:/, '').replace(/^.*\//, '').replace(/:.*/s, '');
  for (let name = bare; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('-')))) {
    const encoding = knownEncoding(name);
    if (encoding !== undefined) return encoding;
  }
  return defaultEncoding;
}

function knownEncoding(name: string): EncodingName | undefined {
  try {
    // js-tiktoken keeps its list of names in this function alone, which throws for all others: it is the check.
    return getEncodingNameForModel(name as TiktokenModel);
  } catch {
    return undefined;
  }
}

const rankFiles: Record<EncodingName, () => Promise<{ default: RankFile }>> = {
  gpt2: () => import('js-tiktoken/ranks/gpt2'),
  r50k_base: () => import('js-tiktoken/ranks/r50k_base'),
  p50k_base: () => import('js-tiktoken/ranks/p50k_base'),
  p50k_edit: () => import('js-tiktoken/ranks/p50k_edit'),
  cl100k_base: () => import('js-tiktoken/ranks/cl100k_base'),
  o200k_base: () => import('js-tiktoken/ranks/o200k_base'),
};

const inSlices = createSlices();
const counters = new Map<EncodingName, Promise<TokenCounter>>();

/** Each encoding is read once, when it is first asked for, and kept. */
export function loadCounter(encoding: EncodingName): Promise<TokenCounter> {
  const known = counters.get(encoding);
  if (known !== undefined) return known;
  const loading = createCounter(encoding).catch((error: unknown) => {
    counters.delete(encoding);
    throw new BotError('bug', 'the table of tokens could not be read', { cause: error });
  });
  counters.set(encoding, loading);
  return loading;
}

async function createCounter(encoding: EncodingName): Promise<TokenCounter> {
  const { default: file } = await rankFiles[encoding]();
  const find = await inSlices(readVocabulary(file));
  const encoder = createEncoder(file.pat_str, find, createTokenSplit(find));
  return {
    count: (text) => inSlices(encoder.encode(text)),
    countNow: (text) => toEnd(encoder.encode(text)),
    encode(text) {
      const tokens: number[] = [];
      toEnd(encoder.encode(text, tokens));
      return tokens;
    },
    fit: (text, maxTokens) => inSlices(encoder.fit(text, maxTokens)),
  };
}

function toEnd<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
