import { linkOf, speakerOf } from '../turn/recalling.ts';
import { type Context, counted, privately, type Result } from './context.ts';

/** Finds what was said here, however long ago. */

const perPage = 6;
const mostChars = 240;
const pageAtEnd = /\spage\s+(\d{1,4})$/i;
/** What names a page is not longer than this. */
const mostPageChars = 20;

export async function searchMemory({ deps, channel, values, here }: Context): Promise<Result> {
  const { words, page } = withPage(String(values.words));
  const offset = (page - 1) * perPage;
  const { total, found } = await deps.memory.recall.find(channel, words, { offset, limit: perPage });
  if (found.length === 0) {
    const none = total === 0 ? 'Nothing that was said' : 'No more of what was said';
    return privately(`${none} in ${here} has to do with that.`);
  }
  const lines = found.map((one) => {
    const link = linkOf(one, one.channel, deps.link);
    const when = new Date(one.at).toISOString().slice(0, 16).replace('T', ' ');
    return `**${speakerOf(one)}**, ${link === undefined ? when : `[${when}](${link})`}: ${clip(one.text)}`;
  });
  const rest = total - offset - found.length;
  const heading = `${counted(total, 'message')} found in ${here}${offset > 0 ? `, from number ${offset + 1} on` : ''}:`;
  const more = { label: `${Math.min(rest, perPage)} more`, command: `memory search ${words} page ${page + 1}` };
  return privately([heading, ...lines].join('\n'), { actions: rest > 0 ? [more] : [] });
}

/** `roses page 2`: the words take the whole rest of a line. */
function withPage(line: string): { words: string; page: number } {
  const trimmed = line.trim();
  const [named = '', page = '1'] = pageAtEnd.exec(trimmed.slice(-mostPageChars)) ?? [];
  const words = trimmed.slice(0, trimmed.length - named.length).trimEnd();
  return { words, page: Math.max(1, Number(page)) };
}

/** On one line, so that a list stays one; code that is opened in it would swallow the lines after it. */
function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('`', "'").trim();
  return line.length > mostChars ? `${line.slice(0, mostChars).toWellFormed()}…` : line;
}
