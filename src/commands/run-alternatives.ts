import type { Turn } from '../conversation/turn.ts';
import { type Version, versionsOf, withVersion } from '../conversation/versions.ts';
import { BotError, toBotError, userText } from '../errors.ts';
import { answerActions } from '../turn/answer-actions.ts';
import { splitAnswer } from '../turn/split.ts';
import { type Context, privately, publicly, type Result } from './context.ts';
import { answerTo, lastQuestion, questionNumbered, questionOf } from './meant.ts';

/** The answers that one question was given: seen side by side, and another one made to count. */

interface Answered {
  question: Turn;
  answer: Turn;
  versions: Version[];
}

const shownChars = 280;

export async function showAlternatives(context: Context): Promise<Result> {
  const { question, versions } = await find(context);
  const number = question.seq + 1;
  const lines = versions.map((version, n) => {
    const mark = version.chosen ? ' ← counts' : '';
    return `**${n + 1}** (${minute(version.at)} UTC, ${version.model}${mark}): ${clip(version.text, shownChars)}`;
  });
  const actions = versions.flatMap(({ chosen }, n) =>
    chosen ? [] : [{ label: `Use ${n + 1}`, command: `alternatives choose ${n + 1} ${number}` }],
  );
  const title = `**${versions.length} answers** to “${clip(question.text, 80)}”. \`alternatives choose\` and a number lets another one count.`;
  return privately([title, ...lines].join('\n'), { actions });
}

export async function chooseAlternative(context: Context): Promise<Result> {
  const { deps, channel, values, who, settle, mustHaveAsked } = context;
  const { question, answer, versions } = await find(context);
  mustHaveAsked(question.author);
  const n = Number(values.n);
  const version = versions[n - 1];
  if (version === undefined) throw new BotError('input', `there are ${versions.length} answers, and no number ${n}`);
  if (version.chosen) return privately(`Answer ${n} counts already.`);
  // Before it counts: after a crash in between, the command is given again.
  const posts = await rewritten(context, answer, version);
  const shown = `✅ Answer ${n} of ${versions.length} counts now.`;
  const result =
    posts === undefined ? publicly(`✅ ${who} chose another answer:\n\n${textOf(version)}`) : privately(shown);
  const amended = await deps.memory.amending.revise(
    channel,
    answer.id,
    (turn) => {
      const still = versionsOf(turn).find((one) => one.at === version.at && one.text === version.text);
      if (turn.erased !== undefined || still === undefined) throw gone();
      return { ...withVersion(turn, still), ...(posts && { posts }) };
    },
    [settle(result.notice)],
  );
  if (amended.messageIds.length === 0) throw gone();
  return result;
}

async function find(context: Context): Promise<Answered> {
  const { target, values } = context;
  const question =
    typeof values.message === 'number'
      ? await questionNumbered(context, values.message)
      : ((target === undefined ? undefined : await questionOf(context, target)) ?? (await lastQuestion(context)));
  const answer = question && (await answerTo(context, question));
  if (question === undefined || answer === undefined) throw new BotError('input', 'there is no answer here to look at');
  const versions = versionsOf(answer);
  if (versions.length > 1) return { question, answer, versions };
  throw new BotError('input', 'there is only one answer to that question; `retry` gives another one');
}

/** Makes the posted answer read so, where the platform can; where there is nothing to edit it is posted anew. */
async function rewritten({ job }: Context, answer: Turn, version: Version): Promise<string[] | undefined> {
  try {
    const reply = job.replyOn(answer.posts ?? []);
    const pieces = splitAnswer(textOf(version), reply.limits.pieceChars);
    const posts: string[] = [];
    for (const [index, text] of pieces.entries()) {
      const last = index === pieces.length - 1;
      posts.push(await reply.write({ index, text, done: true, last, actions: last ? answerActions(true) : [] }));
    }
    // Ordered from elsewhere: nothing is shown in the channel.
    return posts.includes('') ? undefined : posts;
  } catch (error) {
    if (toBotError(error).kind !== 'platform') throw error;
    return undefined; // Said as a new message instead.
  }
}

function textOf({ text, partial }: Version): string {
  return partial === undefined ? text : `${text}\n\n${userText(new BotError('stopped', partial), 0)}`;
}

function gone(): BotError {
  return new BotError('input', 'that answer is no longer there');
}

function minute(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}

function clip(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length).toWellFormed()}…` : line;
}
