import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MessageFlags, MessageType } from 'discord-api-types/v10';
import { openFence, piecesOf, setStage, textOf } from './discord-setup.ts';

const stage = await setStage({ after }, { discord: { limits: { count: 50, windowMs: 5000 } } });
const { discord, model, guild } = stage;

function newChannel(name = 'talk') {
  const channel = discord.world.addChannel(guild, name);
  discord.join(guild);
  return channel;
}

test('a mention is answered by one reply to it, in place, and nobody is pinged', async () => {
  const channel = newChannel();
  model.answerWith(() => 'Hello @everyone, and @here, and <@&1>!');
  const question = discord.say(stage.ann, channel, `${discord.mention} hello there`);
  const answer = await stage.answerTo(channel, question);
  assert.deepEqual(
    answer.map((one) => one.content),
    ['Hello @everyone, and @here, and <@&1>!'],
  );
  assert.equal(answer[0]?.type, MessageType.Reply);
  assert.match(model.requests.at(-1)?.last ?? '', /hello there/);
  assert.doesNotMatch(JSON.stringify(model.requests.at(-1)?.messages), new RegExp(discord.bot.id));
  const sent = discord.requests.filter((one) => one.path.startsWith(`/channels/${channel.id}/messages`));
  for (const { body } of sent) assert.deepEqual(body.allowed_mentions, { parse: [], replied_user: false });
  assert.ok(discord.state.typing.some((one) => one.channel === channel.id));
});

test('a direct message needs no mention', async () => {
  const place = discord.world.dm(stage.ann);
  model.answerWith(() => 'Between us.');
  const answer = await stage.answerTo(place, discord.say(stage.ann, place, 'a secret'));
  assert.equal(textOf(answer), 'Between us.');
});

test('a reply to what the bot said needs no mention, a reply to somebody else does', async () => {
  const channel = newChannel();
  model.answerWith(({ n }) => `answer ${n}`);
  const [first] = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} one`));
  const other = discord.say(stage.ben, channel, 'just talking');
  const unaddressed = discord.say(stage.ann, channel, 'to Ben', { replyTo: other });
  const followUp = discord.say(stage.ann, channel, 'two', first === undefined ? {} : { replyTo: first });
  await stage.answerTo(channel, followUp);
  assert.deepEqual(piecesOf(discord.posts(channel), unaddressed.id), []);
  assert.doesNotMatch(JSON.stringify(model.requests.at(-1)?.messages), /to Ben|just talking/);
});

test('bots, webhooks, system messages and itself are never answered', async () => {
  const channel = newChannel();
  const before = model.requests.length;
  const robot = discord.world.addPerson('Robot');
  robot.user.bot = true;
  const said = `${discord.mention} hello`;
  discord.say(robot, channel, said);
  discord.say(stage.ann, channel, said, { changes: { webhook_id: '1' } });
  discord.say(stage.ann, channel, said, { changes: { type: MessageType.ChannelPinnedMessage } });
  discord.say({ user: discord.bot }, channel, said);
  model.answerWith(() => 'only you');
  await stage.answerTo(channel, discord.say(stage.ann, channel, said));
  assert.equal(model.requests.length, before + 1);
});

test('people, roles, channels, emoji and times are read by their names', async () => {
  const channel = newChannel('plans');
  const role = discord.world.addRole(guild, 'Crew');
  discord.join(guild);
  model.answerWith(() => 'noted');
  const text = `${discord.mention} ask <@${stage.ben.user.id}> or <@&${role.id}> in <#${channel.id}> <:wave:123> at <t:1700000000:R>`;
  await stage.answerTo(channel, discord.say(stage.ann, channel, text));
  assert.match(model.requests.at(-1)?.last ?? '', /ask @Ben or @Crew in #plans :wave: at 2023-11-14 22:13 UTC/);
});

