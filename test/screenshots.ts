import path from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { OwnChannel, Turns } from '../adapters/web/wire.ts';
import type { Model } from '../src/model/model.ts';
import { startWebStage } from './contract/web.ts';
import { openClient, type WebClient } from './contract/web-client.ts';
import { exchanges, role } from './screenshots-talk.ts';

/** `npm run screenshots`: the pictures of the README, of a talk of several people over some days. */

const images = path.resolve(import.meta.dirname, '../docs/images');
const dayMs = 86_400_000;

let daysAgo = 0;

const model: Model = {
  contextTokens: () => undefined,
  async *stream({ purpose, messages, promptTokens, model: name }) {
    const read = JSON.stringify(purpose === 'fold' ? messages : messages.at(-1)?.content);
    const meant = exchanges.filter(({ text }) => read.includes(text));
    const text = purpose === 'fold' ? meant.map(({ fact }) => fact).join(' ') : (meant.at(-1)?.answer ?? 'I see.');
    yield { type: 'text', text };
    const completion = Math.ceil(text.length / 4);
    const cached = purpose === 'fold' ? 0 : Math.floor(promptTokens * 0.6);
    const usage = { prompt: promptTokens, cached, completion, reasoning: 0, estimated: false };
    yield { type: 'end', finish: 'stop', usage, model: name, asked: name };
  },
};

const stage = await startWebStage({
  model,
  now: () => Date.now() - daysAgo * dayMs,
  env: {
    MEMORY_TOKENS: '3000',
    MEMORY_HIGH: '500',
    SUMMARY_TOKENS: '900',
    SYSTEM_ROLE: role,
    BUDGET_WORKSPACE_USD: '5',
    BUDGET_WORKSPACE_TOKENS: '10000',
  },
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

try {
  const channels = await talk();
  const inArchive = `/#${channels.get('picture archive')}`;
  const talking = await visit(inArchive, { viewport: { width: 1440, height: 960 } });
  await talking.locator('main .answer').last().waitFor();
  await talking.locator('.fold').first().waitFor();
  await talking.locator('.hljs-keyword').first().waitFor();
  await take(talking, 'console');

  const memory = await visit(inArchive, { viewport: { width: 1440, height: 1180 }, colorScheme: 'dark' });
  await memory.locator('.fold summary').first().click();
  await memory.getByRole('button', { name: 'Show these messages' }).first().click();
  await memory.locator('.covered').waitFor();
  await take(memory, 'inspector', '.inspector');

  const usage = await visit('/usage', { viewport: { width: 1280, height: 1180 } });
  await usage.locator('.chart svg').first().waitFor();
  await usage.getByRole('button', { name: '7 days' }).click();
  await take(usage, 'usage');
} finally {
  await browser.close();
  await stage.close();
}

/** Everybody says what they said, on the day they said it. */
async function talk(): Promise<Map<string, string>> {
  const people = new Map<string, WebClient>();
  const channels = new Map<string, string>();
  for (const { daysAgo: day, who, channel, text } of exchanges) {
    daysAgo = day;
    const client = people.get(who) ?? (await openClient(stage.url, who));
    people.set(who, client);
    const key = channels.get(channel) ?? (await makeChannel(client, channel));
    channels.set(channel, key);
    const path = `/api/channels/${encodeURIComponent(key)}`;
    const id = crypto.randomUUID();
    await client.post(`${path}/messages`, { id, at: Date.now() - daysAgo * dayMs, text, uploads: [] });
    await answered(client, path, `${client.person().id}.${id}`);
    await stage.core.memory.idle();
  }
  return channels;
}

async function makeChannel(client: WebClient, name: string): Promise<string> {
  const made = (await (await client.post('/api/channels', { name })).json()) as OwnChannel;
  return made.id;
}

async function answered(client: WebClient, path: string, message: string): Promise<void> {
  for (;;) {
    const { turns } = (await client.call(`${path}/turns?limit=4`)).json() as Turns;
    if (turns.some(({ posts }) => posts.some((post) => post.startsWith(`answer:${message}:`)))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function visit(address: string, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ deviceScaleFactor: 1.5, reducedMotion: 'reduce', ...options });
  const headers = { 'x-channelore': '1', origin: stage.url };
  await context.request.get(stage.url);
  await context.request.post(`${stage.url}/api/me`, { headers, data: { name: 'Tom' } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(stage.url + address);
  return page;
}

async function take(page: Page, name: string, part?: string): Promise<void> {
  await page.waitForTimeout(800); // Colours and charts arrive after the text.
  const file = path.join(images, `${name}.png`);
  await (part === undefined ? page.screenshot({ path: file }) : page.locator(part).screenshot({ path: file }));
  process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
}
