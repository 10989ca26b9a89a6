import { APIError } from 'openai';
import { z } from 'zod';
import { BotError } from '../errors.ts';
import { type ApiServer, createClient } from './client.ts';
import { toFailure } from './failure.ts';
import type { Usage } from './model.ts';
import { fetchFromApi, limitBody } from './transport.ts';

/** Texts as vectors, from any server that speaks OpenAI's embeddings. One attempt: whoever asks has another way. */
export interface Embedder {
  /** As configured; another model's vectors say nothing beside these. */
  readonly model: string;
  embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded>;
}

export interface Embedded {
  /** One a text, in their order, all of one dimension. */
  vectors: Float32Array[];
  /** The one that really answered. */
  model: string;
  usage: Usage;
}

export interface EmbedderConfig extends ApiServer {
  model: string;
  timeoutMs: number;
}

interface EmbedderDeps {
  now(): number;
  /** For servers that tell no usage. */
  countTokens(text: string): number | Promise<number>;
}

/** These can be asked for shorter vectors, which lose little and take a third of the room. */
const shortenable = /(^|\/)text-embedding-3-/;
const shortDimensions = 512;
/** A number in text, with some room. */
const bytesPerNumber = 32;
const mostDimensions = 8192;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().optional(), embedding: z.union([z.string(), z.array(z.number())]) })),
  model: z.string().optional(),
  usage: z.object({ prompt_tokens: z.number() }).optional(),
});

type Format = 'base64' | 'float';

export function createEmbedder(config: EmbedderConfig, deps: EmbedderDeps): Embedder {
  const { model, timeoutMs } = config;
  const client = createClient(config, timeoutMs, fetchBounded);
  /** A third of the bytes; what does not know it is asked for numbers from then on. */
  let format: Format = 'base64';

  async function request(texts: readonly string[], signal: AbortSignal): Promise<unknown> {
    const dimensions = shortenable.test(model) ? { dimensions: shortDimensions } : {};
    const body = { model, input: texts, encoding_format: format, ...dimensions };
    return await client.post<unknown>('/embeddings', {
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  }

  async function requestEither(texts: readonly string[], signal: AbortSignal): Promise<unknown> {
    try {
      return await request(texts, signal);
    } catch (error) {
      const isRefused = error instanceof APIError && (error.status === 400 || error.status === 422);
      if (!isRefused || format === 'float') throw error;
      format = 'float';
      return await request(texts, signal);
    }
  }

  return {
    model,
    async embed(texts, signal) {
      const answer = await requestEither(texts, signal).catch((error: unknown) => {
        if (signal.aborted) throw new BotError('stopped', 'this was stopped', { cause: error });
        const sent = { model, parameters: ['model', 'input', 'encoding_format', 'dimensions'], tools: [] };
        const host = new URL(client.baseURL).host;
        throw toFailure(error, { sent, isOwn: true, host, neededTokens: 0, now: deps.now() }).error;
      });
      const { data, model: answered = model, usage } = checked(answer);
      let prompt = usage?.prompt_tokens;
      if (prompt === undefined) {
        prompt = 0;
        for (const text of texts) prompt += await deps.countTokens(text);
      }
      return {
        vectors: inOrder(data, texts.length),
        model: answered,
        usage: { prompt, cached: 0, completion: 0, reasoning: 0, estimated: usage === undefined },
      };
    },
  };
}

const mostTexts = 256;

async function fetchBounded(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetchFromApi(url, init);
  if (!response.ok || response.body === null) return response;
  return new Response(limitBody(response.body, mostTexts * mostDimensions * bytesPerNumber, 'fail'), response);
}

function checked(answer: unknown): z.infer<typeof answerSchema> {
  const result = answerSchema.safeParse(answer);
  if (!result.success) throw unusable(result.error);
  return result.data;
}

function inOrder(data: z.infer<typeof answerSchema>['data'], count: number): Float32Array[] {
  const sorted = data.map((one, n) => ({ ...one, index: one.index ?? n })).sort((a, b) => a.index - b.index);
  const vectors = sorted.map(({ embedding }) => toVector(embedding));
  const dimension = vectors[0]?.length ?? 0;
  const isWhole =
    vectors.length === count &&
    sorted.every(({ index }, n) => index === n) &&
    dimension > 0 &&
    dimension <= mostDimensions &&
    vectors.every((vector) => vector.length === dimension && vector.every(Number.isFinite));
  if (!isWhole) throw unusable(undefined);
  return vectors;
}

/** Four bytes a number, the lowest first. */
function toVector(embedding: string | number[]): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding);
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, n) => bytes.readFloatLE(n * 4));
}

function unusable(cause: unknown): BotError {
  return new BotError('model', 'the chat API sent no usable embeddings', { cause });
}
