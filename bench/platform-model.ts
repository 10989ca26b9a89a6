import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import type { Answer, ChatRequest, WireMessage } from '../test/sim/model-answer.ts';
import { startModelServer } from '../test/sim/model-server.ts';
import { prose, type Random } from './texts.ts';

/** The model that all bots of a platform ask: an answer of 24 chunks, and a fold where nobody asked anything. */
export interface PlatformModel {
  url: string;
  /** A question is told by its mark: when it arrives. */
  expect(): { mark: string; arrived: Promise<number> };
  /** The request whose size is in the middle of those kept, as it was sent. */
  middlePrompt(): unknown[];
  forget(): void;
  close(): Promise<void>;
}

const chunks = 24;
const wordsAChunk = 6;
const foldWords = 240;
const requestStart = 'http.server.request.start';
const arrivedHeader = 'x-arrived';

/** Before the body: how long a prompt is read here is not the bot's time. */
function noteArrival(message: unknown): void {
  if (typeof message !== 'object' || message === null || !('request' in message)) return;
  if (message.request instanceof IncomingMessage) message.request.headers[arrivedHeader] = String(performance.now());
}

export async function createPlatformModel(random: Random): Promise<PlatformModel> {
  const pending = new Map<string, (at: number) => void>();
  let marks = 0;
  const server = await startModelServer({ answer });

  subscribe(requestStart, noteArrival);

  function answer({ last, messages, headers }: ChatRequest): Answer {
    const arrived = marksIn(last).flatMap((mark) => pending.get(mark) ?? []);
    if (arrived.length === 0) return { text: prose(foldWords, random) };
    for (const resolve of arrived) resolve(Number(headers[arrivedHeader]));
    const pieces = Array.from({ length: chunks }, () => `${prose(wordsAChunk, random)} `);
    const chars = messages.reduce((sum, { text }) => sum + text.length, 0);
    return { pieces, usage: { prompt: Math.round(chars / charsAToken), completion: chunks * wordsAChunk } };
  }

  return {
    url: server.url,
    expect() {
      const mark = `#q${++marks}.`;
      const { promise, resolve } = Promise.withResolvers<number>();
      pending.set(mark, (at) => {
        pending.delete(mark);
        resolve(at);
      });
      return { mark, arrived: promise };
    },
    middlePrompt() {
      const asked = server.requests.filter(({ last }) => marksIn(last).length > 0);
      asked.sort((a, b) => sizeOf(a.messages) - sizeOf(b.messages));
      return (asked[asked.length >> 1]?.messages ?? []).map(({ raw }) => raw);
    },
    forget() {
      server.requests.length = 0;
    },
    close() {
      unsubscribe(requestStart, noteArrival);
      return server.close();
    },
  };
}

/** Of this prose; what is told to the program of its prompts has to be right, because it learns from it. */
const charsAToken = 5;

function marksIn(text: string): string[] {
  return text.match(/#q\d+\./g) ?? [];
}

function sizeOf(messages: readonly WireMessage[]): number {
  return messages.reduce((sum, { text }) => sum + text.length, 0);
}
