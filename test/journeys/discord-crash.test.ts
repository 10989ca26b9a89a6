import assert from 'node:assert/strict';
import { after, test } from 'node:test';
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

test('told to end, it ends at once and in good order', async () => {
  const begun = Date.now();
  assert.equal(await stage.program().signal('SIGTERM'), 0);
  assert.ok(Date.now() - begun < 5000);
});
