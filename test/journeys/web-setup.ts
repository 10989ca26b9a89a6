import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { newFolder, type Program, startProgram } from './program.ts';

/** A real browser in front of the real program. Whatever the page logs as an error fails the test. */

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why there is none, as node:test takes it. */
export const noBrowser = reasonToSkip();

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function reasonToSkip(): string | false {
  if (existsSync(executablePath)) return false;
  const reason = `no browser at ${executablePath}: set CHROMIUM`;
  if (process.env.CI === 'true') throw new Error(reason);
  process.stderr.write(`\nSKIPPED: ${reason}\n\n`);
  return reason;
}

export interface Stage {
  url: string;
  program: Program;
  /** Somebody with a browser of their own. */
  visit(options?: BrowserContextOptions & VisitOptions): Promise<Page>;
}

interface VisitOptions {
  path?: string;
  /** Complaints that the test is about. */
  expected?: RegExp;
  /** Shown as such to others. */
  name?: string;
}

const wide = { width: 1440, height: 900 };

/** One for all parts of a test: after each of them what it opened is closed, and what its pages complained about told. */
export async function openStage(t: TestContext, env: Record<string, string> = {}): Promise<Stage> {
  const data = newFolder(t);
  const program = startProgram({ args: [], env: { DATA_DIR: data, ...env } });
  t.after(() => program.signal('SIGTERM'));
  const url = await addressOf(program);
  const browser = await chromium.launch({ executablePath, args: flags });
  t.after(() => browser.close());
  const complaints: string[] = [];
  t.afterEach(async () => {
    const told = complaints.splice(0);
    await Promise.all(browser.contexts().map((context) => context.close()));
    assert.deepEqual(told, [], 'the page logged errors');
  });
  return { url, program, visit: (options = {}) => visit(browser, { url, complaints, ...options }) };
}

/** Where it serves, from its own log. */
export async function addressOf(program: Program): Promise<string> {
  const pattern = /http:\/\/127\.0\.0\.1:\d+/;
  const line = await program.line(({ msg }) => pattern.test(String(msg)));
  return pattern.exec(String(line.msg))?.[0] ?? '';
}

interface Visit extends BrowserContextOptions, VisitOptions {
  url: string;
  complaints: string[];
}

async function visit(
  browser: Browser,
  { url, complaints, path = '/', expected, name, ...options }: Visit,
): Promise<Page> {
  const context = await browser.newContext({ viewport: wide, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complain = (text: string) => {
    if (expected?.test(text) !== true) complaints.push(text);
  };
  page.on('pageerror', (error) => complain(String(error.stack)));
  page.on('console', (message) => {
    if (message.type() === 'error') complain(`${message.text()} ${message.location().url}`);
  });
  if (name !== undefined) {
    await context.request.get(url);
    await context.request.post(`${url}/api/me`, { headers: { 'x-channelore': '1', origin: url }, data: { name } });
  }
  await page.goto(url + path);
  return page;
}

/** A channel of its own, so that no test knows of another. */
export async function makeChannel(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New channel' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Create channel' }).click();
  await page.getByRole('heading', { level: 1, name: `# ${name}` }).waitFor();
}

export async function openChannel(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: `# ${name}` }).waitFor();
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator('#composer').fill(text);
  await page.locator('#composer').press('Enter');
}

/** Everything of the conversation, in order: names of people, answers after `>`. */
export async function conversation(page: Page): Promise<string[]> {
  return await page.locator('main .entry').evaluateAll((entries) =>
    entries.map((entry) => {
      const who = entry.querySelector('.who')?.textContent ?? '';
      const text = entry.querySelector('.markdown')?.textContent ?? '';
      return `${who}: ${text.trim()}`;
    }),
  );
}
