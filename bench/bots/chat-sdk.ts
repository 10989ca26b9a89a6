import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSlackAdapter } from '@chat-adapter/slack';
import { createMemoryState } from '@chat-adapter/state-memory';
import { Chat } from 'chat';
import { OpenAI } from 'openai';

/** A Slack bot on Vercel's Chat SDK, as its documentation shows one: its state in memory, and no history at all. */

const [apiUrl = '', modelUrl = ''] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: modelUrl, apiKey: 'none' });
const botToken = process.env.SLACK_BOT_TOKEN ?? '';
const signingSecret = process.env.SLACK_SIGNING_SECRET ?? '';
const slack = createSlackAdapter({ botToken, signingSecret, apiUrl });
const base = { userName: 'channelore', state: createMemoryState(), logger: 'error' as const };
// @ts-expect-error Its own types contradict each other under exactOptionalPropertyTypes.
const bot = new Chat({ ...base, adapters: { slack } });

async function* answer(content: string): AsyncGenerator<string> {
  const messages = [{ role: 'user' as const, content }];
  const usage = { include_usage: true };
  const stream = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages,
    stream: true,
    stream_options: usage,
  });
  for await (const chunk of stream) yield chunk.choices[0]?.delta.content ?? '';
}

bot.onNewMention(async (thread, message) => {
  await thread.post(answer(message.text));
});
await bot.initialize();

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(Buffer.from(part));
  const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
  return new Request(`http://127.0.0.1${incoming.url}`, { method: 'POST', headers, body: Buffer.concat(parts) });
}

async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const answered = await bot.webhooks.slack?.(await toRequest(incoming), { waitUntil: () => undefined });
  response.writeHead(answered?.status ?? 404).end(await answered?.text());
}

const server = createServer((incoming, response) => void handle(incoming, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const msg = `waiting for Slack on http://127.0.0.1:${port}/slack/events`;
  process.stdout.write(`${JSON.stringify({ type: 'ready', msg })}\n`);
});
