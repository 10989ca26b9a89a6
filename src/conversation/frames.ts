/**
 * The frames that the program puts around data in a prompt, and what keeps people from forging them. Pure.
 *
 * A frame's tag may stand in a prompt only where the program wrote it: in what people, files and the model say, the `<` of
 * such a tag is escaped. Where several people speak, every further line of a message begins with `lineMark`, so that the
 * beginning of a line is the program's, too.
 */

/** Every frame there is. */
export const frames = {
  summary: 'channel_summary',
  recall: 'channel_recall',
  note: 'channel_note',
  now: 'now',
  result: 'tool_result',
  file: 'attached_file',
  transcript: 'transcript',
} as const;

/** Wraps data that cannot close its frame any more; see `sanitizedData` and `withoutFrames`. */
export function inFrame(tag: string, data: string, attributes = ''): string {
  return `<${tag}${attributes}>\n${data}\n</${tag}>`;
}

/** An attribute, with nothing in it that could end it. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${withoutFrames(value).replace(/["<>&\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')}"`;
}

/** Text that can neither open nor close any tag. */
export function sanitizedData(text: string): string {
  return withoutFrames(text.replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
}

/** What reads like `<` to a model, where a name may follow: the frames' own begin with one of these letters. */
const angles = /[<＜﹤‹〈⟨](?=[\s/acnt\u0080-\u{10ffff}])/giu;
/** Of what follows an angle, so much is looked at: a tag's name with blanks, a slash and invisible characters; its rest. */
const longestName = 48;
const longestTag = 128;
const { now, ...distinct } = frames;
const ownName = new RegExp(`^[\\s/]*(?:(${now})|(?:${Object.values(distinct).join('|')})(?![\\p{L}\\p{N}_-]))`, 'iu');
/** Before `now`, a `<` is usually a comparison: it is a tag where a `>` follows. */
const nowTag = new RegExp(`^[\\s/]*${now}(?:\\s[^<>]*|/)?>`, 'iu');

/** Text with the `<` of the program's own tags escaped; every other tag stays as it was typed. */
export function withoutFrames(text: string): string {
  const after = (at: number, chars: number): string => readable(text.slice(at + 1, at + 1 + chars));
  return text.replace(angles, (angle: string, at: number) => {
    const named = ownName.exec(after(at, longestName));
    if (named === null || (named[1] !== undefined && !nowTag.test(after(at, longestTag)))) return angle;
    return '&lt;';
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
const ascii = /^[\x00-\x7f]*$/;

/** One spelling of what looks alike, without what is not seen. Most texts have no other, and most messages many tags. */
function readable(text: string): string {
  return ascii.test(text) ? text : text.normalize('NFKC').replace(/\p{Cf}/gu, '');
}

/** Begins every line but the first of what somebody says where several people speak, and in transcripts. */
export const lineMark = '| ';

const lineBreaks = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;

/** Replaces each line break, of whatever kind. */
export function withLines(text: string, lineBreak: string): string {
  return text.replace(lineBreaks, lineBreak);
}
