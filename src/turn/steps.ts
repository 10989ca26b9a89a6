import { sanitizedData } from '../conversation/frames.ts';
import type { TokenCounter } from '../conversation/tokens.ts';
import type { ToolResult, ToolStep } from '../conversation/turn.ts';
import { countMessages, stepMessages } from '../conversation/wire.ts';
import type { ChatMessage, ToolCall } from '../model/model.ts';
import { searchHistory } from '../tools/search-history.ts';

/** One round of an answer: what the model said, what it called, and what came of it. */
export interface LiveStep {
  text: string;
  calls: ToolCall[];
  results: ToolResult[];
}

const searchedNote = '[What was found stands in the conversation, and can be looked up again.]';
/** So much of a result, and of a call's arguments, is remembered with the turn. */
const keptChars = 1500;
const shortChars = 200;
const maxIdChars = 64;
const maxNameChars = 64;

/** Every call has an id of its own, and a name that a tool could have: servers refuse a prompt with others. */
export function mendCalls(calls: readonly ToolCall[], earlier: Iterable<string>): ToolCall[] {
  const taken = new Set(earlier);
  return calls.map((call) => {
    const isGood = call.id !== '' && call.id.length <= maxIdChars && !taken.has(call.id);
    const id = isGood ? call.id : freeId(taken);
    taken.add(id);
    return { ...call, id, name: toName(call.name) };
  });
}

/** Some servers begin to count anew with each answer. */
export function callIds(prompt: readonly ChatMessage[], steps: readonly LiveStep[]): string[] {
  const said = prompt.flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []));
  return [...said, ...steps.flatMap((step) => step.calls)].map((call) => call.id);
}

/** A model may make up any name. */
function toName(name: string): string {
  return (
    name
      .trim()
      .replace(/[^\w-]/g, '_')
      .slice(0, maxNameChars) || 'nothing'
  );
}

function freeId(taken: ReadonlySet<string>): string {
  let n = taken.size;
  while (taken.has(toId(n))) n++;
  return toId(n);
}

/** Some servers take nine letters and digits, and nothing else. */
function toId(n: number): string {
  return `call${String(n).padStart(5, '0')}`;
}

/** As the model reads it again: what was no JSON is quoted in the result. */
function withReadableArguments(call: ToolCall): ToolCall {
  return isObject(call.arguments) ? call : { ...call, arguments: '{}' };
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export function messagesOf(steps: readonly LiveStep[]): ChatMessage[] {
  return steps.flatMap(({ text, calls, results }) => stepMessages(text, calls.map(withReadableArguments), results));
}

/** As the turn keeps it: whole calls, shortened results. */
export function toKept(step: LiveStep): ToolStep {
  const { calls, results } = shortened(step, keptChars);
  const isSearch = (id: string): boolean => calls.some((call) => call.id === id && call.name === searchHistory);
  return { calls, results: results.map((one) => (isSearch(one.id) ? { ...one, content: searchedNote } : one)) };
}

function shortened(step: LiveStep, maxChars: number): LiveStep {
  return {
    text: clip(step.text, maxChars),
    calls: step.calls.map(withReadableArguments).map((call) => withShortArguments(call, maxChars)),
    results: step.results.map(({ id, content }) => ({ id, content: clip(content, maxChars) })),
  };
}

/** Cut JSON would be none. */
function withShortArguments(call: ToolCall, maxChars: number): ToolCall {
  if (call.arguments.length <= maxChars) return call;
  return { ...call, arguments: JSON.stringify({ shortened: call.arguments.slice(0, maxChars / 2).toWellFormed() }) };
}

const shortenedMark = '\n[shortened here]';

function clip(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${text.slice(0, maxChars - shortenedMark.length).toWellFormed()}${shortenedMark}`;
}

/** What still fits: all as it is, else shortened, else without the oldest rounds. */
export async function fitSteps(
  steps: readonly LiveStep[],
  room: number,
  counter: TokenCounter,
): Promise<{ messages: ChatMessage[]; tokens: number }> {
  const short = steps.map((step) => shortened(step, shortChars));
  const candidates = [steps, steps.map((step) => shortened(step, keptChars)), ...steps.map((_, n) => short.slice(n))];
  for (const candidate of candidates) {
    const messages = messagesOf(candidate);
    const tokens = await countMessages(messages, counter);
    if (tokens <= room) return { messages, tokens };
  }
  return { messages: [], tokens: 0 };
}

/** No one result takes more, however much room there is. */
const mostResultTokens = 4000;
const cutMark = '\n[The result was longer; the rest is not shown. Ask for less at once if you need it.]';

/** Cuts the results of one round to `room` together: the small ones stay whole, the large ones share what is left. */
export async function fitResults(
  results: readonly ToolResult[],
  room: number,
  counter: TokenCounter,
): Promise<ToolResult[]> {
  const sizes = await Promise.all(results.map(({ content }) => counter.count(sanitizedData(content))));
  const order = sizes.map((tokens, n) => ({ tokens, n })).sort((a, b) => a.tokens - b.tokens);
  const markTokens = counter.countNow(cutMark);
  const fitted = [...results];
  let left = room;
  for (const [place, { tokens, n }] of order.entries()) {
    const share = Math.min(mostResultTokens, Math.floor(left / (order.length - place)));
    const one = results[n];
    if (one === undefined) continue;
    if (tokens > share) {
      const chars = await counter.fit(sanitizedData(one.content), Math.max(0, share - markTokens));
      fitted[n] = { ...one, content: `${firstOf(one.content, chars)}${cutMark}` };
    }
    left -= Math.min(tokens, share);
  }
  return fitted;
}

/** The beginning that has so many characters once it is made harmless. */
function firstOf(text: string, safeChars: number): string {
  let left = safeChars;
  let at = 0;
  for (; at < text.length && left > 0; at++) left -= sanitizedData(text.charAt(at)).length;
  return text.slice(0, left < 0 ? at - 1 : at).toWellFormed();
}

const noteChars = 40;

/** One quiet line while they run: `🔧 get_current_weather: Oslo, Paris…` */
export function callsNote(calls: readonly ToolCall[]): string {
  const byName = Map.groupBy(calls, (call) => call.name);
  const parts = [...byName].map(([name, group]) => {
    const about = [...new Set(group.map(firstWords).filter((words) => words !== ''))].join(', ');
    return about === '' ? clipLine(name) : `${clipLine(name)}: ${about}`;
  });
  return `🔧 ${parts.join('; ').slice(0, 200).toWellFormed()}…`;
}

function firstWords(call: ToolCall): string {
  if (!isObject(call.arguments)) return '';
  const args: unknown = JSON.parse(call.arguments);
  const first = Object.values(args ?? {}).find((value) => typeof value === 'string');
  return typeof first === 'string' ? clipLine(first) : '';
}

function clipLine(text: string): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  return line.length > noteChars ? `${line.slice(0, noteChars).toWellFormed()}…` : line;
}
