import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startModelServer } from '../sim/model-server.ts';
import { makeChannel, noBrowser, openStage, say } from './web-setup.ts';

/** Much was said in a short time, and whoever opens the channel reads all of it. */

const rounds = 55;

test('a long conversation', { skip: noBrowser }, async (t) => {
  const server = await startModelServer({ answer: ({ last }) => `Heard ${/round \d+/.exec(last)?.[0]}.` });
  t.after(() => server.close());
  const stage = await openStage(t, { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', TOOLS: '' });

  await t.test('of a moment ago is read to its beginning with "Earlier messages"', async () => {
    const writer = await stage.visit({ name: 'Ann' });
    await makeChannel(writer, 'crowd');
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
});

async function post(page: Page, text: string): Promise<void> {
  const channel = decodeURIComponent(new URL(page.url()).hash.slice(1));
  const { origin } = new URL(page.url());
  const answer = await page.context().request.post(`${origin}/api/channels/${encodeURIComponent(channel)}/messages`, {
    headers: { 'x-channelore': '1', origin },
    data: { id: crypto.randomUUID(), at: Date.now(), text, uploads: [] },
  });
  assert.equal(answer.status(), 202, await answer.text());
}
