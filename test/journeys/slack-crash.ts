import assert from 'node:assert/strict';
import type { ApiRequest } from '../sim/slack-server.ts';
import { piecesOf, type Stage, shownText } from './slack-setup.ts';

/** Kills the program between two of its calls, starts it again, and looks at what people see. */

export interface Crash {
  /** Before the call is done, or when it is done and the program does not know yet. */
  when: 'before' | 'after';
  /** The how-manieth call. */
  n: number;
  /** The answer goes over so many messages, about. */
  pieces: number;
  /** Slack will not stream: it is posted and edited. */
  edited?: boolean;
}

/** False where the answer was done before it came to that. */
export async function crashOnce(stage: Stage, crash: Crash): Promise<boolean> {
  const { slack, model } = stage;
  const channel = slack.world.addChannel('crash');
  const words = crash.pieces > 1 ? 400 * crash.pieces - 100 : 20;
  const text = `${'Sentence after sentence. '.repeat(words)}The end.`;
  // Whoever dies before it has noted that it has answered answers again.
  model.answerWith(({ last }) => (/and then\?/.test(last) ? 'And on.' : { text, delayMs: crash.pieces > 1 ? 0 : 20 }));
  const dying = killAt(stage, crash);
  if (crash.edited) {
    slack.faults.length = 0;
    slack.faults.push({
      match: ({ method }) => method === 'chat.startStream',
      kind: 'refused',
      error: 'invalid_chunks',
      times: 2,
    });
  }
  const question = slack.say(stage.ann, channel, `${slack.mention} tell me`);
  const isDone = (): boolean =>
    piecesOf(slack.posts(channel), question).some((one) => slack.buttonsOf(one).some(({ value }) => value === 'retry'));
  await slack.until(() => dying.killed !== undefined || isDone(), 'it is killed or done', 30_000);
  slack.faults.length = 0;
  if (!(await revived(stage, dying))) return false;
  // In its channel's order: when this is answered, all is done that the crash left.
  const next = await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and then?`), 60_000);
  assert.equal(shownText(next), 'And on.');
  const answer = piecesOf(slack.posts(channel), question);
  assert.equal(normal(shownText(answer)), normal(text), 'the text is whole');
  assert.ok(
    answer.at(-1)?.blocks?.some(({ type }) => type === 'actions'),
    'Retry is offered',
  );
  assert.equal(slack.posts(channel).length, answer.length + next.length, 'and nothing else stands there');
  assert.deepEqual(slack.posts(channel).filter(slack.isStreaming), [], 'no stream is left open');
  return true;
}

/** The same for an answer that is asked for again with a button. */
export async function crashAgain(stage: Stage, crash: Pick<Crash, 'when' | 'n'>): Promise<boolean> {
  const { slack, model } = stage;
  const channel = slack.world.addChannel('crash');
  const second = `${'Sentence after sentence. '.repeat(20)}The end.`;
  model.answerWith(() => 'first');
  const question = slack.say(stage.ann, channel, `${slack.mention} tell me`);
  const [first] = await stage.answerTo(channel, question);
  assert.ok(first);
  model.answerWith(({ last }) => (/and then\?/.test(last) ? 'And on.' : { text: second, delayMs: 20 }));
  const dying = killAt(stage, crash);
  slack.press(stage.ann, channel, first, 'Retry');
  const shown = (): string[] => piecesOf(slack.posts(channel), question).map((one) => normal(shownText([one])));
  const isDone = (): boolean => {
    const last = piecesOf(slack.posts(channel), question).at(-1);
    return last !== first && last !== undefined && slack.buttonsOf(last).some(({ value }) => value === 'retry');
  };
  await slack.until(() => dying.killed !== undefined || isDone(), 'it is killed or done', 30_000);
  if (!(await revived(stage, dying))) return false;
  await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and then?`), 60_000);
  assert.deepEqual(shown(), ['first', second]);
  assert.deepEqual(slack.posts(channel).filter(slack.isStreaming), [], 'no stream is left open');
  return true;
}

interface Dying {
  killed: Promise<unknown> | undefined;
}

function killAt({ slack, program }: Stage, { when, n }: Pick<Crash, 'when' | 'n'>): Dying {
  const dying: Dying = { killed: undefined };
  let seen = 0;
  slack.gateWith(async (request: ApiRequest, now) => {
    if (now !== when || dying.killed !== undefined || isBeside(request)) return 'pass';
    seen++;
    if (seen !== n) return 'pass';
    dying.killed = program().signal('SIGKILL');
    await dying.killed;
    return 'drop';
  });
  return dying;
}

/** False where it did not die. */
async function revived(stage: Stage, { killed }: Dying): Promise<boolean> {
  stage.slack.gateWith(undefined);
  if (killed === undefined) return false;
  await killed;
  await stage.start();
  return true;
}

/** What is not about the answer. */
function isBeside({ method }: ApiRequest): boolean {
  return !method.startsWith('chat.') && method !== 'conversations.replies';
}

function normal(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
