import type { Reading, Statement } from './demo-prompt.ts';
import { clip, isGerman, isGreeting, isQuestion, isRequest, termWeight, toSentences, toTerms } from './demo-words.ts';

/** The demo model's answers: what was said, found by its words and quoted. The same prompt gets the same answer. */

interface Phrases {
  notice: string;
  greeting: string;
  role: (role: string) => string;
  noted: (what: string) => string;
  yours: (what: string) => string;
  others: (who: string, what: string) => string;
  earlier: (what: string) => string;
  nothing: string;
  empty: string;
}

const english: Phrases = {
  notice:
    'I am the demo model: no language model, I only find and quote what was said here. With OPENAI_API_KEY set, a real model answers.',
  greeting: 'Hello! Tell me something, and ask me about it later.',
  role: (role) => `My role is: “${role}”`,
  noted: (what) => `Noted: “${what}”`,
  yours: (what) => `You told me: “${what}”`,
  others: (who, what) => `${who} said: “${what}”`,
  earlier: (what) => `I remember from earlier: “${what}”`,
  nothing: 'I find nothing about that in what I remember of this conversation.',
  empty: 'There is nothing to answer in that.',
};

const german: Phrases = {
  notice:
    'Ich bin das Demo-Modell: kein Sprachmodell, ich finde und zitiere nur, was hier gesagt wurde. Ist OPENAI_API_KEY gesetzt, antwortet ein richtiges.',
  greeting: 'Hallo! Erzähl mir etwas, und frag mich später danach.',
  role: (role) => `Meine Rolle ist: „${role}“`,
  noted: (what) => `Gemerkt: „${what}“`,
  yours: (what) => `Du hast mir gesagt: „${what}“`,
  others: (who, what) => `${who} sagte: „${what}“`,
  earlier: (what) => `Ich erinnere mich von früher: „${what}“`,
  nothing: 'Dazu finde ich nichts in dem, was ich von diesem Gespräch weiß.',
  empty: 'Darauf gibt es nichts zu antworten.',
};

const maxQuoteChars = 300;
const maxListed = 6;

/** Beyond this nobody asks a question any more. */
const maxQuestionChars = 2000;

export function answerFrom(reading: Reading): string {
  const newest = reading.newest.slice(-maxQuestionChars);
  const phrases = isGerman(newest) ? german : english;
  const about = isAboutItself(newest);
  const answer = about ? phrases.notice : answerWith(phrases, { ...reading, newest });
  const heeded = /\bpirat(e|in)?s?\b/i.test(reading.role) ? `Arr! ${answer}` : answer;
  return reading.first && !about ? `${heeded}\n\n${phrases.notice}` : heeded;
}

function isAboutItself(text: string): boolean {
  return /\b(who|what) are you\b|\bare you (an? )?(ai|bot|demo|human|real|language model|llm)\b|\bw(er|as) bist du\b/i.test(
    text,
  );
}

function answerWith(phrases: Phrases, reading: Reading): string {
  const { newest } = reading;
  if (newest === '') return phrases.empty;
  if (isGreeting(newest)) return phrases.greeting;
  if (/\b(your|deine?) (system )?(role|rolle|instructions?|anweisung(en)?|aufgabe)\b/i.test(newest)) {
    return phrases.role(clip(reading.role, maxQuoteChars));
  }
  const sentences = toSentences(newest);
  const asks = sentences.some((sentence) => isQuestion(sentence) || isRequest(sentence));
  if (!asks) return phrases.noted(clip(newest, maxQuoteChars));
  const found = asksForAll(newest) ? latest(reading) : bestMatches(reading);
  return found.length === 0 ? phrases.nothing : found.map((each) => quote(phrases, reading, each)).join('\n');
}

function asksForAll(text: string): boolean {
  return /\b(what|all) (do )?you (remember|know)\b(?! about)|\bsummari[sz]e\b|\bwhat did (i|we) (say|talk)\b|\bwas wei(ß|ss)t du\b(?! über)|\bfasse?\b.*\bzusammen\b/i.test(
    text,
  );
}

function quote(phrases: Phrases, reading: Reading, statement: Statement): string {
  const { marker } = statement;
  const quoted = quoteOf(phrases, reading, statement);
  return marker === undefined ? quoted : `${quoted} ${marker}`;
}

function quoteOf(phrases: Phrases, reading: Reading, statement: Statement): string {
  const what = clip(statement.text, maxQuoteChars);
  const { speaker, source } = statement;
  // In a conversation of two, whoever is quoted from a summary is the one who asks.
  if (speaker === reading.asker || reading.asker === undefined) {
    return speaker === undefined && source === 'summary' ? phrases.earlier(what) : phrases.yours(what);
  }
  return speaker === undefined ? phrases.earlier(what) : phrases.others(speaker, what);
}

function latest(reading: Reading): Statement[] {
  return withoutRepeats(reading.statements).slice(-maxListed);
}

function bestMatches(reading: Reading): Statement[] {
  const candidates = withoutRepeats(reading.statements);
  const terms = candidates.map((each) => toTerms(`${each.speaker ?? ''} ${each.text}`));
  const asked = toTerms(
    toSentences(reading.newest)
      .filter((each) => isQuestion(each) || isRequest(each))
      .join(' '),
  );
  const weights = new Map([...asked].map((term) => [term, weigh(term, terms)]));
  const scored = candidates.map((each, at) => ({ each, score: score(reading, each, terms[at] ?? new Set(), weights) }));
  const found = scored.filter(({ score }) => score > 0);
  const best = Math.max(0, ...found.map(({ score }) => score));
  // Of two that fit as well the later one counts: people correct themselves.
  return found
    .filter(({ score }) => score >= best * 0.9)
    .slice(-2)
    .reverse()
    .map(({ each }) => each);
}

function weigh(term: string, texts: Set<string>[]): number {
  return termWeight(term, texts.length, texts.filter((terms) => terms.has(term)).length);
}

function score(reading: Reading, statement: Statement, terms: Set<string>, weights: Map<string, number>): number {
  const matched = [...weights].filter(([term]) => terms.has(term)).reduce((sum, [, weight]) => sum + weight, 0);
  const own = /\b(my|mine|i|mein\w*|ich)\b/i.test(reading.newest) && statement.speaker === reading.asker ? 1.3 : 1;
  const number =
    /\b(when|how (many|much|old|long)|wann|wie ?viele?)\b/i.test(reading.newest) && /\d/.test(statement.text) ? 1.2 : 1;
  return matched * own * number;
}

/** Said twice, or also in a summary: the last time counts. */
function withoutRepeats(statements: Statement[]): Statement[] {
  const byText = new Map<string, Statement>();
  for (const statement of statements) {
    const key = statement.text.toLowerCase();
    byText.delete(key);
    byText.set(key, statement);
  }
  return [...byText.values()];
}
