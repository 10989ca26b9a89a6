import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { APIMessage } from 'discord-api-types/v10';
import type { Place } from '../sim/discord-world.ts';
import { piecesOf, setStage, textOf } from './discord-setup.ts';

/** What people change or take back reaches what the bot remembers, whenever they do it. */

const stage = await setStage(
  { after },
  { env: { MEMORY_TOKENS: '2500', MEMORY_HIGH: '600', MEMORY_LOW: '200', FOLD_MODEL: 'folder' } },
);
const { discord, model, guild } = stage;

function newChannel() {
  const channel = discord.world.addChannel(guild, 'changes');
  discord.join(guild);
  return channel;
}

async function ask(channel: Place, text: string): Promise<{ question: APIMessage; answer: APIMessage[] }> {
  const question = discord.say(stage.ann, channel, `${discord.mention} ${text}`);
  return { question, answer: await stage.answerTo(channel, question) };
}

function allOf(request: { messages: unknown } | undefined): string {
  return JSON.stringify(request?.messages ?? []);
}

/** The next prompt in the channel, as the model gets it. */
async function nextPrompt(channel: Place): Promise<string> {
  model.answerWith(() => 'fine');
  await ask(channel, 'anything else?');
  return JSON.stringify(model.requests.at(-1)?.messages);
}

test('a question edited after its answer is remembered as it stands now', async () => {
  const channel = newChannel();
  model.answerWith(() => 'noted');
  const { question } = await ask(channel, 'the bird is a heron');
  discord.embed(channel, question);
  discord.edit(channel, question, `${discord.mention} the bird is a stork`);
  const prompt = await nextPrompt(channel);
  assert.match(prompt, /stork/);
  assert.doesNotMatch(prompt, /heron/);
});

test('a question edited while it is being answered is answered as it stands now, in the same message', async () => {
  const channel = newChannel();
  model.answerWith(({ last }) =>
    last.includes('heron') ? { pieces: ['About herons: '], hang: 'after-pieces' } : 'About storks.',
  );
  const question = discord.say(stage.ann, channel, `${discord.mention} tell me of the heron`);
  const begun = await discord.until(() => piecesOf(discord.posts(channel), question.id)[0], 'it begins');
  discord.edit(channel, question, `${discord.mention} tell me of the stork`);
  const answer = await stage.answerTo(channel, question);
  assert.equal(textOf(answer), 'About storks.');
  assert.deepEqual(
    answer.map((one) => one.id),
    [begun.id],
  );
});

test('a question edited before it was delivered is answered as it stands now', async () => {
  const channel = newChannel();
  model.answerWith(({ last }) => (last.includes('stork') ? 'storks' : 'herons'));
  discord.gateway.hold();
  const question = discord.say(stage.ann, channel, `${discord.mention} heron?`);
  discord.edit(channel, question, `${discord.mention} stork?`);
  discord.gateway.release(() => [1, 0]);
  assert.equal(textOf(await stage.answerTo(channel, question)), 'storks');
});

test('a question deleted after its answer is forgotten with it', async () => {
  const channel = newChannel();
  model.answerWith(() => 'Yes, 5550.');
  const { question } = await ask(channel, 'my number is 5550');
  discord.remove(channel, question.id);
  assert.doesNotMatch(await nextPrompt(channel), /5550/);
});

test('a question deleted while it is being answered takes the answer with it', async () => {
  const channel = newChannel();
  model.answerWith(() => ({ pieces: ['Your number is '], hang: 'after-pieces' }));
  const question = discord.say(stage.ann, channel, `${discord.mention} my number is 5550`);
  await discord.until(() => piecesOf(discord.posts(channel), question.id)[0], 'it begins');
  discord.remove(channel, question.id);
  await discord.until(() => discord.posts(channel).length === 0, 'the answer is taken back');
  assert.doesNotMatch(await nextPrompt(channel), /5550/);
});

test('a question deleted before the answer begins is not answered, even when nobody said so', async () => {
  const channel = newChannel();
  let go = (): void => {};
  model.answerWith(async () => {
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    return 'too late';
  });
  const asked = model.asked(model.requests.length + 1);
  const question = discord.say(stage.ann, channel, `${discord.mention} my number is 5550`);
  await asked;
  discord.world.remove(channel.id, [question.id]);
  go();
  // Discord's refusal to reply to it is how the deletion is learnt of, while this waits.
  await nextPrompt(channel);
  const prompt = await nextPrompt(channel);
  assert.doesNotMatch(prompt, /5550|too late/);
  assert.equal(discord.posts(channel).length, 2);
});

test('a question deleted before it was delivered is never answered', async () => {
  const channel = newChannel();
  discord.gateway.hold();
  const question = discord.say(stage.ann, channel, `${discord.mention} my number is 5550`);
  discord.remove(channel, question.id);
  discord.gateway.release(() => [1, 0]);
  assert.doesNotMatch(await nextPrompt(channel), /5550/);
  assert.equal(discord.posts(channel).length, 1);
});

test('many messages deleted at once are all forgotten', async () => {
  const channel = newChannel();
  model.answerWith(() => 'noted');
  const one = await ask(channel, 'first secret 1111');
  const two = await ask(channel, 'second secret 2222');
  discord.remove(channel, one.question.id, two.question.id);
  assert.doesNotMatch(await nextPrompt(channel), /1111|2222/);
});

test('what was edited or deleted after it was folded leaves the summary, too', async () => {
  const channel = newChannel();
  const filler = 'and some words to fill the memory with, so that it has to be folded soon enough. '.repeat(3);
  model.answerWith((request) => {
    const all = request.messages.map((message) => message.text).join('\n');
    const said = ['5550', '7770', '7771'].filter((number) => all.includes(number));
    return request.model === 'folder'
      ? `Ann gave these numbers: ${said.join(' ')}. ${'She also went on about other things at length. '.repeat(6)}`
      : 'noted';
  });
  const first = await ask(channel, `my number is 5550 ${filler}`);
  const second = await ask(channel, `my code is 7770 ${filler}`);
  for (let n = 0; n < 4; n++) await ask(channel, `question number ${n} ${filler}`);
  const isFolded = (): boolean => model.requests.some((one) => /these numbers: 5550/.test(allOf(one)));
  for (let n = 4; n < 12 && !isFolded(); n++) await ask(channel, `question number ${n} ${filler}`);
  assert.ok(isFolded(), 'it was folded');
  discord.remove(channel, first.question.id);
  discord.edit(channel, second.question, `${discord.mention} my code is 7771`);
  await ask(channel, 'question number 20');
  await ask(channel, 'question number 21');
  const prompt = allOf(model.requests.findLast((one) => one.model !== 'folder'));
  assert.doesNotMatch(prompt, /5550|7770/);
  assert.match(prompt, /7771/);
});

test('nothing that was sent is refused by Discord, but replies to what is gone', () => {
  const refused = discord.refused().filter((one) => one.body.message_reference === undefined);
  assert.deepEqual(refused, []);
});
