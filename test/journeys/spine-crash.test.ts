import { describe, test } from 'node:test';
import { surviveKills } from './crash.ts';

/** A seeded few; `npm run test:long` does many. */
describe('killed at random moments, the program loses nothing and answers nothing twice', { concurrency: 2 }, () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`seed ${seed}`, (t) => surviveKills(t, { seed, channels: 4, messages: 6, kills: 2 + (seed % 2) }));
  }
});
