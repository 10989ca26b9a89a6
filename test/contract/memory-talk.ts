import assert from 'node:assert/strict';
import { liveRanges } from '../../src/conversation/head.ts';
import { loadCounter } from '../../src/conversation/tokens.ts';
import type { Turn } from '../../src/conversation/turn.ts';
import { countMessages } from '../../src/conversation/wire.ts';
import type { ChannelId } from '../../src/event.ts';
import type { ChatMessage, ModelRequest } from '../../src/model/model.ts';
import { message, person, room, type TestCore } from './core.ts';

/** Talk enough to be folded, and what became of it. */

export const counter = await loadCounter('o200k_base');

/** As a provider counts: the sum over the messages, and three for the reply. */
export async function wireTokens(request: ModelRequest): Promise<number> {
  return (await countMessages(request.messages, counter)) + 3;
}

export function textOf(request: ModelRequest | undefined): string {
  return JSON.stringify(request?.messages);
}

export function folds(core: TestCore): ModelRequest[] {
  return core.model.requests.filter((one) => one.purpose === 'fold');
}

/** What the next prompt begins with too: all but what was found again for this one question. */
export function lastingPart(request: ModelRequest | undefined): ChatMessage[] {
  return (request?.messages ?? []).filter((message) => !contentOf(message).startsWith('<channel_recall'));
}

/** What a message says, whoever says it. */
export function contentOf(message: ChatMessage | undefined): string {
  const content = message?.content ?? '';
  return typeof content === 'string'
    ? content
    : content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

const words = ['harbour', 'lantern', 'meadow', 'violin', 'glacier', 'pepper', 'saddle', 'orchard', 'thimble', 'marble'];

/** Different each time, about 100 tokens with its answer, with a mark of its own. */
export function chatter(n: number, length = 80): string {
  return `mark${n}x ${Array.from({ length }, (_, k) => words[(n * 7 + k * 3 + (k >> 3)) % words.length]).join(' ')}`;
}

export const goodSummary =
  'Several people talked about everyday things for a good while, each in turn, and agreed on nothing in particular so far.';

/** A good summary that keeps up to three of the marks it was given. */
export function keepMarks(request: ModelRequest, most = 3): string {
  const marks = new Set(contentOf(request.messages[1]).match(/\b(?:mark|edit)\d+x\b/g));
  return `${goodSummary} Marks: ${[...marks].slice(0, most).join(', ')}.`;
}

export async function say(core: TestCore, n: number, text = chatter(n), who = 'Ann', channel: ChannelId = room) {
  return await core.send(message(n, text, { author: person(who), channel }));
}

/** From `from` to `to`, both said. */
export async function talk(core: TestCore, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await say(core, n);
}

export async function allTurns(core: TestCore, channel: ChannelId = room): Promise<Turn[]> {
  const state = await core.memory.conversations.read(channel);
  const turns: Turn[] = [];
  for (const range of liveRanges(state.head, state.view, state.nextSeq)) {
    turns.push(...(await core.memory.conversations.journal.turns(channel, range)));
  }
  return turns;
}

/** These messages are in the journal, once each and in order, and no others. */
export async function assertKept(core: TestCore, marks: readonly string[]): Promise<void> {
  const texts = (await allTurns(core)).filter((turn) => turn.role === 'user' && turn.erased === undefined);
  assert.deepEqual(
    texts.map((turn) => turn.text.split(' ')[0]),
    marks,
  );
}

/** A script that waits until it is let go on. */
export function barrier(): { reached: Promise<void>; wait(): Promise<void>; open(): void } {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    async wait() {
      reached.resolve();
      await opened.promise;
    },
    open: () => opened.resolve(),
  };
}
