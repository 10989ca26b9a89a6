import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RestRequest } from '../sim/discord-limits.ts';
import { failure } from '../sim/model-answer.ts';
import { crashOnce } from './discord-crash.ts';
import { setStage, textOf } from './discord-setup.ts';

const generous = { discord: { limits: { count: 100, windowMs: 1000 } } };
const stage = await setStage({ after }, generous);
const { discord, model } = stage;

test('killed before its first post, it answers once after a restart', async () => {
  assert.ok(await crashOnce(stage, { when: 'before', n: 1, long: false, pieces: 1 }));
});

test('killed when its first post stands, it completes that one, even long afterwards', async () => {
  assert.ok(await crashOnce(stage, { when: 'after', n: 1, long: true, pieces: 1 }));
});

test('killed between two messages of a long answer, it completes them, and repeats none', async () => {
  assert.ok(await crashOnce(stage, { when: 'after', n: 2, long: true, pieces: 3 }));
});

test('what was said while it was down is answered once, in the channel, a thread and directly', async () => {
  const channel = discord.world.addChannel(stage.guild, 'missed');
  discord.join(stage.guild);
  model.answerWith(() => 'known');
  const dm = discord.world.dm(stage.ann);
  await stage.answerTo(dm, discord.say(stage.ann, dm, 'so that you know me'));
  const first = discord.say(stage.ann, channel, `${discord.mention} hello`);
  await stage.answerTo(channel, first);
  const thread = discord.world.addThread(channel, 'aside', first);
  await stage.program().signal('SIGTERM');
  const missed = discord.sayUnheard(stage.ann, channel, `${discord.mention} while you were away`);
  const answered = discord.sayUnheard(stage.ben, channel, `${discord.mention} somebody else answered this`);
  const already = { channel, author: discord.bot, content: 'I did.', reference: answered };
  discord.world.addMessage(already);
  const aside = discord.sayUnheard(stage.ann, thread, 'and here');
  const direct = discord.sayUnheard(stage.ann, dm, 'and here');
  model.answerWith(() => 'caught up');
  await stage.start();
  assert.equal(textOf(await stage.answerTo(channel, missed)), 'caught up');
  assert.equal(textOf(await stage.answerTo(thread, aside)), 'caught up');
  assert.equal(textOf(await stage.answerTo(dm, direct)), 'caught up');
  const before = model.requests.length;
  await stage.program().signal('SIGTERM');
  await stage.start();
  await stage.answerTo(channel, discord.say(stage.ben, channel, `${discord.mention} last one`));
  assert.equal(model.requests.length, before + 1);
  assert.equal(discord.posts(channel).filter((one) => one.message_reference?.message_id === missed.id).length, 1);
});

test('a command that was accepted before a crash is answered after it, privately', async () => {
  let killed: Promise<unknown> | undefined;
  discord.gateWith(async (request, when) => {
    if (killed !== undefined || when !== 'before' || !request.path.startsWith('/webhooks/')) return;
    killed = stage.program().signal('SIGKILL');
    await killed;
  });
  const asked = discord.slash(stage.ann, stage.channel, ['role', 'show']);
  await discord.until(() => killed, 'it is killed');
  await killed;
  discord.gateWith(() => {});
  asked.answers.length = 1;
  await stage.start();
  await discord.until(() => asked.answers.some((one) => /The role here/.test(one.content)), 'it is answered');
});

test('of two questions that fail alike each is told so, though the program was killed in between', async () => {
  const channel = discord.world.addChannel(stage.guild, 'alike');
  discord.join(stage.guild);
  const both = Promise.withResolvers<void>();
  model.answerWith(async () => {
    await both.promise;
    return failure(400, { message: 'no' });
  });
  const first = discord.say(stage.ann, channel, `${discord.mention} one`);
  const second = discord.say(stage.ben, channel, `${discord.mention} two`);
  const told = (about: { id: string }): string[] =>
    discord
      .posts(channel)
      .filter((post) => post.message_reference?.message_id === about.id)
      .map((post) => post.content);
  let killed: Promise<unknown> | undefined;
  discord.gateWith(async ({ method, path, body }, when) => {
    const isSecond = JSON.stringify(body.message_reference ?? '').includes(second.id);
    if (when !== 'before' || method !== 'POST' || !path.includes(channel.id) || !isSecond) return;
    killed ??= stage.program().signal('SIGKILL');
    await killed;
    throw new Error('nobody waits for this any more');
  });
  both.resolve();
  await discord.until(() => killed, 'it is killed', 30_000);
  await killed;
  discord.gateWith(() => {});
  discord.state.nonces.clear();
  assert.deepEqual([told(first).length, told(second)], [1, []]);
  await stage.start();
  await discord.until(() => told(second).length > 0, 'the second is told, too', 30_000);
  assert.match(told(first)[0] ?? '', /^⚠️/);
  assert.deepEqual(told(second), told(first));
  model.answerWith(() => 'And on.');
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} three`), 30_000);
  assert.deepEqual([told(first).length, told(second).length], [1, 1]);
});

test('what ends the program six times is given up, its half answer says so, and what waited behind it is answered', async () => {
  const channel = discord.world.addChannel(stage.guild, 'deadly');
  discord.join(stage.guild);
  model.answerWith(({ last }) => (/deadly/.test(last) ? { pieces: ['Begun'], hang: 'after-pieces' } : 'Fine.'));
  const deadly = discord.say(stage.ann, channel, `${discord.mention} deadly`);
  await discord.until(() => discord.posts(channel).length === 1, 'it begins', 30_000);
  const behind = discord.say(stage.ben, channel, `${discord.mention} and me?`);
  for (let life = 1; life <= 6; life++) {
    await stage.program().signal('SIGKILL');
    const edits = discord.requests.length;
    await stage.start();
    if (life === 6) break;
    const isEdit = ({ method, path }: RestRequest): boolean => method === 'PATCH' && path.includes(channel.id);
    await discord.until(() => discord.requests.slice(edits).some(isEdit), 'its half answer is written again', 30_000);
  }
  assert.equal(textOf(await stage.answerTo(channel, behind, 30_000)), 'Fine.');
  const [half, told] = discord.posts(channel).filter((one) => one.message_reference?.message_id === deadly.id);
  assert.equal(half?.content, 'Begun\n\n⚠️ This answer broke off here.');
  assert.deepEqual(half.components, []);
  assert.match(told?.content ?? '', /^⚠️/);
});

test('told to end, it ends at once and in good order', async () => {
  const begun = Date.now();
  assert.equal(await stage.program().signal('SIGTERM'), 0);
  assert.ok(Date.now() - begun < 5000);
});
