import { contentText, lineMark, takeBlocks } from './demo-prompt.ts';
import { clip, isGerman, isGreeting, isQuestion, isRequest, toSentences } from './demo-words.ts';
import type { ChatMessage } from './model.ts';

/** The demo model's summaries: the sentences worth keeping, word for word, each with who said it, in their order. */

interface Line {
  text: string;
  worth: number;
  order: number;
}

export interface FoldTask {
  messages: readonly ChatMessage[];
  maxTokens: number;
  countTokens: (text: string) => number | Promise<number>;
}

/** Requests leave room above the cap they name, and a summary longer than its source is refused. */
const shareOfLimit = 0.75;
const shareOfSource = 0.9;

export async function foldFrom(task: FoldTask): Promise<string> {
  const source = toSource(task.messages);
  const sourceTokens = await task.countTokens(source);
  const budget = Math.min(task.maxTokens * shareOfLimit, sourceTokens * shareOfSource);
  const entries = toEntries(source);
  const lines = withoutRepeats(entries.flatMap(toLines));
  const byWorth = lines.sort((a, b) => b.worth - a.worth || a.order - b.order);
  const kept: Line[] = [];
  let left = budget;
  for (const line of byWorth) {
    const tokens = (await task.countTokens(line.text)) + 1;
    if (tokens > left) continue;
    left -= tokens;
    kept.push(line);
  }
  const text = kept
    .sort((a, b) => a.order - b.order)
    .map((line) => line.text)
    .join('\n');
  const isLong = (await task.countTokens(text)) >= Math.min(shortestTokens, sourceTokens * shortestShare);
  if (text !== '' && isLong) return text;
  // The same question again and again, or greetings: a summary of a long talk must not be a line that says nothing.
  const whole = [text, littleSaid(entries, isGerman(source))].filter((part) => part !== '').join('\n');
  if ((await task.countTokens(whole)) <= budget) return whole;
  return text || clip(byWorth[0]?.text ?? '', Math.max(1, Math.floor(budget)));
}

/** What is shorter is not taken for a summary. */
const shortestTokens = 24;
const shortestShare = 1 / 30;
const mostNamed = 3;

function littleSaid(entries: string[][], german: boolean): string {
  const speakers = [...new Set(entries.map(([head = '']) => turnStart.exec(head)?.[1] ?? ''))].filter(Boolean);
  const names = speakers.slice(0, mostNamed).join(', ');
  const count = entries.length;
  return german
    ? `In diesen ${count} Nachrichten (${names}) stehen nur Fragen, Grüße und Wiederholungen; sonst wurde nichts gesagt, das zu merken wäre.`
    : `These ${count} messages (${names}) hold questions, greetings and repetitions only; nothing else was said that has to be remembered.`;
}

/** What stands between the markers; without markers, all of it. */
function toSource(messages: readonly ChatMessage[]): string {
  const last = messages.flatMap((message) => (message.role === 'user' ? [message.content] : [])).at(-1) ?? '';
  const { text, blocks } = takeBlocks(contentText(last));
  return blocks[0]?.body ?? text;
}

const turnStart = /^\[[^\]]*\] ([^:]{1,44}): ?(.*)$/;
const alreadyFolded = /^(.{1,44}?) (said|asked|sagte|fragte): “(.*)”$/;

/** A turn may have many lines. */
function toEntries(source: string): string[][] {
  const entries: string[][] = [];
  for (const line of source.split('\n')) {
    const last = entries.at(-1);
    if (last !== undefined && line.startsWith(lineMark)) last.push(line.slice(lineMark.length));
    else if (last === undefined || turnStart.test(line) || alreadyFolded.test(line)) entries.push([line]);
    else last.push(line);
  }
  return entries;
}

function toLines(entry: string[], at: number): Line[] {
  const [head = '', ...rest] = entry;
  const folded = alreadyFolded.exec(head);
  if (folded !== null && rest.every((line) => line.trim() === '')) {
    return [{ text: head, worth: worthOf(head) + 1, order: at }];
  }
  const [, who, first] = turnStart.exec(head) ?? [];
  const sentences = toSentences(who === undefined ? entry.join('\n') : [first ?? '', ...rest].join('\n'));
  return sentences
    .filter((sentence) => !isGreeting(sentence) && !isEcho(who, sentence))
    .map((sentence, n) => ({
      text: who === undefined ? sentence : `${who} ${verb(sentence)}: “${sentence}”`,
      worth: worthOf(sentence) - (who === 'Assistant' ? 3 : 0),
      order: at + n / 1000,
    }));
}

/** The demo model quoted it from what is remembered anyway. */
function isEcho(who: string | undefined, sentence: string): boolean {
  return who === 'Assistant' && /[“„]/.test(sentence);
}

function verb(sentence: string): string {
  if (isQuestion(sentence)) return isGerman(sentence) ? 'fragte' : 'asked';
  return isGerman(sentence) ? 'sagte' : 'said';
}

const decisive =
  /\b(decid\w*|agree\w*|promis\w*|deadline|must|will|never|always|because|need\w*|plan\w*|beschl\w*|entschie\w*|vereinbar\w*|muss|müssen|wird|werden|weil|braucht?)\b/i;

/** Names, numbers, decisions and what people say of themselves. */
function worthOf(sentence: string): number {
  let worth = Math.min(2, sentence.length / 60);
  if (/\s\p{Lu}\p{Ll}/u.test(sentence)) worth += 1;
  if (/\d/.test(sentence)) worth += 2;
  if (decisive.test(sentence)) worth += 2;
  if (/\b(my|our|i am|i'm|mein\w*|unser\w*|ich bin)\b/i.test(sentence)) worth += 2;
  if (isQuestion(sentence)) worth += 0.5;
  if (isRequest(sentence)) worth -= 2;
  return worth;
}

function withoutRepeats(lines: Line[]): Line[] {
  return [...new Map(lines.map((line) => [line.text.toLowerCase(), line])).values()];
}
