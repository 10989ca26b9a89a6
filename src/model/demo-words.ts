/** The little that the demo model knows of languages: English and German, some French and Spanish, passably the rest. */

const stopWords = new Set(
  (
    'a an the and or but if of in on at to for from with by as is are am was were be been being do does did have has had ' +
    'i me my mine you your yours he him his she her hers it its we us our they them their this that these those there ' +
    'what which who whom whose when where why how can could will would shall should may might must not no yes so too ' +
    'please about some any all just also than then ' +
    'der die das den dem des ein eine einen einem einer eines und oder aber wenn von im in an auf zu für aus mit bei als ist ' +
    'sind bin bist war waren sein wird werden hat habe haben ich mich mir mein meine meinen meiner meinem du dich dir dein ' +
    'deine deinen er ihn ihm sie ihr es wir uns unser ihre was welche welcher wer wen wem wann wo warum wie kann nicht kein ' +
    'keine ja nein so auch nur dann bitte mal ' +
    'le la les un une des du de et ou je tu il elle nous vous mon ma mes ton ta tes est sont quel quelle qui que quoi où ' +
    'el los las una y o yo mi mis tu tus es son qué quién cuál cómo dónde'
  ).split(' '),
);

/** What a text is about: stems, and pairs of characters where words are not set apart. */
export function toTerms(text: string): Set<string> {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.flatMap((word) => (unspaced.test(word) ? toPairs(word) : toStem(word))));
}

const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

function toPairs(word: string): string[] {
  const characters = Array.from(word);
  return characters.slice(1).map((character, at) => `${characters[at]}${character}`);
}

function toStem(word: string): string[] {
  if (stopWords.has(word)) return [];
  const plain = word.normalize('NFD').replace(/\p{M}/gu, '');
  if (plain.length < 4) return [plain];
  return [plain.replace(/(ings?|ies|ed|es|en|er|em|s|e|n|y)$/, '')];
}

/** Words that most questions have in common: they count, but little. */
const weakTerms = toWeak(
  'call called name named tell told say said know remember live heisst heißt heißen nennt weißt',
);

function toWeak(words: string): Set<string> {
  return new Set(words.split(' ').flatMap(toStem));
}

export function termWeight(term: string, texts: number, textsWithIt: number): number {
  return (weakTerms.has(term) ? 0.2 : 1) * Math.log(1 + texts / Math.max(1, textsWithIt));
}

/** Sentences, however they end. */
export function toSentences(text: string): string[] {
  return text
    .split(/(?<=[.!?…]["”“’')\]]?)\s+|(?<=[。！？])|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

const questionStart =
  /^(what|which|who|whose|when|where|why|how|is|are|do|does|did|can|could|was|were|wer|wie|was|wann|wo|warum|welche[rs]?|qui|quel|où|quién|cuál|cómo|dónde)\b/iu;

export function isQuestion(sentence: string): boolean {
  return /[?？]["”’)]*$/.test(sentence) || (questionStart.test(sentence) && !/[.!。！]$/.test(sentence));
}

const requestStart =
  /^(please|bitte|tell|write|explain|show|list|give|translate|say|describe|make|sag|schreib|erklär|zeig|nenn|erzähl|übersetz)\w*\b/iu;

export function isRequest(sentence: string): boolean {
  return requestStart.test(sentence);
}

const greeting =
  /^(hi|hiya|hello|hey|good (morning|day|evening)|hallo|moin|servus|guten (morgen|tag|abend)|grüezi|bonjour|salut|hola|ciao|olá)\b/iu;

export function isGreeting(text: string): boolean {
  return greeting.test(text) && (text.match(/[\p{L}\p{N}]+/gu) ?? []).length <= 4;
}

/** German or not: the demo model answers in no third language. */
export function isGerman(text: string): boolean {
  const german = text.match(
    /\b(ich|du|der|die|das|ist|und|nicht|ein|eine|mein|meine|dein|wie|wer|wann|hallo|heißt|bitte|wir)\b/giu,
  );
  const english = text.match(/\b(i|you|the|is|are|and|not|a|my|your|what|who|when|hello|called|please|we)\b/giu);
  return (german?.length ?? 0) > (english?.length ?? 0);
}

/** Shortened at a word, with a mark. */
export function clip(text: string, maxChars: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= maxChars) return flat;
  const cut = flat.slice(0, maxChars);
  return `${cut.slice(0, Math.max(0, cut.lastIndexOf(' '))) || cut.toWellFormed()}…`;
}
