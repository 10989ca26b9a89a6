import assert from 'node:assert/strict';
import type { RestRequest } from '../sim/discord-limits.ts';
import { piecesOf, type Stage, textOf } from './discord-setup.ts';

/** Kills the program between two of its requests, starts it again, and looks at what people see. */

export interface Crash {
  /** Before the request is done, or when it is done and the program does not know yet. */
  when: 'before' | 'after';
  /** The how-manieth request about the channel. */
  n: number;
  /** Discord has forgotten which messages were just sent: the program was away for long. */
  long: boolean;
  /** The answer goes over so many messages, about. */
  pieces: number;
}

/** False where the answer was done before it came to that. */
export async function crashOnce(stage: Stage, crash: Crash): Promise<boolean> {
  const { discord, model } = stage;
  const channel = discord.world.addChannel(stage.guild, 'crash');
  discord.join(stage.guild);
  const text = `${'Sentence after sentence. '.repeat(75 * crash.pieces - 20)}The end.`;
  model.answerWith(() => ({ text, delayMs: crash.pieces > 1 ? 0 : 1 }));
  let seen = 0;
  let killed: Promise<unknown> | undefined;
  discord.gateWith(async (request: RestRequest, when) => {
    const isMeant = request.path.includes(channel.id) && request.method !== 'GET' && !request.path.endsWith('/typing');
    if (!isMeant || when !== crash.when || killed !== undefined) return;
    seen++;
    if (seen !== crash.n) return;
    killed = stage.program().signal('SIGKILL');
    await killed;
    if (when === 'before') throw new Error('nobody waits for this any more');
  });
  const question = discord.say(stage.ann, channel, `${discord.mention} tell me`);
  const isDone = (): boolean => JSON.stringify(piecesOf(discord.posts(channel), question.id)).includes('do:retry');
  await discord.until(() => killed !== undefined || isDone(), 'it is killed or done', 30_000);
  discord.gateWith(() => {});
  if (killed === undefined) return false;
  await killed;
  if (crash.long) discord.state.nonces.clear();
  const before = discord.requests.length;
  await stage.start();
  // What an earlier life left may look finished; it is when this one has written the end.
  const isEnd = ({ path, body, status }: RestRequest): boolean =>
    status === 200 && path.includes(channel.id) && JSON.stringify(body.components ?? []).includes('do:retry');
  await discord.until(() => discord.requests.slice(before).some(isEnd), 'the new life writes the end', 30_000);
  const answer = await stage.answerTo(channel, question, 30_000);
  assert.equal(normal(textOf(answer)), normal(text), 'the text is whole');
  assert.equal(discord.posts(channel).length, answer.length, 'and nothing else stands there');
  model.answerWith(() => 'And on.');
  const next = await stage.answerTo(channel, discord.say(stage.ben, channel, `${discord.mention} and then?`));
  assert.equal(textOf(next), 'And on.');
  assert.equal(piecesOf(discord.posts(channel), question.id).length, answer.length);
  return true;
}

function normal(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
