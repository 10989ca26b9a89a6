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
  let seen = 0;
  let killed: Promise<unknown> | undefined;
  slack.gateWith(async (request: ApiRequest, when) => {
    if (when !== crash.when || killed !== undefined || isBeside(request)) return 'pass';
    seen++;
    if (seen !== crash.n) return 'pass';
    killed = stage.program().signal('SIGKILL');
    await killed;
    return 'drop';
  });
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
  await slack.until(() => killed !== undefined || isDone(), 'it is killed or done', 30_000);
  slack.gateWith(undefined);
  slack.faults.length = 0;
  if (killed === undefined) return false;
  await killed;
  await stage.start();
  // In its channel's order: when this is answered, all is done that the crash left.
  const next = await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and then?`), 30_000);
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

/** What is not about the answer. */
function isBeside({ method }: ApiRequest): boolean {
  return !method.startsWith('chat.') && method !== 'conversations.replies';
}

function normal(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
