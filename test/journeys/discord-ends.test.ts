import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Place } from '../sim/discord-world.ts';
import { piecesOf, setStage } from './discord-setup.ts';

/** What cannot be answered ends quietly, with a reason for the operator and a word for whoever asked. */

const stage = await setStage({ after }, { env: { LISTEN: 'all' } });
const { discord, model, guild } = stage;

function newChannel() {
  const channel = discord.world.addChannel(guild, 'ends');
  discord.join(guild);
  return channel;
}

async function isTold(name: string, words: RegExp, isMeant: (place: Place) => Promise<void> | void) {
  const person = discord.world.addPerson(name);
  const channel = newChannel();
  const dm = discord.world.dm(person);
  model.answerWith(() => ({ pieces: ['A beginning ', 500, 'a middle ', 700, 'and an end.'] }));
  const question = discord.say(person, channel, `${discord.mention} tell me`);
  await discord.until(() => piecesOf(discord.posts(channel), question.id)[0], 'it begins');
  await isMeant(channel);
  const told = await discord.until(() => discord.posts(dm)[0], `${name} is told`);
  assert.match(told.content, words);
  assert.match(told.content, new RegExp(`<#${channel.id}>`));
  assert.equal(discord.posts(dm).length, 1);
  await discord.until(() => stage.program().output().includes('an answer cannot be shown'), 'the log has it');
}

test('a channel deleted during an answer: a word to whoever asked', async () => {
  await isTold('Deleted', /channel is gone/, (channel) => discord.removeChannel(channel));
});

test('permissions taken away during an answer: what is needed is said', async () => {
  await isTold('Denied', /Send Messages/, (channel) => void discord.state.denied.set(channel.id, 50013));
});

test('permissions missing from the beginning: what is needed is said at once, and others are answered', async () => {
  const person = discord.world.addPerson('Early');
  const channel = newChannel();
  discord.state.denied.set(channel.id, 50001);
  discord.say(person, channel, `${discord.mention} tell me`);
  const dm = discord.world.dm(person);
  const told = await discord.until(() => discord.posts(dm)[0], 'they are told');
  assert.match(told.content, /View Channel, Send Messages/);
  model.answerWith(() => 'elsewhere');
  const other = newChannel();
  await stage.answerTo(other, discord.say(stage.ann, other, `${discord.mention} hi`));
  assert.ok(!stage.program().output().includes('"level":50'), 'nothing that looks like a fault of the program');
});

test('a thread archived during an answer: a word to whoever asked', async () => {
  const person = discord.world.addPerson('Archived');
  const channel = newChannel();
  const thread = discord.world.addThread(channel, 'old');
  discord.announceThread(thread);
  model.answerWith(() => ({ pieces: ['A beginning ', 1200, 'and an end.'] }));
  const question = discord.say(person, thread, `${discord.mention} tell me`);
  await discord.until(() => piecesOf(discord.posts(thread), question.id)[0], 'it begins');
  if (thread.thread_metadata) thread.thread_metadata.archived = true;
  const dm = discord.world.dm(person);
  assert.match((await discord.until(() => discord.posts(dm)[0], 'they are told')).content, /archived or locked/);
});

test('whoever takes no direct messages is passed over without a fuss', async () => {
  const closed = discord.world.addPerson('Closed', { closed: true });
  const channel = newChannel();
  discord.state.denied.set(channel.id, 50013);
  discord.say(closed, channel, `${discord.mention} tell me`);
  model.answerWith(() => 'elsewhere');
  const other = newChannel();
  await stage.answerTo(other, discord.say(stage.ann, other, `${discord.mention} hi`));
  assert.ok(!stage.program().output().includes('"level":50'), 'nothing that looks like a fault of the program');
});

test('with LISTEN=all what people say among themselves is remembered, and not answered', async () => {
  const channel = newChannel();
  discord.say(stage.ann, channel, 'the meeting is on Tuesday');
  model.answerWith(() => 'On Tuesday.');
  await stage.answerTo(channel, discord.say(stage.ben, channel, `${discord.mention} when is it?`));
  assert.match(JSON.stringify(model.requests.at(-1)?.messages), /Ann: the meeting is on Tuesday/);
  assert.equal(discord.posts(channel).length, 1);
});
