import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { noBrowser, openStage } from './web-setup.ts';

/** Nothing is configured: whoever starts the program and opens the console for the first time. */

test('a newcomer', { skip: noBrowser }, async (t) => {
  const stage = await openStage(t);

  await t.test('loads less than 200 KB, compressed, before the first word', async () => {
    const page = await stage.visit({ path: '/login' });
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto(stage.url);
    await page.getByRole('heading', { name: 'This channel remembers what is said in it' }).waitFor();
    await page.locator('.legend').waitFor();
    assert.ok(bytes > 30_000 && bytes < 200_000, `${bytes} bytes`);
  });

  await t.test(
    'tells it something, asks for it, and sees the first fold in the open inspector within two minutes',
    async () => {
      const start = Date.now();
      const page = await stage.visit();
      const memory = page.getByRole('complementary', { name: 'Memory' });
      await page.getByRole('button', { name: 'Tell it something' }).click();
      await page
        .getByRole('main')
        .getByText('Noted: “The release is on Friday at noon, and Mira signs it off.”')
        .waitFor();
      await memory.getByText('2 messages in full').waitFor();
      await page.getByRole('button', { name: 'Ask for it later' }).click();
      await page
        .getByRole('main')
        .getByText('You told me: “The release is on Friday at noon, and Mira signs it off.”')
        .waitFor();
      await page.getByRole('button', { name: 'Watch it fold' }).click();
      const fold = memory.locator('.fold').first();
      await fold.waitFor({ timeout: 60_000 });
      assert.ok(Date.now() - start < 120_000);
      await page.getByRole('main').getByText('Above: summarised. Below: remembered in full').waitFor();
      await memory.locator('.legend').getByText('Summaries').waitFor();

      await fold.locator('summary').click();
      assert.match((await fold.locator('.fold-text').textContent()) ?? '', /\S/);
      await fold.getByRole('button', { name: 'Show these messages' }).click();
      await fold
        .locator('.covered')
        .getByText('The release is on Friday at noon, and Mira signs it off.')
        .first()
        .waitFor();

      await memory.getByRole('button', { name: 'The exact next prompt' }).click();
      const prompt = page.getByRole('dialog', { name: 'The exact next prompt' });
      await prompt.locator('.prompt-message.system').waitFor();
      assert.match((await prompt.textContent()) ?? '', /channel_summary/);
      await page.keyboard.press('Escape');
      await prompt.waitFor({ state: 'detached' });

      await page.getByRole('button', { name: 'Give it its usual memory back' }).click();
      await memory.getByText('of 12,000 tokens').waitFor();
    },
  );

  await t.test('exports, resets and brings back the memory from the inspector', async () => {
    const page = await stage.visit();
    const memory = page.getByRole('complementary', { name: 'Memory' });
    await page.getByRole('button', { name: 'Tell it something' }).click();
    await page.getByRole('button', { name: 'Ask for it later' }).click();
    await page.getByRole('button', { name: 'Watch it fold' }).click();
    await memory.locator('.fold').first().waitFor({ timeout: 60_000 });
    await memory.getByText(/^Summarising/).waitFor({ state: 'detached' });
    await memory.getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      memory.getByRole('link', { name: /\.json$/ }).click(),
    ]);
    assert.match(await readFile(await download.path(), 'utf8'), /Mira signs it off/);
    await memory.getByRole('button', { name: 'Reset', exact: true }).click();
    await memory.getByText('0 messages').waitFor();
    await page.getByRole('heading', { name: 'This channel remembers what is said in it' }).waitFor();
    await memory.getByRole('button', { name: 'Undo the reset' }).click();
    await memory.locator('.fold').first().waitFor();
    await page.getByRole('main').getByText('Above: summarised. Below: remembered in full').waitFor();

    await memory.getByRole('button', { name: 'Forget everything' }).click();
    await page.getByRole('button', { name: 'Yes, erase it' }).click();
    await memory.getByText('No summaries yet.').waitFor();
    await page.locator('main .entry').first().waitFor({ state: 'hidden' });
  });
});
