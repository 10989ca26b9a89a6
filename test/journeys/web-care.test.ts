import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { makeChannel, noBrowser, openChannel, openStage, say } from './web-setup.ts';

/** What people do in haste, and what goes wrong: asked about first, said once, and where it happened. */

test('in the console, with care', { skip: noBrowser }, async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const model = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', MODEL_FIRST_TOKEN_SECONDS: '5', TOOLS: '' };
  const stage = await openStage(t, model);

  await t.test('a message is deleted only after a second look, on a phone and by keyboard', async () => {
    server.answerWith(() => 'Noted.');
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    const page = await stage.visit({ name: 'Ann', ...phone });
    await page.getByRole('button', { name: 'Channels', exact: true }).tap();
    await makeChannel(page, 'deleting');
    await say(page, 'The bin is near the pencil.');
    await page.locator('main .answer').getByText('Noted.').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).tap();
    const dialog = page.getByRole('dialog', { name: 'Delete this message?' });
    await dialog.getByText('with the answer to it').waitFor();
    const box = await dialog.boundingBox();
    assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390, 'all of it is on the phone');
    await dialog.getByRole('button', { name: 'Cancel' }).tap();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.locator('main .entry').count(), 2);
    await page.getByRole('button', { name: 'Delete this answer' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Delete this answer?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Delete', exact: true }).tap();
    await dialog.getByRole('button', { name: 'Delete for good' }).tap();
    await page.locator('main .entry').first().waitFor({ state: 'detached' });
  });

  await t.test('what is forgotten from the memory is named first, in a dialog', async () => {
    const page = await stage.visit({ name: 'Ann', expected: /400/ });
    await makeChannel(page, 'forgetting');
    const memory = page.getByRole('complementary', { name: 'Memory' });
    await memory.getByRole('button', { name: 'Forget', exact: true }).click();
    await memory.getByText('There is nothing here that could be forgotten.').waitFor();
    await say(page, 'Forget me not.');
    await page.locator('main .answer').getByText('Noted.').waitFor();
    await memory.getByRole('button', { name: 'Forget everything' }).click();
    const dialog = page.getByRole('dialog', { name: 'Forget everything that was said here?' });
    await dialog.getByText('cannot be undone').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('main .entry').count(), 2);
    await memory.getByRole('button', { name: 'Forget everything' }).click();
    await dialog.getByRole('button', { name: 'Yes, erase it' }).click();
    await page.locator('main .entry').first().waitFor({ state: 'detached' });
  });

  await t.test('a reset says in words what it is, and everybody can undo it where it is told', async () => {
    const ann = await stage.visit({ name: 'Ann' });
    await makeChannel(ann, 'resetting');
    const bob = await stage.visit({ name: 'Bob' });
    await openChannel(bob, 'resetting');
    await say(ann, 'The key lies under the mat.');
    await bob.locator('main .answer').getByText('Noted.').waitFor();
    const reset = ann.getByRole('button', { name: 'Reset the memory' });
    assert.equal((await reset.textContent())?.trim(), 'Reset');
    await reset.click();
    await bob.locator('main .entry').first().waitFor({ state: 'detached' });
    await bob.locator('main .said').getByRole('button', { name: 'Undo' }).click();
    await ann.locator('main .entry').getByText('The key lies under the mat.').waitFor();
    const memory = ann.getByRole('complementary', { name: 'Memory' });
    await memory.getByRole('button', { name: 'Reset', exact: true }).click();
    await bob.locator('main .said').getByText('Ann reset my memory').last().waitFor();
    await memory.getByRole('button', { name: 'Undo the reset' }).click();
    await bob.locator('main .entry').getByText('The key lies under the mat.').waitFor();
  });

  await t.test('a failure is said once, with its Retry, also after a reload and until it is answered', async () => {
    server.answerWith(() => failure(400, { message: 'no' }));
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'failing');
    await say(page, 'Is anybody there?');
    const shown = page.locator('main .entry .unanswered');
    await shown.waitFor();
    const once = async () => {
      assert.equal(await page.locator('main .warning-said').count(), 1);
      assert.match((await shown.textContent()) ?? '', /^\s*(⚠️ )?[A-Z].*\.\s*Retry$/s);
    };
    await once();
    await page.reload();
    await shown.waitFor();
    await once();
    server.answerWith(() => 'Yes, now.');
    await shown.getByRole('button', { name: 'Retry' }).click();
    await page.locator('main .answer').getByText('Yes, now.').waitFor();
    await page.locator('main .warning-said').waitFor({ state: 'detached' });
  });

  await t.test('what is set is completed up to its value', async () => {
    const page = await stage.visit();
    const composer = page.locator('#composer');
    await composer.fill('/settings set temp');
    await page.getByRole('option', { name: /^\/settings set temperature/ }).waitFor();
    await composer.press('Tab');
    await page.keyboard.type('0.5');
    assert.equal(await composer.inputValue(), '/settings set temperature 0.5');
  });

  await t.test('a copied answer says so', async () => {
    server.answerWith(() => 'Copy me.');
    const page = await stage.visit({ permissions: ['clipboard-read', 'clipboard-write'] });
    await makeChannel(page, 'copying');
    await say(page, 'What shall I copy?');
    const answer = page.locator('main .answer').first();
    await answer.getByText('Copy me.').waitFor();
    await answer.hover();
    await answer.getByRole('button', { name: 'Copy this answer' }).click();
    await answer.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'Copy me.');
  });

  await t.test('a file that cannot be read is refused when it is chosen', async () => {
    const page = await stage.visit({ expected: /415/ });
    await makeChannel(page, 'binaries');
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Attach files' }).first().click(),
    ]);
    await chooser.setFiles({ name: 'paper.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') });
    await page.getByRole('list', { name: 'Files to be sent' }).getByText('I read text and images only.').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Send' }).isDisabled());
  });

  await t.test('no two channels have one name', async () => {
    const page = await stage.visit({ expected: /400/ });
    await makeChannel(page, 'twins');
    await page.getByRole('button', { name: 'New channel' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Twins');
    await page.getByRole('button', { name: 'Create channel' }).click();
    await page.getByRole('dialog').getByText('There is a channel called “Twins” already.').waitFor();
  });
});
