import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { noBrowser, openStage } from './web-setup.ts';

const general = '#web/console/general';

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
      await page.getByRole('button', { name: 'See it summarise' }).click();
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

      await page.getByRole('button', { name: 'Restore the normal memory size' }).click();
      await memory.getByText('of 12,000 tokens').waitFor();

      await page.goto(`${stage.url}/${general}`);
      await page.getByRole('heading', { name: 'This channel remembers what is said in it' }).waitFor();
      assert.equal(await page.locator('.step').count(), 0, 'nothing is written where others are');
      const second = await page.context().newPage();
      await second.goto(stage.url);
      await second.locator('main .answer').first().waitFor();
      await second.getByRole('button', { name: 'Reset the memory' }).click();
      await second.getByRole('heading', { name: 'This channel remembers what is said in it' }).waitFor();
      assert.equal(await second.locator('.step').count(), 0, 'never again after the first visit');
      await second.locator('main .said').getByRole('button', { name: 'Undo' }).click();
      await second.locator('main .answer').first().waitFor();
    },
  );

  await t.test('whose tour is refused on the way sees it end, with the memory as it was', async () => {
    const page = await stage.visit({ expected: /429/ });
    const memory = page.getByRole('complementary', { name: 'Memory' });
    let posts = 0;
    await page.route('**/messages', async (route) => {
      posts += 1;
      const refused = { status: 429, contentType: 'application/json', body: '{"problem":"Too much for today."}' };
      await (posts === 2 ? route.fulfill(refused) : route.continue());
    });
    await page.getByRole('button', { name: 'See it summarise' }).click();
    await page.getByText('The tour ends here. There was no answer. The memory has its normal size.').waitFor();
    await memory.getByText('of 12,000 tokens').waitFor();
    assert.equal(posts, 2, 'it stops at once');
    assert.equal(await page.getByRole('button', { name: 'Restore the normal memory size' }).count(), 0);
  });

  await t.test('who leaves the tour in its middle finds the memory restored', async () => {
    // The page that goes and the one that comes may both restore it: the second is told that nothing is set.
    const page = await stage.visit({ expected: /400/ });
    const isSmall = page.waitForResponse((response) => response.url().endsWith('/orders'));
    await page.route('**/messages', () => undefined); // Its messages never arrive.
    await page.getByRole('button', { name: 'See it summarise' }).click();
    await isSmall;
    const memory = page.getByRole('complementary', { name: 'Memory' });
    await memory.getByText('of 1,000 tokens').waitFor();
    await page.unroute('**/messages');
    await page.reload();
    await memory.getByText('of 12,000 tokens').waitFor();
  });

  await t.test('exports, resets and brings back the memory from the inspector', async () => {
    const page = await stage.visit();
    const memory = page.getByRole('complementary', { name: 'Memory' });
    await page.getByRole('button', { name: 'Tell it something' }).click();
    await page.getByRole('button', { name: 'Ask for it later' }).click();
    await page.getByRole('button', { name: 'See it summarise' }).click();
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

test('no tour is offered where it would count in a budget', { skip: noBrowser }, async (t) => {
  const stage = await openStage(t, { BUDGET_USER_TOKENS: '6000' });
  await t.test('of tokens', async () => {
    const page = await stage.visit();
    await page.getByRole('heading', { name: 'This channel remembers what is said in it' }).waitFor();
    assert.equal(await page.locator('.step').count(), 0);
  });
});
