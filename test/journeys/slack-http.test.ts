import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { textOf } from '../sim/slack-world.ts';
import { setStage, shownText } from './slack-setup.ts';

/** Over requests: what is Slack's is taken, and nothing else. */

const stage = await setStage({ after }, { mode: 'http' });
const { slack, model, channel } = stage;

interface Given {
  body?: string;
  type?: string;
  headers?: Record<string, string>;
  method?: string;
  path?: string;
}

async function send({ body = '{}', type = 'application/json', headers, method = 'POST', path }: Given = {}) {
  const signed = headers ?? slack.delivery.sign(body);
  const url = path === undefined ? stage.requestUrl() : new URL(path, stage.requestUrl()).href;
  const init = { method, headers: { 'content-type': type, ...signed } };
  return await fetch(url, method === 'GET' ? init : { ...init, body });
}

const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;

test('a mention, a command and a click are answered', async () => {
  model.answerWith(() => 'over requests');
  const question = slack.say(stage.ann, channel, `${slack.mention} hello`);
  const [post] = await stage.answerTo(channel, question);
  assert.ok(post);
  assert.equal(shownText([post]), 'over requests');
  const asked = slack.command(stage.ann, channel, 'role show');
  await slack.until(() => slack.responses.get(asked.responseId)?.said[0], 'the command is answered');
  assert.equal(asked.failed, false);
  model.answerWith(() => 'once more');
  slack.press(stage.ann, channel, post, 'Retry');
  await slack.until(() => slack.posts(channel).some((one) => textOf(one) === 'once more'), 'the click is answered');
});

test('an event that comes again, in three copies, is acknowledged and answered once', async () => {
  const before = model.requests.length;
  model.answerWith(() => 'once');
  slack.delivery.faults.copies = 3;
  const question = slack.say(stage.ann, channel, `${slack.mention} again`);
  await stage.answerTo(channel, question);
  slack.repeat(question);
  slack.delivery.faults.copies = 1;
  await stage.answerTo(channel, slack.say(stage.ben, channel, `${slack.mention} and I?`));
  assert.equal(model.requests.length, before + 2);
});

test('Slack’s question whether it is there is answered', async () => {
  const response = await send({ body: JSON.stringify({ type: 'url_verification', challenge: 'abc' }) });
  assert.deepEqual([response.status, await response.json()], [200, { challenge: 'abc' }]);
  const check = await send({ body: 'ssl_check=1', type: 'application/x-www-form-urlencoded' });
  assert.equal(check.status, 200);
});

test('a wrong, a missing, a stale and a future signature are refused', async () => {
  const body = JSON.stringify({ type: 'url_verification', challenge: 'abc' });
  const good = slack.delivery.sign(body);
  const flipped = (good['x-slack-signature'] ?? '').replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const cases: [number, Record<string, string>][] = [
    [200, slack.delivery.sign(body, seconds(-290))],
    [200, slack.delivery.sign(body, seconds(290))],
    [401, slack.delivery.sign(body, seconds(-310))],
    [401, slack.delivery.sign(body, seconds(310))],
    [401, { ...good, 'x-slack-signature': flipped }],
    [401, { ...good, 'x-slack-signature': 'v0=' }],
    [401, { 'x-slack-request-timestamp': String(seconds(0)) }],
    [401, { ...good, 'x-slack-request-timestamp': 'soon' }],
    [401, slack.delivery.sign(`${body} `)],
    [401, {}],
  ];
  for (const [status, headers] of cases) {
    const response = await send({ body, headers });
    assert.equal(response.status, status, JSON.stringify(headers));
    await response.arrayBuffer();
  }
});

test('a body over a megabyte is refused, whether it says so beforehand or not', async () => {
  const body = JSON.stringify({ type: 'url_verification', challenge: 'x'.repeat(1_000_001) });
  assert.equal((await send({ body })).status, 413);
  const status = await new Promise<number | undefined>((resolve) => {
    const headers = { ...slack.delivery.sign(''), 'content-type': 'application/json' };
    const sending = request(stage.requestUrl(), { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on('error', () => resolve(undefined));
    // Without an end, in parts, and without saying how much it will be.
    for (let n = 0; n < 20; n++) sending.write(Buffer.alloc(100_000));
  });
  assert.ok(status === undefined || status === 413, String(status));
});

test('other paths, methods and bodies are refused, and it lives on', async () => {
  assert.equal((await send({ path: '/elsewhere' })).status, 404);
  assert.equal((await send({ method: 'GET' })).status, 405);
  assert.equal((await send({ body: '{"broken"' })).status, 400);
  assert.equal((await send({ body: '[]' })).status, 400);
  for (const body of ['{}', '{"type":"event_callback"}', '{"type":"event_callback","event":{"type":"message"}}']) {
    assert.ok((await send({ body })).status < 500, body);
  }
  model.answerWith(() => 'alive');
  const question = slack.say(stage.ann, channel, `${slack.mention} still there?`);
  assert.equal(shownText(await stage.answerTo(channel, question)), 'alive');
});

test('told to end, it ends in good order', async () => {
  assert.equal(await stage.program().signal('SIGTERM'), 0);
});
