import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { crashOnce } from '../journeys/discord-crash.ts';
import { setStage } from '../journeys/discord-setup.ts';

/** Killed before and after every request that an answer takes, with and without Discord's memory of nonces. */

const stage = await setStage({ after }, { discord: { limits: { count: 100, windowMs: 1000 } } });

for (const pieces of [1, 2, 4]) {
  for (const when of ['before', 'after'] as const) {
    for (const long of [false, true]) {
      test(`killed ${when} each request of an answer of ${pieces} messages${long ? ', and away for long' : ''}`, async () => {
        let crashes = 0;
        for (let n = 1; await crashOnce(stage, { when, n, long, pieces }); n++) crashes++;
        assert.ok(crashes >= pieces, `${crashes} crashes`);
      });
    }
  }
}
