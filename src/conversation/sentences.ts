import { type TokenCounter, upperBound } from './tokens.ts';

const stops = new Set('.!?…。！？');
/** These end a sentence without a blank after them. */
const wideStops = new Set('。！？');
const closers = new Set('"\'”’»)]}）］】」』〉》*_');
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Where sentences and lines end, as far as `until`, in order: what stands in front of each is whole. Our own rule, because
 * `Intl.Segmenter` sees no end before a small letter and differs between versions.
 */
export function* sentenceEnds(text: string, until = text.length): Generator<number> {
  let shown = 0;
  let last = 0;
  for (let at = 0; at < until; at++) {
    const char = text.charAt(at);
    if (stops.has(char)) {
      let end = at;
      let wide = false;
      for (; end <= until && stops.has(text.charAt(end)); end++) wide ||= wideStops.has(text.charAt(end));
      while (end <= until && closers.has(text.charAt(end))) end++;
      if (end > until) return;
      if (wide || isBlank(text.charAt(end))) {
        yield end;
        last = end;
      }
      shown = end;
      at = end - 1;
    } else if (!isBlank(char)) {
      shown = at + 1;
    } else if (char === '\n' && shown > last) {
      yield shown;
      last = shown;
    }
  }
}

/**
 * The longest beginning that fits and ends with a sentence or a line; with a word where no sentence fits, and within one
 * where no word does, but never within a character as people see it unless that one alone is too much.
 */
export async function cutAtSentence(text: string, maxTokens: number, counter: TokenCounter): Promise<string> {
  if (upperBound(text) <= maxTokens) return text;
  const covered = await counter.fit(text, maxTokens);
  if (covered === text.length) return text;
  for (const cuts of [sentenceCuts, wordCuts, graphemeCuts, characterCuts]) {
    for (const end of cuts(text, covered)) {
      const beginning = text.slice(0, end);
      // A beginning's last token need not be the whole text's: the count decides.
      if ((await counter.count(beginning)) <= maxTokens) return beginning;
    }
  }
  return '';
}

/** A few characters more can make fewer tokens, so a sentence that ends just after what the tokens cover may yet fit. */
const nearChars = 128;

function sentenceCuts(text: string, covered: number): number[] {
  const ends: number[] = [];
  for (const end of sentenceEnds(text, Math.min(text.length, covered + nearChars))) {
    ends.push(end);
    if (end > covered) break;
  }
  return ends.reverse();
}

function* wordCuts(text: string, covered: number): Generator<number> {
  for (let end = covered; end > 0; end--) {
    if (isBlank(text.charAt(end)) && !isBlank(text.charAt(end - 1))) yield end;
  }
}

function* graphemeCuts(text: string, covered: number): Generator<number> {
  const graphemes = segmenter.segment(text.slice(0, covered + nearChars));
  for (let at = graphemes.containing(covered)?.index ?? 0; at > 0; at = graphemes.containing(at - 1)?.index ?? 0)
    yield at;
}

function* characterCuts(text: string, covered: number): Generator<number> {
  for (let end = covered; end > 0; end--) if ((text.codePointAt(end - 1) ?? 0) <= 0xffff) yield end;
}

function isBlank(char: string): boolean {
  return char.trim() === '';
}