test('attached text is read, images are looked at, and nothing is fetched from elsewhere', async () => {
  const channel = newChannel();
  model.answerWith(() => 'seen');
  const png = Buffer.from('iVBORw0KGgo=', 'base64');
  const attachments = [
    discord.attach('notes.txt', 'text/plain; charset=utf-8', Buffer.from('the password is swordfish')),
    discord.attach('cat.png', 'image/png', png),
    discord.attach('evil.txt', 'text/plain', Buffer.from('never read'), { origin: 'http://127.0.0.1:9' }),
    discord.attach('liar.txt', 'text/plain', Buffer.from('much longer than it says'), { size: 4 }),
  ];
  await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} look`, { attachments }));
  const asked = JSON.stringify(model.requests.at(-1)?.messages.map((one) => one.raw));
  assert.match(asked, /the password is swordfish/);
  assert.match(asked, /data:image\/png;base64,iVBORw0KGgo=/);
  assert.doesNotMatch(asked, /never read|much longer/);
  assert.equal(asked.match(/could not be fetched/g)?.length, 2);
});

test('in a thread the bot takes part in no mention is needed, until a second person speaks', async () => {
  const channel = newChannel();
  model.answerWith(({ n }) => `answer ${n}`);
  const question = discord.say(stage.ann, channel, `${discord.mention} the colour is teal`);
  await stage.answerTo(channel, question);
  const thread = discord.world.addThread(channel, 'more', question);
  discord.announceThread(thread);
  await stage.answerTo(thread, discord.say(stage.ann, thread, 'which colour?'));
  assert.match(JSON.stringify(model.requests.at(-1)?.messages), /teal/);
  const asked = model.requests.length;
  discord.say(stage.ben, thread, 'may I join?');
  discord.say(stage.ann, thread, 'please do');
  await stage.answerTo(thread, discord.say(stage.ben, thread, `${discord.mention} and me?`));
  assert.equal(model.requests.length, asked + 1);
  assert.equal(discord.posts(channel).length, 1);
});

test('an answer of 9,000 characters with nested fences arrives whole, in order, in messages Discord takes', async () => {
  const channel = newChannel();
  const code = Array.from({ length: 90 }, (_, n) => `  const value${n} = compute(${n}); // line number ${n} of it`);
  const text = [
    'First, some words.',
    ['````md', '```js', ...code.slice(0, 40), '```', '````'].join('\n'),
    'Then more of it.',
    ['```ts', ...code, '```'].join('\n'),
    'Last words. '.repeat(60).trim(),
  ].join('\n\n');
  assert.ok(text.length > 9000 - 2500);
  const long = `${text}\n\n${'Padding sentence here. '.repeat(Math.ceil((9000 - text.length) / 23))}`.trim();
  model.answerWith(() => ({ text: long }));
  const answer = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} tell me`), 30_000);
  assert.ok(answer.length >= 5);
  for (const one of answer) {
    assert.ok(one.content.length <= 2000);
    assert.equal(openFence(one.content), undefined);
  }
  const words = (value: string) =>
    value
      .replace(/^`{3,}\w*$/gm, '')
      .split(/\s+/)
      .filter((word) => word !== '');
  assert.deepEqual(words(textOf(answer)), words(long));
  assert.deepEqual(discord.refused(), []);
});

test('ten people in one channel are answered one after the other, each once', async () => {
  const channel = newChannel();
  model.answerWith(({ last }) => `to: ${last.replace(/\s+/g, ' ').slice(-30)}`);
  const people = Array.from({ length: 10 }, (_, n) => discord.world.addPerson(`Person${n}`));
  const questions = people.map((person, n) => discord.say(person, channel, `${discord.mention} question ${n} end`));
  for (const [n, question] of questions.entries()) {
    const answer = await stage.answerTo(channel, question, 40_000);
    assert.equal(answer.length, 1);
    assert.match(textOf(answer), new RegExp(`question ${n} end`));
  }
});

test('one person in ten channels is answered in all of them, side by side', async () => {
  const waiting: (() => void)[] = [];
  model.answerWith(async ({ last }) => {
    // None ends before all have begun.
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 10) for (const go of waiting) go();
    });
    return `echo ${/room \d+/.exec(last)?.[0]}`;
  });
  const channels = Array.from({ length: 10 }, (_, n) => newChannel(`room-${n}`));
  const questions = channels.map((channel, n) => discord.say(stage.ann, channel, `${discord.mention} room ${n}`));
  for (const [n, channel] of channels.entries()) {
    const question = questions[n];
    assert.ok(question);
    assert.equal(textOf(await stage.answerTo(channel, question)), `echo room ${n}`);
  }
});

test('the first text is there within a second of the first token, and the last edit always', async () => {
  const channel = newChannel();
  model.answerWith(() => ({ pieces: ['First ', 100, 'second ', 2500, 'third ', 50, 'fourth ', 50, 'fifth.'] }));
  const question = discord.say(stage.ann, channel, `${discord.mention} slowly`);
  const begun = Date.now();
  const first = await discord.until(() => piecesOf(discord.posts(channel), question.id)[0]?.content, 'it begins');
  assert.match(first, /^First/);
  assert.ok(Date.now() - begun < 1500);
  assert.equal(textOf(await stage.answerTo(channel, question)), 'First second third fourth fifth.');
  const edits = discord.requests.filter((one) => one.method === 'PATCH' && one.path.includes(channel.id));
  assert.ok(edits.length <= 6, `${edits.length} edits`);
  assert.equal((discord.posts(channel)[0]?.flags ?? 0) & MessageFlags.SuppressNotifications, 0);
});

test('a table is drawn as aligned text, also where it goes on in a second message', async () => {
  const channel = newChannel();
  const rows = Array.from({ length: 90 }, (_, n) => `| row ${n} of the table | ${n * 7} |`);
  model.answerWith(() => `Here it is:\n\n| Name | Number |\n|---|---:|\n${rows.join('\n')}\n\nThat is all.`);
  const answer = await stage.answerTo(channel, discord.say(stage.ann, channel, `${discord.mention} a table, please`));
  assert.ok(answer.length > 1);
  for (const { content } of answer) assert.ok(content.length <= 2000);
  const text = textOf(answer);
  assert.match(text, /^Here it is:\n\n```\nName +Number\n─+ {2}─{6}\nrow 0 of the table +0\n/);
  assert.match(text, /row 89 of the table +623\n```\n\nThat is all\.$/);
  for (const [n] of rows.entries()) assert.match(text, new RegExp(`^row ${n} of the table +${n * 7}$`, 'm'));
  assert.doesNotMatch(text, /\|/);
});
