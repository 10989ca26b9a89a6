import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { crashAgain, crashOnce } from '../journeys/slack-crash.ts';
import { type Mode, setStage } from '../journeys/slack-setup.ts';

/** Killed before and after every call that an answer takes, streamed and edited, over sockets and requests. */

// What an answer of several messages calls is the same, however its question came.
const lines: [Mode, pieces: number[]][] = [
  ['socket', [1, 3]],
  ['http', [1]],
];

const env = { MAX_REPLY_TOKENS: '16000', MEMORY_TOKENS: '60000' };

for (const [mode, counts] of lines) {
  const stage = await setStage({ after }, { mode, env });
  for (const edited of [false, true]) {
    for (const pieces of counts) {
      for (const when of ['before', 'after'] as const) {
        const how = edited ? 'edited' : 'streamed';
        test(`${mode}: killed ${when} each call of ${how} answer of ${pieces} messages`, async () => {
          let crashes = 0;
          for (let n = 1; await crashOnce(stage, { when, n, pieces, edited }); n++) crashes++;
          assert.ok(crashes >= pieces, `${crashes} crashes`);
        });
      }
    }
  }

  for (const when of ['before', 'after'] as const) {
    test(`${mode}: killed ${when} each call of an answer that is asked for again`, async () => {
      let crashes = 0;
      for (let n = 1; await crashAgain(stage, { when, n }); n++) crashes++;
      assert.ok(crashes >= 3, `${crashes} crashes`);
    });
  }
}
