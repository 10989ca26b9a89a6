import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { startModelServer } from '../sim/model-server.ts';
import { conversation, makeChannel, noBrowser, openChannel, openStage, say } from './web-setup.ts';

/** What people and models write is shown, never run; and what gets lost on the way is shown later. */

const hostile = [
  '<img src=x onerror="window.hurt=1"> <svg onload="window.hurt=2">',
  '<script>window.hurt=3</script><style>body{display:none}</style>',
  '[a link](javascript:window.hurt=4) [another](data:text/html,<script>window.hurt=5</script>)',
  '![a picture](https://example.org/track.png) <form action=/logout><button>Log out</button></form>',
  '<a href="&#106;avascript:window.hurt=6" style="position:fixed;inset:0">over everything</a>',
  '<iframe srcdoc="<script>parent.hurt=7</script>"></iframe> <math><mi//xlink:href="data:x,<script>hurt=8</script>">',
].join('\n\n');

test('the console stands what comes', { skip: noBrowser }, async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const model = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'any-model' };
  const stage = await openStage(t, { ...model, MAX_REPLY_TOKENS: '100000' });

  await t.test('hostile content is inert, in messages, answers, names, the inspector and the prompt', async () => {
    server.answerWith(() => hostile);
    const page = await stage.visit({ name: '<img src=x onerror=hurt=9>' });
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(stage.url)) foreign.push(request.url());
    });
    await makeChannel(page, '<b onmouseover=hurt=10>bold');
    await say(page, hostile);
    await page.locator('main .answer').getByText('over everything').waitFor();
    await page.getByRole('button', { name: 'Reset the memory' }).waitFor();
    await page.getByRole('complementary', { name: 'Memory' }).getByText('2 messages in full').waitFor();
    await page.getByRole('button', { name: 'The exact next prompt' }).click();
    await page.locator('.prompt-message').last().waitFor();
    await page.keyboard.press('Escape');
    await page.reload();
    await page.locator('main .answer').getByText('over everything').waitFor();
    for (const link of await page.locator('main .markdown a').all()) {
      assert.match((await link.getAttribute('href')) ?? 'https://', /^https:\/\//);
    }
    assert.equal(await page.locator('main .markdown :is(img, svg, script, style, form, iframe, [style])').count(), 0);
    assert.equal(await page.evaluate('window.hurt'), undefined);
    assert.deepEqual(foreign, []);
    assert.ok(
      (await conversation(page))[1]?.includes('<script>window.hurt=3</script>'),
      'it is shown as it was written',
    );
  });

  await t.test('a megabyte in one line comes in, is shown by its beginning, and the page goes on', async () => {
    server.answerWith(() => ({ pieces: Array.from({ length: 64 }, () => 'x'.repeat(16_384)) }));
    const page = await stage.visit();
    await makeChannel(page, 'long');
    await say(page, 'Much, please.');
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor({ state: 'detached' });
    assert.ok((await responseMs(page)) < 1000);
    await page.reload();
    await page
      .getByRole('button', { name: /^Show all of it/ })
      .first()
      .waitFor();
    assert.ok((await responseMs(page)) < 1000);
    await page.locator('#composer').fill('y'.repeat(1_048_576));
    await page.getByText('This is too long to be sent.').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled());
  });

  await t.test(
    'after a loss of the network what was missed is shown, and what could not be sent is sent again',
    async () => {
      server.answerWith(() => 'Answered.');
      const ann = await stage.visit({ name: 'Ann', expected: /ERR_INTERNET_DISCONNECTED/ });
      await makeChannel(ann, 'losing');
      const bob = await stage.visit({ name: 'Bob' });
      await openChannel(bob, 'losing');
      await ann.context().setOffline(true);
      await ann.getByText('The connection is lost.', { exact: false }).first().waitFor();
      await say(ann, 'Does anybody hear me?');
      await ann.getByRole('alert').getByText('Not sent.').waitFor();
      await say(bob, 'Where is Ann?');
      await bob.locator('main .answer').getByText('Answered.').waitFor();
      await ann.context().setOffline(false);
      await ann.locator('main .entry').getByText('Where is Ann?').waitFor();
      await ann.locator('main .answer').getByText('Answered.').waitFor();
      await ann.locator('.banner').waitFor({ state: 'detached' });
      await ann.getByRole('button', { name: 'Send again' }).click();
      await bob.locator('main .entry').getByText('Does anybody hear me?').waitFor();
      await ann.locator('.failed-note').waitFor({ state: 'detached' });
    },
  );
});

/** How long the page takes to answer. */
async function responseMs(page: Page): Promise<number> {
  const start = performance.now();
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');
  return performance.now() - start;
}
