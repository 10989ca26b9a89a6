import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setStage } from './slack-setup.ts';

/** Many people send large images at once: all are looked at, and the program holds no more of them than its bound. */

const imageBytes = 8 * 1024 * 1024 - 1000;
const imagesEach = 4;
const mark = Buffer.from('"image_url":{');

/** Reads a request without keeping it, and answers with how many images stood in it. */
async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  let images = 0;
  let before = Buffer.alloc(0);
  for await (const part of incoming) {
    const seen = Buffer.concat([before, Buffer.from(part)]);
    for (let at = seen.indexOf(mark); at >= 0; at = seen.indexOf(mark, at + 1)) images++;
    before = seen.subarray(Math.max(0, seen.length - mark.length + 1));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const choices = [{ index: 0, delta: { content: `I saw ${images} images.` }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 1000, completion_tokens: 5, total_tokens: 1005 };
  const head = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
  response.write(`data: ${JSON.stringify({ ...head, choices })}\n\n`);
  response.end(`data: ${JSON.stringify({ ...head, choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

export function imagesTest(count: number, mostMegabytes: number): void {
  const name = `${count} messages with four large images each, at once, are all answered below ${mostMegabytes} MB`;
  test(name, { timeout: 240_000 }, async (t) => {
    const server = createServer(
      (incoming, response) => void answer(incoming, response).catch(() => response.destroy()),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, MEMORY_TOKENS: '20000', MAX_REPLY_TOKENS: '100' };
    const stage = await setStage(t, { env, slack: { retryMs: 60_000 } });
    const asked = Array.from({ length: count }, (_, n) => {
      const channel = stage.slack.world.addChannel(`c${n}`);
      const files = Array.from({ length: imagesEach }, (_, i) =>
        stage.slack.attach(`${n}-${i}.png`, 'image/png', Buffer.alloc(imageBytes, n * imagesEach + i)),
      );
      return {
        channel,
        message: stage.slack.say(stage.ann, channel, `<@${stage.slack.world.bot.id}> look`, { files }),
      };
    });
    for (const { channel, message } of asked) {
      const pieces = await stage.answerTo(channel, message, 200_000);
      assert.match(JSON.stringify(pieces), /I saw 4 images\./);
    }
    const status = readFileSync(`/proc/${stage.program().child.pid}/status`, 'utf8');
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    t.diagnostic(`peak ${peak.toFixed(0)} MB`);
    assert.ok(peak < mostMegabytes, `${peak.toFixed(0)} MB`);
  });
}
