import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startModelServer } from '../sim/model-server.ts';
import { makeChannel, noBrowser, openStage, say } from './web-setup.ts';

/** Much was said in a short time, and whoever opens the channel reads all of it. */

const rounds = 55;
let crowd = '';

test('a long conversation', { skip: noBrowser }, async (t) => {
  const server = await startModelServer({ answer: ({ last }) => `Heard ${/round \d+/.exec(last)?.[0]}.` });
  t.after(() => server.close());
  const stage = await openStage(t, { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', TOOLS: '' });

  await t.test('of a moment ago is read to its beginning with "Earlier messages"', async () => {
    const writer = await stage.visit({ name: 'Ann' });
    await makeChannel(writer, 'crowd');
    crowd = new URL(writer.url()).hash.slice(1);
    for (let round = 1; round <= rounds; round++) await post(writer, `This is round ${round} of many.`);
    await writer.locator('main .answer').getByText(`Heard round ${rounds}.`).waitFor();

    const page = await stage.visit({ name: 'Bob' });
    await page.getByRole('link', { name: 'crowd', exact: true }).click();
    await page.locator('main .answer').getByText(`Heard round ${rounds}.`).waitFor();
    const earlier = page.getByRole('button', { name: 'Earlier messages' });
    // Forty turns at once: the newest are there, two clicks bring the others.
    for (const _ of [1, 2]) {
      await Promise.all([page.waitForResponse(/\bbefore=\d+/), earlier.click()]);
    }
    await earlier.waitFor({ state: 'detached' });
    const texts = await page.locator('main .entry .markdown').allTextContents();
    const expected = Array.from({ length: rounds }, (_, n) => [
      `This is round ${n + 1} of many.`,
      `Heard round ${n + 1}.`,
    ]).flat();
    assert.deepEqual(
      texts.map((text) => text.trim()),
      expected,
    );
  });

  await t.test('whose end is erased is shown from what is left', async () => {
    const page = await stage.visit({ name: 'Ann' });
    await page.getByRole('link', { name: 'crowd', exact: true }).click();
    await page.locator('main .answer').getByText(`Heard round ${rounds}.`).waitFor();
    await say(page, '/forget last 30 confirm');
    await page.locator('main .said').waitFor();
    await page.reload();
    await page
      .locator('main .answer')
      .getByText(`Heard round ${rounds - 30}.`)
      .waitFor();
    assert.equal(await page.getByText(`Heard round ${rounds - 29}.`).count(), 0);
  });

  await t.test('is printed whole, on as many pages as it takes, and nothing lies over it', async () => {
    const page = await stage.visit({ name: 'Ann', path: `/#${crowd}` });
    await page.locator('main .entry').first().waitFor();
    await page.getByRole('complementary', { name: 'Memory' }).locator('.legend').waitFor();
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(await page.getByRole('complementary', { name: 'Memory' }).isVisible(), false);
    assert.equal(await page.locator('.composer').isVisible(), false);
    const pages = (await page.pdf({ format: 'A5' })).toString('latin1').match(/\/Type\s*\/Page\b/g) ?? [];
    assert.ok(pages.length > 1, `${pages.length} pages`);
    assert.equal(await page.evaluate(`document.querySelector('.feed').scrollHeight > innerHeight`), true);
  });

  await t.test('has tables that scroll in sight of their edge, and threads whose root is not cut off', async () => {
    server.answerWith(() => wideAnswer);
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'wide');
    await say(page, 'Which offer do we take?');
    const table = page.locator('main .answer .table-box');
    await table.waitFor();
    // The table is as wide as it will be once the answer is whole.
    await page.getByRole('button', { name: 'Retry' }).first().waitFor();
    const seen = await table.evaluate((box) => ({
      scrolls: box.scrollWidth > box.clientWidth,
      shaded: box.ownerDocument.defaultView?.getComputedStyle(box).backgroundImage.includes('gradient'),
      tallest: Math.max(...[...box.querySelectorAll('tr')].map((row) => row.getBoundingClientRect().height)),
    }));
    assert.deepEqual([seen.scrolls, seen.shaded], [true, true]);
    assert.ok(seen.tallest < 80, `a row of ${seen.tallest} pixels is mostly blank`);

    const memory = page.getByRole('complementary', { name: 'Memory' });
    await memory.locator('.legend').waitFor();
    await page.locator('main .entry').first().hover();
    await page.getByRole('button', { name: 'Open a thread' }).click();
    const root = page.locator('.thread-root');
    await root.locator('.code').waitFor();
    await memory.waitFor({ state: 'detached' });
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 });
      const [inside, outside] = await root.evaluate((box) => [box.scrollWidth, box.clientWidth]);
      assert.equal(inside, outside, `cut off at ${width}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByRole('button', { name: 'Close the thread' }).click();
    await memory.waitFor();
  });
});

const wideAnswer = [
  '```ts',
  'const allowed = files.filter((file) => file.type.startsWith("text/") || file.name.endsWith(".md")); // random',
  '```',
  '',
  '| Option | Cost per year | Backups kept | Who asked for it, and why they did | Region | Notes |',
  '|---|--:|---|---|---|---|',
  '| First | 1,140 | thirty days, each night, on two machines that stand apart | Mira, who lost a week | north | none |',
  '| Second | 980 | seven days | Tom | south | cheaper, but what is noticed a week later can no longer be undone |',
].join('\n');

async function post(page: Page, text: string): Promise<void> {
  const channel = decodeURIComponent(new URL(page.url()).hash.slice(1));
  const { origin } = new URL(page.url());
  const answer = await page.context().request.post(`${origin}/api/channels/${encodeURIComponent(channel)}/messages`, {
    headers: { 'x-channelore': '1', origin },
    data: { id: crypto.randomUUID(), at: Date.now(), text, uploads: [] },
  });
  assert.equal(answer.status(), 202, await answer.text());
}
