import { readPrompt, takeBlocks } from './demo-prompt.ts';
import { isGerman } from './demo-words.ts';
import type { ModelRequest, ToolCall } from './model.ts';

/** The demo model's use of tools: it knows the weather and the time by their names, and calls others only when forced. */

type Turn = { call: ToolCall } | { text: string } | undefined;

/** Nobody asks for the weather at greater length. */
const maxQuestionChars = 500;

/** What comes before an answer of its own: nothing where no tool is plainly asked for. */
export function turnWithTools(request: Pick<ModelRequest, 'messages' | 'tools' | 'toolChoice'>): Turn {
  const { messages, tools = [], toolChoice = 'auto' } = request;
  const last = messages.at(-1);
  if (last?.role === 'tool') return { text: results(messages).join('\n') };
  if (toolChoice === 'none') return undefined;
  const names = typeof toolChoice === 'object' ? [toolChoice.name] : tools.map(({ name }) => name);
  const newest = readPrompt(messages).newest.slice(0, maxQuestionChars);
  const meant = toMeant(newest, previousAnswer(messages));
  const name = meant?.names.find((one) => names.includes(one));
  if (meant !== undefined && name !== undefined)
    return meant.place === '' ? { text: whichPlace(newest) } : call(name, meant);
  return typeof toolChoice === 'object' ? call(toolChoice.name, undefined) : undefined;
}

interface Meant {
  names: readonly string[];
  /** Nothing where none is needed; empty where it is missing. */
  place?: string;
  days?: number;
}

const placeWords = /\b(?:in|at|for|of|für|von)\s+(\p{Lu}[\p{L}\p{M}'’.-]*(?:[ ,]+\p{Lu}[\p{L}\p{M}'’.-]*)*)/u;
const weatherWords = /\b(weather|forecast|temperature|rain|wetter|vorhersage|temperatur|regnet)\b/i;
const timeWords =
  /\b(what time|what('s| is) the (time|date)|which day|what day|wie spät|wie viel uhr|welcher tag|welches datum)\b/i;
const dayWords = /\b(\d{1,2})[ -](?:days?|tagen?|tage)\b/i;
const whichPlaceTexts = ['For which place?', 'Für welchen Ort?'];

function toMeant(text: string, before: string): Meant | undefined {
  const wasAsked = whichPlaceTexts.some((question) => before.includes(question));
  if (wasAsked && /^[\p{L}\p{M}' ,.’-]{2,80}$/u.test(text)) return toWeather(placeWords.exec(text)?.[1] ?? text, text);
  if (weatherWords.test(text)) return toWeather(placeWords.exec(text)?.[1] ?? '', text);
  return timeWords.test(text) ? { names: ['current_time'] } : undefined;
}

function toWeather(place: string, text: string): Meant {
  const [, days] = dayWords.exec(text) ?? [];
  const where = place.replace(/(?<![\s,.])[\s,.]+$/, '');
  if (days === undefined) return { names: ['get_current_weather'], place: where };
  return { names: ['get_n_day_weather_forecast', 'get_current_weather'], place: where, days: Number(days) };
}

function call(name: string, meant: Meant | undefined): Turn {
  const { place, days } = meant ?? {};
  const args = {
    ...(place !== undefined && { location: place, format: 'celsius' }),
    ...(days !== undefined && name === 'get_n_day_weather_forecast' && { num_days: days }),
  };
  return { call: { id: 'call_demo', name, arguments: JSON.stringify(args) } };
}

function whichPlace(text: string): string {
  return whichPlaceTexts[isGerman(text) ? 1 : 0] ?? '';
}

function previousAnswer(messages: ModelRequest['messages']): string {
  return messages.findLast((message) => message.role === 'assistant')?.content ?? '';
}

/** What the tools of this answer returned, without its frame. */
function results(messages: ModelRequest['messages']): string[] {
  const asked = messages.findLastIndex((message) => message.role === 'user');
  return messages.slice(asked + 1).flatMap((message) => {
    if (message.role !== 'tool') return [];
    const { text, blocks } = takeBlocks(message.content);
    return [blocks[0]?.body ?? text];
  });
}
