import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, openChannel, openStage, say } from './web-setup.ts';

/** Passwords, what they open, and what an admin sees of the usage. */

test('two visitors', { skip: noBrowser }, async (t) => {
  const stage = await openStage(t);

  await t.test('begin each in a conversation of their own, and meet in a channel', async () => {
    const [ann, ben] = [await stage.visit({ name: 'Ann' }), await stage.visit({ name: 'Ben' })];
    for (const [page, text] of [
      [ann, 'My canary is zqteal.'],
      [ben, 'My canary is zqheron.'],
    ] as const) {
      await page.getByRole('heading', { level: 1, name: 'Private', exact: true }).waitFor();
      await say(page, text);
      await page.locator('main .answer').getByText('Noted:').waitFor();
    }
    await say(ben, 'What is my canary?');
    await ben.locator('main .answer').getByText('You told me').waitFor();
    for (const [page, others] of [
      [ann, 'zqheron'],
      [ben, 'zqteal'],
    ] as const) {
      await page.reload();
      await page.locator('main .answer').first().waitFor();
      assert.ok(!(await page.content()).includes(others));
    }
    await ann.getByRole('button', { name: 'Reset the memory' }).click();
    await ann.locator('main .entry').getByText('zqteal').first().waitFor({ state: 'detached' });
    await ben.reload();
    await ben.locator('main .answer').getByText('zqheron').first().waitFor();
    await openChannel(ann, 'general');
    await openChannel(ben, 'general');
    await say(ann, 'The meeting is at noon.');
    await ben.locator('main .entry').getByText('The meeting is at noon.').first().waitFor();
  });
});

test('with passwords', { skip: noBrowser }, async (t) => {
  const stage = await openStage(t, { APP_PASSWORD: 'open sesame 1', ADMIN_PASSWORD: 'open sesame 2' });

  async function logIn(page: Page, password: string): Promise<void> {
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  await t.test('nobody comes in with a wrong one, and who came in with the console’s sees no usage', async () => {
    const page = await stage.visit({ expected: /status of (401|403|429)/ });
    await logIn(page, 'wrong');
    await page.getByRole('alert').waitFor();
    assert.equal(new URL(page.url()).pathname, '/login');
    await logIn(page, 'open sesame 1');
    await page.getByRole('heading', { level: 1, name: 'Private', exact: true }).waitFor();
    await say(page, 'The tea is in the left cupboard.');
    await page.locator('main .answer').getByText('Noted:').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Usage' }).count(), 0);
    const refused = await page.request.get(`${stage.url}/api/usage?from=2026-01-01&to=2026-01-02`);
    assert.equal(refused.status(), 403);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal((await page.request.get(`${stage.url}/api/me`)).status(), 401);
  });

  await t.test('an admin reads what was used, by day and by person, with charts, and downloads it', async () => {
    const page = await stage.visit();
    await logIn(page, 'open sesame 2');
    await page.getByRole('heading', { level: 1, name: 'Private', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Usage' }).click();
    await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor();
    await page.locator('.chart svg').first().waitFor();
    const table = page.getByRole('region', { name: 'Table' });
    assert.equal(await table.locator('tbody tr').count(), 1, 'one day');
    await page.getByRole('button', { name: 'Person' }).click();
    await table.getByRole('cell', { name: /^Guest/ }).waitFor();
    const saved = async (name: string) => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
      return await readFile(await download.path(), 'utf8');
    };
    const [head = '', first = ''] = (await saved('CSV')).split('\n');
    assert.match(head, /day.*person.*model.*kind/);
    assert.match(first, /demo/);
    const report: { rows?: unknown[] } = JSON.parse(await saved('JSON'));
    assert.equal(report.rows?.length, 1);
    await page.getByRole('button', { name: 'Last month' }).click();
    await page.getByText('Nothing was asked in these days.').waitFor();
    await page.getByRole('button', { name: 'Log everybody out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log everybody out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal((await page.request.get(`${stage.url}/api/me`)).status(), 401);
  });
});
