import { readFileSync } from 'node:fs';
import { App, LogLevel } from '@slack/bolt';
import { OpenAI } from 'openai';

/**
 * The least that a Slack bot can be: bolt and openai, no memory, nothing counted; the same prompt each time with the
 * question at its end. `two`: the first words are posted, the whole is edited in. `four`: as this program answers, with
 * a status, and a stream that is started, stopped and edited.
 */

const [apiUrl = '', modelUrl = '', promptFile = '', calls = 'two'] = process.argv.slice(2);
const token = process.env.SLACK_BOT_TOKEN ?? '';
const signingSecret = process.env.SLACK_SIGNING_SECRET ?? '';
const before = JSON.parse(readFileSync(promptFile, 'utf8'));
const openai = new OpenAI({ baseURL: modelUrl, apiKey: 'none' });
const app = new App({ token, signingSecret, clientOptions: { slackApiUrl: apiUrl }, logLevel: LogLevel.ERROR });

app.event('app_mention', async ({ event, client, context }) => {
  const { channel, ts: thread_ts } = event;
  const where = { channel, thread_ts };
  const messages = [...before, { role: 'user', content: event.text }];
  if (calls === 'four') {
    await client.assistant.threads.setStatus({ channel_id: channel, thread_ts, status: 'is thinking…' });
  }
  const usage = { include_usage: true };
  const stream = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages,
    stream: true,
    stream_options: usage,
  });
  const to = { recipient_user_id: event.user ?? '', recipient_team_id: context.teamId ?? '' };
  const begin = async (text: string) =>
    calls === 'four'
      ? await client.chat.startStream({ ...where, ...to, markdown_text: text })
      : await client.chat.postMessage({ ...where, text });
  let text = '';
  let begun: ReturnType<typeof begin> | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    if (text !== '') begun ??= begin(text);
  }
  const ts = (await begun)?.ts ?? '';
  if (calls === 'four') await client.chat.stopStream({ channel, ts });
  await client.chat.update({ channel, ts, text });
});

app.error(async (error) => {
  process.stdout.write(`${JSON.stringify({ type: 'error', message: String(error) })}\n`);
});

const server = await app.start({ port: 0, host: '127.0.0.1' });
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const msg = `waiting for Slack on http://127.0.0.1:${port}/slack/events`;
process.stdout.write(`${JSON.stringify({ type: 'ready', msg })}\n`);
