import { BotError } from '../errors.ts';
import { type CallCost, collect } from '../model/collect.ts';
import type { ChatMessage, Model } from '../model/model.ts';
import { type FoldInput, foldFault, foldRequest, isEcho, shrinkRequest } from './fold-text.ts';
import { lineMark, sanitizedData } from './frames.ts';
import { cutAtSentence } from './sentences.ts';
import { replyPrimerTokens, type TokenCounter } from './tokens.ts';
import { countMessages } from './wire.ts';

/** Has the text of a fold written: in as many calls as it takes, none larger than it may be. */

export interface FoldWriting {
  model: Model;
  name: string;
  counter: TokenCounter;
  /** The most that one request may be. */
  mostTokens: number;
  cacheKey: string;
  signal: AbortSignal;
  /** Filled as the calls go, so that what was spent is known even when one throws. */
  costs: CallCost[];
  /** Told of every piece of text as it comes. */
  onText(text: string): void;
}

const mostInput = 16_000;
/** However small the budget, so much of a talk stands in one request. */
const leastInput = 200;

/** A little more than is asked for, so that a good answer is not cut off in its last sentence. */
export function mostWritten(cap: number): number {
  return Math.ceil(cap * 1.3) + 50;
}

/** How much text fits into one request beside what asks for the fold. */
export async function roomForText(counter: TokenCounter, mostTokens: number, cap: number): Promise<number> {
  const frame = await countMessages(shrinkRequest('', cap), counter);
  return Math.min(mostInput, Math.max(leastInput, mostTokens - frame - replyPrimerTokens));
}

/** In parts where the whole would be too much for one request. */
export async function writeFold(writing: FoldWriting, text: string, wanted: number): Promise<string> {
  const { counter } = writing;
  const room = await roomForText(counter, writing.mostTokens, wanted);
  // Summaries of parts must come to less than the parts.
  const cap = Math.min(wanted, Math.floor(room / 2));
  for (let whole = sanitizedData(text); ; ) {
    const parts = await inParts(whole, room, counter);
    if (parts.length === 1) return await summarise(writing, { text: whole, tokens: await counter.count(whole), cap });
    const texts: string[] = [];
    for (const part of parts) {
      const tokens = await counter.count(part);
      // A short rest has no summary that is shorter.
      texts.push(tokens <= cap ? part : sanitizedData(await summarise(writing, { text: part, tokens, cap })));
    }
    whole = texts.join('\n');
  }
}

/** Too long an answer is shortened once, then cut at a sentence's end, if it came to its own end. */
async function summarise(writing: FoldWriting, input: FoldInput): Promise<string> {
  const { counter } = writing;
  const first = await ask(writing, foldRequest(input), input);
  const isTooLong = first.tokens > input.cap || first.finish === 'length';
  if (!isTooLong || first.text === '') return accepted(input, first);
  const room = await roomForText(counter, writing.mostTokens, input.cap);
  const draft = await cutAtSentence(sanitizedData(first.text), room, counter);
  const second = await ask(writing, shrinkRequest(draft, input.cap), input);
  if (second.finish === 'stop' && second.tokens <= input.cap) return accepted(input, second);
  // What broke off is no summary, however short: it says nothing of the end of the talk.
  const [shorter] = [first, second]
    .filter(({ text, finish }) => finish === 'stop' && text !== '')
    .sort((a, b) => a.tokens - b.tokens);
  if (shorter === undefined) throw notKept('it was cut off, and cut off again when asked for less');
  if (isEcho(input, shorter.text)) throw notKept('it only repeated what was said');
  const text = await cutToCap(shorter.text, input.cap, counter);
  return accepted(input, { text, tokens: await safeTokens(text, counter), finish: 'stop' });
}

async function ask(
  writing: FoldWriting,
  messages: ChatMessage[],
  { cap }: FoldInput,
): Promise<{ text: string; tokens: number; finish: string }> {
  const { model, name, counter, cacheKey, signal, costs } = writing;
  const promptTokens = (await countMessages(messages, counter)) + replyPrimerTokens;
  const settings = { temperature: 0 };
  const request = {
    purpose: 'fold' as const,
    model: name,
    messages,
    maxTokens: mostWritten(cap),
    settings,
    cacheKey,
    promptTokens,
  };
  const answer = await collect(model, request, signal, costs, writing.onText);
  const text = answer.text.trim();
  return { text, tokens: await safeTokens(text, counter), finish: answer.finish };
}

/** As it will stand in prompts. */
async function safeTokens(text: string, counter: TokenCounter): Promise<number> {
  return await counter.count(sanitizedData(text));
}

async function cutToCap(text: string, cap: number, counter: TokenCounter): Promise<string> {
  for (let room = cap; ; ) {
    const cut = await cutAtSentence(text, room, counter);
    const tokens = await safeTokens(cut, counter);
    if (tokens <= cap) return cut;
    room = Math.floor((room * cap) / tokens);
  }
}

/** What `lineMark` adds to a part at most. */
const markTokens = 2;

/** A part that begins in the middle of somebody's line must not read like the beginning of somebody else's. */
async function inParts(text: string, room: number, counter: TokenCounter): Promise<string[]> {
  const parts: string[] = [];
  let mark = '';
  for (let rest = text; ; ) {
    const part = await firstPart(rest, mark === '' ? room : room - markTokens, counter);
    if (part === '' || part.length === rest.length) return [...parts, `${mark}${rest}`];
    parts.push(`${mark}${part}`);
    rest = rest.slice(part.length);
    mark = rest.startsWith('\n') ? '' : lineMark;
  }
}

/** Looks no further ahead than it must, so that all parts together take linear time. */
async function firstPart(text: string, room: number, counter: TokenCounter): Promise<string> {
  for (let chars = room * 8; ; chars *= 2) {
    const part = await cutAtSentence(text.slice(0, chars), room, counter);
    if (part.length < chars || chars >= text.length) return part;
  }
}

function accepted(input: FoldInput, answer: { text: string; tokens: number; finish: string }): string {
  const fault = foldFault(input, answer);
  if (fault !== undefined) throw notKept(fault);
  return answer.text;
}

function notKept(why: string): BotError {
  return new BotError('model', `the summary was not kept: ${why}`);
}
