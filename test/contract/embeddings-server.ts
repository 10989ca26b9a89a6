import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** A server of embeddings on loopback that knows a few words for the same thing, and can be told to misbehave. */

export const requestSchema = z.object({
  model: z.string(),
  input: z.array(z.string()),
  encoding_format: z.string().optional(),
  dimensions: z.number().optional(),
});

type EmbedRequest = z.infer<typeof requestSchema>;

interface Given {
  status: number;
  body: string;
}

type Answer = (request: EmbedRequest) => Given | 'silence' | Promise<Given>;

export interface EmbeddingsServer {
  url: string;
  requests: EmbedRequest[];
  /** What is sent instead: a status and a body, or nothing ever. */
  answerWith(answer: Answer | undefined): void;
  close(): Promise<void>;
}

const meanings = [
  ['puppy', 'dog', 'hound', 'labrador'],
  ['ill', 'sick', 'fever', 'flu'],
  ['car', 'vehicle', 'automobile'],
  ['code', 'password', 'pin'],
];

/** A number for each meaning, and a little of everything, so that no vector is zero. */
export function vectorOf(text: string): number[] {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  return [...meanings.map((same) => words.filter((word) => same.includes(word)).length), 0.01, (text.length % 7) / 100];
}

export function embeddingsBody(request: EmbedRequest): string {
  const data = request.input.map((text, index) => {
    const vector = vectorOf(text);
    const bytes = Buffer.from(Float32Array.from(vector).buffer).toString('base64');
    return { object: 'embedding', index, embedding: request.encoding_format === 'base64' ? bytes : vector };
  });
  const prompt_tokens = request.input.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
  return JSON.stringify({
    object: 'list',
    data,
    model: `${request.model}-001`,
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  });
}

export async function startEmbeddingsServer(): Promise<EmbeddingsServer> {
  const requests: EmbedRequest[] = [];
  let answer: Answer | undefined;
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.on('error', () => {}); // The client may go at any time.
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = requestSchema.parse(JSON.parse(Buffer.concat(chunks).toString()));
    requests.push(request);
    const given = (await answer?.(request)) ?? { status: 200, body: embeddingsBody(request) };
    if (given !== 'silence') response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body);
  };
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    answerWith(next) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
