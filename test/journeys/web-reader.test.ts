import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { startModelServer } from '../sim/model-server.ts';
import { makeChannel, noBrowser, openStage, say } from './web-setup.ts';

/** People with a phone, with a keyboard alone, with a screen reader, in the light and in the dark. */

const answer = [
  'The **plan** is [here](https://example.org/plan):',
  '```python',
  'print("a line that is much too long for a phone: " + "x" * 80)',
  '```',
  '| day | hours |',
  '|---|--:|',
  '| Monday | 4 |',
  '',
  '> Nobody may change it.',
].join('\n');

test('the console can be read and used', { skip: noBrowser }, async (t) => {
  const server = await startModelServer({ answer: () => answer });
  t.after(() => server.close());
  const stage = await openStage(t, { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', MEMORY_TOKENS: '1000' });
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  /** In other colours only the contrast is another. */
  async function assertAccessible(page: Page, what: string, rules?: 'contrast'): Promise<void> {
    await page.evaluate(axe);
    const only = rules === undefined ? '' : ", runOnly: ['color-contrast']";
    const result: AxeResults = await page.evaluate(`axe.run(document, { resultTypes: ['violations']${only} })`);
    const serious = result.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const told = serious.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    assert.deepEqual(told, [], what);
  }

  await t.test('with the keyboard alone', async () => {
    const page = await stage.visit();
    await page.getByRole('heading', { level: 1, name: 'Private', exact: true }).waitFor();
    const { keyboard } = page;
    await page.locator('#composer:focus').waitFor();
    await keyboard.type('/me');
    await page.getByRole('option', { name: /^\/memory show/ }).waitFor();
    assert.equal(await page.getByRole('option', { selected: true }).count(), 1);
    await keyboard.press('ArrowDown');
    await keyboard.press('ArrowUp');
    await keyboard.press('Tab');
    assert.equal(await page.locator('#composer').inputValue(), '/memory show');
    await keyboard.press('Enter');
    await page.locator('main .said').waitFor();
    await keyboard.type('Hello');
    await keyboard.press('Enter');
    await page.locator('main .answer strong').getByText('plan').waitFor();

    await reach(page, 'New channel');
    await keyboard.press('Enter');
    await page.locator('dialog input:focus').waitFor();
    await keyboard.type('by keyboard');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: '# by keyboard' }).waitFor();
    await reach(page, 'Memory');
    await keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Memory' }).waitFor({ state: 'detached' });
  });

  await t.test('on a phone, without scrolling sideways', async () => {
    const page = await stage.visit({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
    const channels = page.getByRole('navigation', { name: 'Channels' });
    await say(page, 'Hello');
    await page.locator('main .answer').first().waitFor();
    assert.equal(await page.getByRole('complementary', { name: 'Memory' }).count(), 0, 'closed at first');
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
    await page.getByRole('button', { name: 'Channels', exact: true }).tap();
    await channels.getByRole('link', { name: 'by keyboard' }).tap();
    await page.getByRole('heading', { level: 1, name: '# by keyboard' }).waitFor();
    await page.locator('#composer').fill('Hello');
    await page.getByRole('button', { name: 'Send' }).tap();
    await page.locator('main .answer strong').getByText('plan').waitFor();
    await page.getByRole('button', { name: 'Memory', exact: true }).tap();
    await page.getByRole('complementary', { name: 'Memory' }).getByText('2 messages in full').waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
    await assertAccessible(page, 'the memory on a phone');
    await page.getByRole('button', { name: 'Close the memory' }).tap();
    await page.goto(`${stage.url}/usage`);
    await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
    await page.locator('.chart svg').first().waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
  });

  await t.test('a screen reader hears finished answers, not their single words', async () => {
    const go = Promise.withResolvers<void>();
    server.answerWith(() => ({ pieces: ['One half. ', go.promise, 'Both halves.'] }));
    const page = await stage.visit();
    await makeChannel(page, 'heard');
    await say(page, 'Speak.');
    await page.locator('main .answer').getByText('One half.').waitFor();
    const heard = page.getByRole('log');
    assert.equal(await heard.textContent(), '');
    assert.equal(await page.locator('main .answer').getAttribute('aria-busy'), 'true');
    go.resolve();
    await heard.getByText('Channelore answered: One half. Both halves.').waitFor();
    server.answerWith(() => answer);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    const rules = colorScheme === 'light' ? undefined : 'contrast';
    await t.test(`no serious finding of axe in ${colorScheme} colours`, async () => {
      const page = await stage.visit({ colorScheme });
      await say(page, 'Hello');
      await page.locator('main .answer').first().waitFor();
      await page.getByRole('complementary', { name: 'Memory' }).locator('.legend').waitFor();
      await say(page, '/forget me');
      await page.locator('main .said').first().waitFor();
      await page.locator('#composer').fill('/');
      await page.getByRole('listbox').waitFor();
      await assertAccessible(page, 'the console', rules);
      await page.locator('#composer').fill('');
      await makeChannel(page, `empty ${colorScheme}`);
      await page.getByRole('button', { name: 'The exact next prompt' }).click();
      await page.locator('.prompt-message').first().waitFor();
      await assertAccessible(page, 'a dialog over the welcome', rules);
      await page.goto(`${stage.url}/usage`);
      await page.locator('.chart svg').first().waitFor();
      await assertAccessible(page, 'the usage page', rules);
      await page.goto(`${stage.url}/login`);
      await assertAccessible(page, 'the login', rules);
    });
  }

  await t.test('colours follow the system until others are chosen, and stay chosen', async () => {
    const page = await stage.visit({ colorScheme: 'dark' });
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.getByRole('button', { name: 'Light colours' }).click();
    const light = await background();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await background(), light);
  });
});

async function focused(page: Page): Promise<unknown> {
  return await page.evaluate(
    "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent",
  );
}

/** By Tab alone; everything that can be used is on the way. */
async function reach(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`${name} cannot be reached with the keyboard`);
}
