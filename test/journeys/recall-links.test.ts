import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ChatRequest } from '../sim/model-answer.ts';
import { setStage as setDiscord, textOf } from './discord-setup.ts';
import { setStage as setSlack, shownText } from './slack-setup.ts';

/** What an answer cites can be opened where it was said. */

const env = { MEMORY_TOKENS: '1500' };
const fact = 'The wifi password of the boathouse is kumquat-77.';
const question = 'What was the wifi password of the boathouse?';
const chatter = (n: number): string => `Story ${n}: ${'harbour and lantern, meadow and violin, '.repeat(25)}and so on.`;
const stories = [1, 2, 3, 4, 5, 6];

function answer(request: ChatRequest): string {
  if (/memory of a chat channel/.test(request.messages[0]?.text ?? ''))
    return 'People told each other stories of harbours and lanterns, of meadows and violins, one after the other, and agreed on nothing.';
  const recalled = request.messages.map((one) => one.text).find((text) => text.startsWith('<channel_recall')) ?? '';
  const [marker] = /^\[m\d+\](?=.*kumquat)/m.exec(recalled) ?? [];
  return marker === undefined ? 'I see.' : `It is the one with the fruit ${marker}.`;
}

test('on Discord a citation opens the message it stands for', async () => {
  const { discord, guild, ann, ben, answerTo } = await setDiscord(
    { after },
    { answer, env, discord: { limits: { count: 50, windowMs: 1000 } } },
  );
  const channel = discord.world.addChannel(guild, 'boats');
  discord.join(guild);
  const ask = async (who: typeof ann, text: string) => {
    const said = discord.say(who, channel, `${discord.mention} ${text}`);
    return { said, text: textOf(await answerTo(channel, said)) };
  };
  const { said } = await ask(ben, fact);
  for (const n of stories) await ask(ann, chatter(n));
  const { text } = await ask(ann, question);
  const link = `https://discord.com/channels/${guild.id}/${channel.id}/${said.id}`;
  assert.match(text, /^It is the one with the fruit \(\[Ben, \d{1,2} \w+\]\(/);
  assert.ok(text.includes(`](${link})).`), text);
});

test('on Slack an answer of its own that is cited opens in the thread where it stands', async () => {
  const noted = 'Noted: kumquat-77 opens the wifi.';
  const { slack, ann, ben, answerTo } = await setSlack(
    { after },
    { env, answer: (request) => (/I use at the boathouse/.test(request.last) ? noted : answer(request)) },
  );
  const channel = slack.world.addChannel('boats');
  const ask = async (who: typeof ann, text: string) => {
    const said = slack.say(who, channel, `${slack.mention} ${text}`);
    return { said, posts: await answerTo(channel, said) };
  };
  const { said, posts } = await ask(ben, 'Remember the fruit that I use at the boathouse.');
  for (const n of stories) await ask(ann, chatter(n));
  const text = shownText((await ask(ann, 'What opens the wifi, noted as kumquat?')).posts);
  const own = `https://sim.slack.com/archives/${channel.id}/p${posts[0]?.ts.replace('.', '')}`;
  assert.match(text, /^It is the one with the fruit \(\[my answer, \d{1,2} \w+\]\(/);
  assert.ok(text.includes(`](${own}?thread_ts=${said.ts}&cid=${channel.id})).`), text);
});

test('on Slack a citation opens the message it stands for', async () => {
  const { slack, ann, ben, answerTo } = await setSlack({ after }, { answer, env });
  const channel = slack.world.addChannel('boats');
  const ask = async (who: typeof ann, text: string) => {
    const said = slack.say(who, channel, `${slack.mention} ${text}`);
    return { said, text: shownText(await answerTo(channel, said)) };
  };
  const { said } = await ask(ben, fact);
  for (const n of stories) await ask(ann, chatter(n));
  const { text } = await ask(ann, question);
  const link = `https://sim.slack.com/archives/${channel.id}/p${said.ts.replace('.', '')}`;
  assert.match(text, /^It is the one with the fruit \(\[Ben, \d{1,2} \w+\]\(/);
  assert.ok(text.includes(`](${link})).`), text);
});
