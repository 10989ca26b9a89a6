import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { failure } from '../sim/model-answer.ts';
import { crashOnce } from './slack-crash.ts';
import { setStage, shownText } from './slack-setup.ts';

const stage = await setStage({ after }, { env: { MAX_REPLY_TOKENS: '16000', MEMORY_TOKENS: '60000' } });
const { slack, model } = stage;

test('killed before its stream began, it answers once after a restart', async () => {
  assert.ok(await crashOnce(stage, { when: 'before', n: 1, pieces: 1 }));
});

test('killed when its stream had begun, it completes that one, though a stream bears no name', async () => {
  assert.ok(await crashOnce(stage, { when: 'after', n: 1, pieces: 1 }));
});

test('killed while it adds to its stream, it completes that one', async () => {
  assert.ok(await crashOnce(stage, { when: 'after', n: 2, pieces: 1 }));
});

test('killed when the stream was ended and its last edit was not, it makes that edit', async () => {
  let calls = 0;
  model.answerWith(() => 'short');
  const before = slack.requests.length;
  await stage.answerTo(stage.channel, slack.say(stage.ann, stage.channel, `${slack.mention} count`));
  calls = slack.requests.slice(before).filter((one) => one.method.startsWith('chat.')).length;
  assert.ok(calls >= 3);
  assert.ok(await crashOnce(stage, { when: 'before', n: calls, pieces: 1 }));
});

test('killed between two messages of a long answer, it completes them, and repeats none', async () => {
  assert.ok(await crashOnce(stage, { when: 'after', n: 4, pieces: 2 }));
});

test('a command that was accepted before a crash is answered after it, privately', async () => {
  model.answerWith(() => ({ pieces: ['Begun'], hang: 'after-pieces' }));
  const busy = slack.say(stage.ann, stage.channel, `${slack.mention} long`);
  await slack.until(() => slack.posts(stage.channel, busy.ts).length === 1, 'it is busy');
  const asked = slack.command(stage.ann, stage.channel, 'role show');
  await slack.until(() => asked.ack, 'it is acknowledged');
  await stage.program().signal('SIGKILL');
  model.answerWith(() => 'short');
  await stage.start();
  await slack.until(() => slack.toldPrivately(stage.ann).some((one) => /role here/i.test(one)), 'it is answered');
});

test('of two questions that fail alike each is told so, though the program was killed in between', async () => {
  const channel = slack.world.addChannel('alike');
  const both = Promise.withResolvers<void>();
  model.answerWith(async () => {
    await both.promise;
    return failure(400, { message: 'no' });
  });
  const first = slack.say(stage.ann, channel, `${slack.mention} one`);
  const second = slack.say(stage.ben, channel, `${slack.mention} two`);
  const told = (about: { ts: string }): string[] => slack.posts(channel, about.ts).map((post) => shownText([post]));
  let killed: Promise<unknown> | undefined;
  slack.gateWith(async ({ method, body }, when) => {
    if (when !== 'before' || method !== 'chat.postMessage' || body.thread_ts !== second.ts) return 'pass';
    killed ??= stage.program().signal('SIGKILL');
    await killed;
    return 'drop';
  });
  await slack.until(() => slack.delivery.deliveries.every(({ ack }) => ack !== undefined), 'both are kept');
  both.resolve();
  await slack.until(() => killed, 'it is killed', 30_000);
  await killed;
  slack.gateWith(undefined);
  assert.deepEqual([told(first).length, told(second)], [1, []]);
  await stage.start();
  await slack.until(() => told(second).length > 0, 'the second is told, too', 30_000);
  assert.match(told(first)[0] ?? '', /^⚠️/);
  assert.deepEqual(told(second), told(first));
  model.answerWith(() => 'And on.');
  await stage.answerTo(channel, slack.say(stage.ann, channel, `${slack.mention} three`), 30_000);
  assert.deepEqual([told(first).length, told(second).length], [1, 1]);
});

test('what ends the program six times is given up, its half answer says so, and what waited behind it is answered', async () => {
  const channel = slack.world.addChannel('deadly');
  model.answerWith(({ last }) => (/deadly/.test(last) ? { pieces: ['Begun'], hang: 'after-pieces' } : 'Fine.'));
  const deadly = slack.say(stage.ann, channel, `${slack.mention} deadly`);
  await slack.until(() => slack.posts(channel).length === 1, 'it begins', 30_000);
  const behind = slack.say(stage.ben, channel, `${slack.mention} and me?`);
  await slack.until(() => slack.delivery.deliveries.every(({ ack }) => ack !== undefined), 'both are kept');
  for (let life = 1; life <= 6; life++) {
    await stage.program().signal('SIGKILL');
    const updates = slack.requests.length;
    await stage.start();
    if (life === 6) break;
    await slack.until(
      () => slack.requests.slice(updates).some(({ method }) => method === 'chat.update'),
      'its half answer is written again',
      30_000,
    );
  }
  assert.equal(shownText(await stage.answerTo(channel, behind, 30_000)), 'Fine.');
  const [half, told] = slack.posts(channel, deadly.ts);
  assert.ok(half && told);
  assert.equal(shownText([half]), 'Begun\n\n⚠️ This answer broke off here.');
  assert.deepEqual([slack.buttonsOf(half), slack.isStreaming(half)], [[], false]);
  assert.match(shownText([told]), /^⚠️/);
});

test('told to end, it ends at once and in good order', async () => {
  const begun = Date.now();
  assert.equal(await stage.program().signal('SIGTERM'), 0);
  assert.ok(Date.now() - begun < 5000);
});
