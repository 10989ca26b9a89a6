import type { ChannelId } from '../event.ts';
import { sanitizedData, withLines } from './frames.ts';
import { clipAround, type Fit } from './recall-clip.ts';
import { perMessageTokens, type TokenCounter } from './tokens.ts';
import { isSpoken, type Turn } from './turn.ts';
import { plainText, toTranscript } from './wire.ts';

/** What is taken of all that was found: by score, within a budget, as snippets that can be read. */

/** A turn that was found, so that people can read it. */
export interface Readable {
  /** The channel that was asked in, or the one its thread stands in. */
  channel: ChannelId;
  epoch: number;
  /** The turn that matched, and with it what the same person said right before and after. */
  seq: number;
  seqs: number[];
  /** The platform's ids of the turn that matched. */
  id: string;
  posts: string[];
  /** The platform's id of the message it replies to. */
  replyTo: string | undefined;
  at: number;
  role: Turn['role'];
  name: string | undefined;
  text: string;
  /** As it stands in a transcript; whoever puts it into a wrapper escapes it. */
  line: string;
  score: number;
}

export interface Recalled extends Readable {
  /** Of the escaped line with a marker. */
  tokens: number;
}

export interface Candidate {
  channel: ChannelId;
  epoch: number;
  seq: number;
  score: number;
}

export interface Room {
  tokens: number;
  snippets: number;
  counter: TokenCounter;
  /** What each word of the question is worth. */
  worth: ReadonlyMap<string, number>;
  isShown(channel: ChannelId, seq: number): boolean;
}

/** Messages that one person sent in a row read as one, as long as they are as short as one. */
const burstTokens = 60;
const burstMs = 5 * 60_000;
/** Of a huge message, what stands around the match. */
const snippetTokens = 200;
/** Half words at both ends are left out. */
const leastClipped = 150;
/** A marker to cite by, and the end of the line. */
const markerTokens = 5;
/** No snippet is shorter, its date and name included. */
const leastTokens = 16;

/** What of a turn can be found: what was said, and what was attached to it as far as it could be read. */
export function saidText(turn: Turn): string {
  const attached = (turn.attachments ?? []).flatMap(({ name, text }) => (text === undefined ? [name] : [name, text]));
  return [plainText(turn), ...attached].filter((part) => part !== '').join('\n');
}

/** The stored page a candidate stands on, as it is now. */
export type PageOf = (candidate: Candidate) => Promise<readonly Turn[]>;

/** In the order of the score. */
export async function select(candidates: readonly Candidate[], pageOf: PageOf, room: Room): Promise<Recalled[]> {
  const chosen: Recalled[] = [];
  const taken = new Set<string>();
  const texts = new Set<string>();
  const frameTokens = room.counter.countNow(dateFrame);
  let left = room.tokens;
  for (const candidate of candidates) {
    if (chosen.length >= room.snippets || left < leastTokens) break;
    const { channel } = candidate;
    const isFree = (turn: Turn): boolean => !taken.has(`${channel}:${turn.seq}`) && !room.isShown(channel, turn.seq);
    const page = (await pageOf(candidate)).filter(isSpoken);
    const burst = burstAround(page, candidate.seq, isFree);
    // To clip and count a text takes longer than all the rest: not for what is too long anyway.
    if (leastOf(burst) > left) continue;
    const snippet = await toSnippet(candidate, burst, room, frameTokens);
    // The same words again say nothing more.
    if (snippet === undefined || snippet.tokens > left || texts.has(snippet.text.toLowerCase())) continue;
    for (const seq of snippet.seqs) taken.add(`${channel}:${seq}`);
    texts.add(snippet.text.toLowerCase());
    left -= snippet.tokens;
    chosen.push(snippet);
  }
  return chosen;
}

/** The turn and its neighbours of the same person, nearest first, as long as they are short together. */
function burstAround(page: readonly Turn[], seq: number, isFree: (turn: Turn) => boolean): Turn[] {
  const middle = page.findIndex((turn) => turn.seq === seq);
  const turn = page[middle];
  if (turn === undefined || !isFree(turn)) return [];
  const burst = [turn];
  let tokens = turn.tokens;
  for (const step of [-1, 1]) {
    for (let n = middle + step; ; n += step) {
      const next = page[n];
      const last = page[n - step];
      if (next === undefined || last === undefined || next.role !== turn.role || next.author !== turn.author) break;
      if (Math.abs(next.at - last.at) > burstMs || tokens + next.tokens > burstTokens || !isFree(next)) break;
      burst.push(next);
      tokens += next.tokens;
    }
  }
  return burst.sort((a, b) => a.seq - b.seq);
}

async function toSnippet(
  candidate: Candidate,
  burst: readonly Turn[],
  room: Room,
  frameTokens: number,
): Promise<Recalled | undefined> {
  const { counter, worth } = room;
  const isShort = sum(burst) <= snippetTokens;
  const fit: Fit = (text) => (isShort ? text.length : counter.fit(text, snippetTokens));
  const read = await toReadable(candidate, burst, worth, fit);
  if (read === undefined) return undefined;
  const isPlain = isShort && burst.every(isOnlyText) && !changedInLines.test(read.text);
  // Counted when it was recorded, with name and frame; counting it again would cost more than all the rest.
  const tokens = isPlain ? sum(burst) - perMessageTokens + frameTokens : await counter.count(sanitizedData(read.line));
  return { ...read, tokens: markerTokens + tokens };
}

/** What a snippet of these turns takes at least. */
function leastOf(burst: readonly Turn[]): number {
  if (!burst.every(isOnlyText)) return 0;
  return sum(burst) > snippetTokens ? leastClipped : sum(burst) - perMessageTokens;
}

/** Every date has as many tokens, or nearly. */
const dateFrame = '[2026-01-01 00:00] ';
/** What is longer in a line than as it was said. */
const changedInLines = /[<>\n\v\f\r\u0085\u2028\u2029]/;

function isOnlyText(turn: Turn): boolean {
  return turn.dated === undefined && turn.tools === undefined && turn.attachments === undefined;
}

function sum(turns: readonly Turn[]): number {
  return turns.reduce((total, turn) => total + turn.tokens, 0);
}

/** Nothing where the candidate is not among the turns. */
export async function toReadable(
  candidate: Candidate,
  burst: readonly Turn[],
  worth: ReadonlyMap<string, number>,
  fit: Fit,
): Promise<Readable | undefined> {
  const turn = burst.find((one) => one.seq === candidate.seq);
  const first = burst[0];
  if (turn === undefined || first === undefined) return undefined;
  const text = await clipAround(burst.map(saidText).join('\n'), worth, fit);
  const { attachments: _, ...bare } = first;
  const { id, posts = [], replyTo, role, name } = turn;
  const seqs = burst.map((one) => one.seq);
  // A second line could pass for another snippet.
  const line = toTranscript({ ...bare, text: withLines(text, ' ⏎ ') });
  return { ...candidate, seqs, id, posts, replyTo, at: first.at, role, name, text, line };
}

/** As they were said; what a thread is told of its channel stands before its own. */
export function inOrder(recalled: readonly Recalled[]): Recalled[] {
  return [...recalled].sort((a, b) => a.channel.length - b.channel.length || a.at - b.at || a.seq - b.seq);
}
