import { isGreeting, isQuestion, isRequest, toSentences } from './demo-words.ts';
import type { ChatMessage } from './model.ts';

/** What the demo model finds in a prompt. It knows nothing else. */

export interface Statement {
  text: string;
  /** Nobody in a conversation of two. */
  speaker: string | undefined;
  source: 'turn' | 'summary' | 'recall';
  /** What it is cited by. */
  marker?: string | undefined;
}

export interface Reading {
  role: string;
  newest: string;
  asker: string | undefined;
  statements: Statement[];
  /** Nothing has been answered before, as far as the prompt shows. */
  first: boolean;
}

/** Names as prompts show them: short, and free of brackets. */
const namePrefix = /^([^:<>[\]{}`\n]{1,44}): /;

export function readPrompt(messages: readonly ChatMessage[]): Reading {
  const role = messages.flatMap((message) => (message.role === 'system' ? [message.content] : []))[0] ?? '';
  const said = messages.flatMap((message) => (message.role === 'user' ? [toParts(message.content)] : []));
  const turns = said.map((parts) => parts.text).filter((text) => text !== '');
  // One message without a name: then what stands before the colons are no names either.
  const named = turns.every((text) => namePrefix.test(text));
  const newest = splitName(turns.at(-1) ?? '', named);
  const summaries = said.flatMap((parts) => parts.summaries).flatMap(readSummary);
  const recalled = said.flatMap((parts) => parts.recalled).flatMap(readRecalled);
  const earlier = turns.slice(0, -1).map((text) => splitName(text, named));
  const spoken = [...earlier, newest].flatMap(({ speaker, text }) =>
    toSentences(text).map((sentence): Statement => ({ text: sentence, speaker, source: 'turn' })),
  );
  return {
    role: role.split('\n\n')[0]?.trim() ?? '',
    newest: newest.text,
    asker: newest.speaker,
    statements: [...summaries, ...recalled, ...spoken].filter(
      ({ text }) => !isQuestion(text) && !isRequest(text) && !isGreeting(text),
    ),
    first: !messages.some((message) => message.role === 'assistant') && summaries.length === 0,
  };
}

interface Parts {
  text: string;
  summaries: string[];
  recalled: string[];
}

/** Begins the further lines of what one of several people said. */
export const lineMark = '| ';

function withoutMarks(text: string): string {
  return text.replaceAll(`\n${lineMark}`, '\n');
}

function toParts(content: Extract<ChatMessage, { role: 'user' }>['content']): Parts {
  const { text, blocks } = takeBlocks(contentText(content));
  const bodies = (isMeant: (tag: string) => boolean) =>
    blocks.filter(({ tag }) => isMeant(tag)).map(({ body }) => body);
  const files = bodies((tag) => tag === 'attached_file').map((body) => `\n${body}`);
  return {
    text: withoutMarks([text, ...files].join('')).trim(),
    summaries: bodies((tag) => !['now', 'channel_note', 'channel_recall', 'attached_file'].includes(tag)),
    recalled: bodies((tag) => tag === 'channel_recall'),
  };
}

export function contentText(content: ChatMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : '[image]')).join('\n');
}

/** People write tags too. */
const isOurs = (tag: string) => /^(now|transcript|recalled|[a-z]+_[a-z]+)$/.test(tag);

/**
 * The `<tag …>…</tag>` blocks of a text, and what stands outside. Each tag is looked for once, so that a text of nothing
 * but opened tags costs no more than any other.
 */
export function takeBlocks(content: string): { text: string; blocks: { tag: string; body: string }[] } {
  const blocks: { tag: string; body: string }[] = [];
  const outside: string[] = [];
  const unclosed = new Set<string>();
  let from = 0;
  for (const opening of content.matchAll(/<([a-z_]+)(?: [^<>]*)?>/g)) {
    const [whole, tag = ''] = opening;
    if (opening.index < from || !isOurs(tag) || unclosed.has(tag)) continue;
    const start = opening.index + whole.length;
    const end = content.indexOf(`</${tag}>`, start);
    if (end < 0) {
      unclosed.add(tag);
      continue;
    }
    outside.push(content.slice(from, opening.index));
    blocks.push({ tag, body: unescapeData(content.slice(start, end)).trim() });
    from = end + tag.length + 3;
  }
  outside.push(content.slice(from));
  return { text: outside.join('').trim(), blocks };
}

function splitName(text: string, named: boolean): { speaker: string | undefined; text: string } {
  const name = named ? namePrefix.exec(text) : null;
  return name === null ? { speaker: undefined, text } : { speaker: name[1], text: text.slice(name[0].length) };
}

/** `[time] Ann: …` as transcripts have it, `Ann said: “…”` as the demo model's own folds do. */
const transcriptLine = /^\[[^\]]*\] ([^:“”<>]{1,44}): (.+)$/;
const foldedLine = /^([^:“”<>]{1,44}) (?:said|sagte): “(.*)”$/;

function readSummary(text: string): Statement[] {
  return text.split('\n').flatMap((line): Statement[] => {
    const [, speaker, said] = transcriptLine.exec(line.trim()) ?? foldedLine.exec(line.trim()) ?? [];
    return toSentences(said ?? line).map((sentence) => ({ text: sentence, speaker, source: 'summary' }));
  });
}

const recalledLine = /^(\[m\d+\]) \[[^\]]*\] ([^:“”<>]{1,44}): (.+)$/;

/** Its own answers only repeat what others said. */
function readRecalled(text: string): Statement[] {
  return text.split('\n').flatMap((line): Statement[] => {
    const [, marker, name, said = ''] = recalledLine.exec(line.trim()) ?? [];
    if (name === 'Assistant') return [];
    const speaker = name === 'User' ? undefined : name;
    const sentences = said.split(' ⏎ ').flatMap(toSentences);
    return sentences.map((sentence) => ({ text: sentence, speaker, source: 'recall', marker }));
  });
}

function unescapeData(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>');
}
