import { readFileSync } from 'node:fs';
import { Client, Events, GatewayIntentBits, type Message, type OmitPartialGroupDMChannel } from 'discord.js';
import { OpenAI } from 'openai';

/**
 * The least that a Discord bot can be: discord.js and openai, no memory, nothing counted; the same prompt each time with
 * the question at its end. `two`: the first words are a reply, the whole is edited in. `three`: with the typing before.
 */

const [api = '', modelUrl = '', promptFile = '', calls = 'two'] = process.argv.slice(2);
const before = JSON.parse(readFileSync(promptFile, 'utf8'));
const openai = new OpenAI({ baseURL: modelUrl, apiKey: 'none' });
const { Guilds, GuildMessages, MessageContent } = GatewayIntentBits;
const client = new Client({ intents: [Guilds, GuildMessages, MessageContent], rest: { api } });

async function answer(message: OmitPartialGroupDMChannel<Message>): Promise<void> {
  const messages = [...before, { role: 'user', content: message.content }];
  if (calls === 'three') await message.channel.sendTyping();
  const usage = { include_usage: true };
  const stream = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages,
    stream: true,
    stream_options: usage,
  });
  let text = '';
  let begun: Promise<Message> | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    if (text !== '') begun ??= message.reply(text);
  }
  await (await begun)?.edit(text);
}

client.on(Events.MessageCreate, (message) => {
  if (message.author.bot || client.user === null || !message.mentions.has(client.user)) return;
  answer(message).catch((error: unknown) => {
    process.stdout.write(`${JSON.stringify({ type: 'error', message: String(error) })}\n`);
  });
});

await client.login(process.env.DISCORD_BOT_TOKEN);
