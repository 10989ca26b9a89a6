import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { startModelServer } from '../sim/model-server.ts';
import { makeChannel, noBrowser, openStage, say } from './web-setup.ts';

/** Text is shown as it was written, in its own direction, and no text stops the page. */

/** Far more than a portion of work on a slow machine, far less than the minute that it took at once. */
const longestPauseMs = 10_000;

const mixed = [
  'مرحبا بكم في قناة Channelore! كيف حالك؟',
  '- البند الأول with English\n- البند الثاني',
  'An English line with العربية in it.',
  '| الاسم | Cost |\n|---|---|\n| قهوة | 3 |',
  '> اقتباس قصير.',
].join('\n\n');

test('the console draws Markdown', { skip: noBrowser }, async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const stage = await openStage(t, { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'any' });

  await t.test('a long message full of emphasis is drawn in portions, and the page goes on meanwhile', async () => {
    server.answerWith(() => 'Answered.');
    const page = await stage.visit();
    await makeChannel(page, 'emphasis');
    const block = '*a_'.repeat(3_990);
    await say(page, Array.from({ length: 8 }, (_, n) => `block${n} ${block}`).join('\n\n'));
    await page.locator('main .answer').getByText('Answered.').waitFor({ timeout: 120_000 });
    await page.addInitScript(`
      window.longestPause = 0;
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        window.longestPause = Math.max(window.longestPause, now - last);
        last = now;
      }, 1);
    `);
    await page.reload();
    await page.locator('main .block').getByText('block7').waitFor({ timeout: 120_000 });
    await page.locator('main .answer').getByText('Answered.').waitFor({ timeout: 120_000 });
    const pause = await page.evaluate('window.longestPause');
    assert.ok(
      typeof pause === 'number' && pause > 0 && pause < longestPauseMs,
      `the page stood still for ${String(pause)} ms`,
    );
  });

  await t.test(
    'each block runs in the direction of its first letter, with bullets and columns on that side',
    async () => {
      server.answerWith(() => mixed);
      const page = await stage.visit({ colorScheme: 'light' });
      await makeChannel(page, 'directions');
      await say(page, 'مرحبا، what is this?');
      const answer = page.locator('main .answer');
      await answer.getByText('اقتباس').waitFor();
      const direction = async (what: string): Promise<string> =>
        (await styleOf(answer.locator(what).first())).direction;
      const found = await Promise.all(['p', 'ul', 'table', 'blockquote', 'p:has-text("An English")'].map(direction));
      assert.deepEqual(found, ['rtl', 'rtl', 'rtl', 'rtl', 'ltr']);
      const { paddingLeft, paddingRight } = await styleOf(answer.locator('ul'));
      assert.deepEqual(
        [paddingLeft, Number.parseFloat(paddingRight) > 10],
        ['0px', true],
        'the bullets stand at the right',
      );
      const said = page.locator('main .entry:not(.answer) p');
      assert.equal((await styleOf(said)).direction, 'rtl');
    },
  );

  await t.test('a formula is shown with every character it was written with', async () => {
    const formulas = ['\\(a^2_i * b_i * c\\)', '\\[x_1 < y_1\\]', '$$\\frac{a_1}{b_1} * c * d$$'];
    server.answerWith(() => formulas.join('\n\n'));
    const page = await stage.visit();
    await makeChannel(page, 'formulas');
    await say(page, 'Formulas, please.');
    await page.locator('main .answer p').nth(2).waitFor();
    assert.deepEqual(await page.locator('main .answer .markdown p').allInnerTexts(), formulas);
  });
});

interface Style {
  direction: string;
  paddingLeft: string;
  paddingRight: string;
}

async function styleOf(element: Locator): Promise<Style> {
  return await element.evaluate((one: { ownerDocument: { defaultView: { getComputedStyle(of: object): Style } } }) => {
    const { direction, paddingLeft, paddingRight } = one.ownerDocument.defaultView.getComputedStyle(one);
    return { direction, paddingLeft, paddingRight };
  });
}
