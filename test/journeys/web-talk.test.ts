import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { conversation, makeChannel, noBrowser, openChannel, openStage, say } from './web-setup.ts';

/** People talk in the console, to the bot and to each other. */

test('in the console', { skip: noBrowser }, async (t) => {
  const server = await startModelServer();
  t.after(() => server.close());
  const stage = await openStage(t, { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test', TOOLS: '' });

  await t.test(
    'two browsers in one channel see each other’s messages, and the answer while it is written',
    async () => {
      const go = Promise.withResolvers<void>();
      server.answerWith(() => ({ pieces: ['The first half, ', go.promise, 'and **the second**.'] }));
      const ann = await stage.visit({ name: 'Ann' });
      await makeChannel(ann, 'together');
      const bob = await stage.visit({ name: 'Bob' });
      await openChannel(bob, 'together');
      await say(ann, 'What did Bob say?');
      for (const page of [ann, bob]) {
        await page.locator('main .entry').getByText('What did Bob say?').waitFor();
        await page.locator('main .answer').getByText('The first half,').waitFor();
      }
      go.resolve();
      for (const page of [ann, bob]) await page.locator('main .answer strong').getByText('the second').waitFor();
      server.answerWith(() => 'Hello Bob.');
      await say(bob, 'Nothing yet.');
      await ann.locator('main .answer').getByText('Hello Bob.').waitFor();
      const expected = [
        'Ann: What did Bob say?',
        'Channelore: The first half, and the second.',
        'Bob: Nothing yet.',
        'Channelore: Hello Bob.',
      ];
      for (const page of [ann, bob]) assert.deepEqual(await conversation(page), expected);
      assert.equal(
        await ann.getByRole('button', { name: 'Edit', exact: true }).count(),
        1,
        'only her own can be edited',
      );
      await ann.reload();
      await ann.locator('main .answer').getByText('Hello Bob.').waitFor();
      assert.deepEqual(await conversation(ann), expected, 'it is the same when it is read again');
    },
  );

  await t.test('an answer is stopped, and given again', async () => {
    server.answerWith((request) => ({ pieces: ['It begins… ', untilGone(request.gone)] }));
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'stopping');
    await say(page, 'Tell me a long story.');
    const answer = page.locator('main .answer');
    await answer.getByText('It begins…').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await answer.getByRole('button', { name: 'Retry' }).waitFor();
    assert.match((await answer.textContent()) ?? '', /It begins…/, 'what was written stays');
    await page.reload();
    server.answerWith(() => 'A short one.');
    await answer.getByRole('button', { name: 'Retry' }).click();
    await answer.getByText('A short one.').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor({ state: 'detached' });
    await page.getByText('It begins…').waitFor({ state: 'detached' });
    assert.equal(await answer.count(), 1);
  });

  await t.test('one’s own message is edited and deleted, and others see it', async () => {
    server.answerWith(() => 'Noted.');
    const ann = await stage.visit({ name: 'Ann' });
    await makeChannel(ann, 'changing');
    await say(ann, 'The cat is called Mirabele.');
    await ann.locator('main .answer').getByText('Noted.').waitFor();
    const bob = await stage.visit({ name: 'Bob' });
    await openChannel(bob, 'changing');
    await ann.getByRole('button', { name: 'Edit', exact: true }).click();
    await ann.getByRole('textbox', { name: 'Edit the message' }).fill('The cat is called Mirabelle.');
    await ann.keyboard.press('Enter');
    for (const page of [ann, bob]) {
      await page.locator('main .entry').getByText('The cat is called Mirabelle.').waitFor();
      await page.locator('main .entry').getByText('edited').waitFor();
    }
    await ann.getByRole('button', { name: 'Delete', exact: true }).click();
    await ann.getByRole('button', { name: 'Delete for good' }).click();
    for (const page of [ann, bob]) await page.getByText('The cat is called Mirabelle.').waitFor({ state: 'detached' });
  });

  await t.test(
    'reset gives a fresh memory, undo brings the old one back, with the button as with the command',
    async () => {
      server.answerWith(() => 'I see.');
      const page = await stage.visit({ name: 'Ann' });
      await makeChannel(page, 'resetting');
      await say(page, 'The key lies under the mat.');
      await page.locator('main .answer').getByText('I see.').waitFor();
      await page.getByRole('button', { name: 'Reset the memory' }).click();
      await page.locator('main .entry').first().waitFor({ state: 'detached' });
      await page.locator('main .said').first().waitFor();
      await say(page, '/undo');
      await page.locator('main .entry').getByText('The key lies under the mat.').waitFor();
      assert.equal(await page.locator('main .answer').count(), 1);
    },
  );

  await t.test(
    'a thread is a conversation of its own beside the channel, and knows what the channel knew',
    async () => {
      server.answerWith((request) => `Heard: ${request.last.slice(0, 80)}`);
      const page = await stage.visit({ name: 'Ann' });
      await makeChannel(page, 'threading');
      await say(page, 'Which colour for the door?');
      await page.locator('main .answer').getByText('Heard:').waitFor();
      await page.locator('main .entry').first().hover();
      await page.getByRole('button', { name: 'Open a thread' }).click();
      const thread = page.getByRole('complementary', { name: 'Thread' });
      await thread.getByRole('textbox', { name: 'Message the thread' }).fill('Green, I think.');
      await page.keyboard.press('Enter');
      await thread.locator('.answer').getByText('Green, I think.').waitFor();
      const [inThread] = server.requests.slice(-1);
      assert.match(JSON.stringify(inThread?.body), /Which colour for the door/);
      assert.equal((await conversation(page)).length, 2, 'the channel itself has nothing of it');
      await page.keyboard.press('Escape');
      await thread.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Open the thread' }).click();
      await thread.locator('.answer').getByText('Green, I think.').waitFor();
    },
  );

  await t.test('files come with a message by button, paste and drop, and the model reads them', async () => {
    server.answerWith(() => 'Read.');
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'files');
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Attach files' }).first().click(),
    ]);
    await chooser.setFiles({ name: 'button.txt', mimeType: 'text/plain', buffer: Buffer.from('came by button') });
    await page.evaluate(pasteAndDrop);
    const waiting = page.getByRole('list', { name: 'Files to be sent' });
    for (const name of ['button.txt', 'paste.txt', 'drop.txt']) await waiting.getByText(name).waitFor();
    await waiting.getByText('Uploading…').first().waitFor({ state: 'detached' });
    await say(page, 'What is in these?');
    await page.locator('main .answer').getByText('Read.').waitFor();
    await page.getByRole('list', { name: 'Attachments' }).getByText('drop.txt').waitFor();
    const asked = JSON.stringify(server.requests.at(-1)?.body);
    for (const text of ['came by button', 'came by paste', 'came by drop']) assert.ok(asked.includes(text), text);
  });

  await t.test('a role is set in its box, and sent first from then on', async () => {
    server.answerWith(() => 'Arr.');
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'roles');
    await page.getByTitle('The bot’s role here').click();
    await page.getByRole('dialog').getByRole('textbox').fill('You are a pirate.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByTitle('The bot’s role here').getByText('You are a pirate.').waitFor();
    await say(page, 'Hello');
    await page.locator('main .answer').getByText('Arr.').waitFor();
    assert.match(String(server.requests.at(-1)?.messages[0]?.text), /You are a pirate\./);
  });

  await t.test('a fold is seen while it is written', async () => {
    const go = Promise.withResolvers<void>();
    const summary = ['Ann keeps bees in four hives behind the house, ', go.promise, 'and sells the honey in autumn.'];
    server.answerWith(({ messages }) =>
      messages[0]?.text.startsWith('You write the memory') ? { pieces: summary } : 'I see.',
    );
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'folding');
    await say(page, '/settings set memory_tokens 1000');
    await page.locator('main .said').waitFor();
    for (const part of ['first', 'second', 'third']) {
      await say(page, `The ${part} part. ${'My bees live in four hives behind the house. '.repeat(25)}`);
    }
    const memory = page.getByRole('complementary', { name: 'Memory' });
    await memory.getByText(/^Summarising messages 1 to \d+: \d+%$/).waitFor();
    go.resolve();
    await memory.locator('.fold').first().waitFor();
    await memory.getByText(/^Summarising/).waitFor({ state: 'detached' });
  });

  await t.test('a channel is renamed and deleted', async () => {
    const page = await stage.visit({ name: 'Ann' });
    await makeChannel(page, 'passing');
    await page.getByRole('button', { name: 'Rename passing' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('staying');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: '# staying' }).waitFor();
    await page.getByRole('button', { name: 'Delete staying' }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('heading', { level: 1, name: 'Private', exact: true }).waitFor();
    await page.getByRole('link', { name: 'staying', exact: true }).waitFor({ state: 'detached' });
  });
});

async function untilGone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

/** What a browser does when somebody pastes a file and drops another. */
const pasteAndDrop = `
  const carry = (name, text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name, { type: 'text/plain' }));
    return data;
  };
  const area = document.getElementById('composer');
  const options = { bubbles: true, cancelable: true };
  area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carry('paste.txt', 'came by paste'), ...options }));
  area.dispatchEvent(new DragEvent('drop', { dataTransfer: carry('drop.txt', 'came by drop'), ...options }));
`;
