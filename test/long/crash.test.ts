import { describe, test } from 'node:test';
import { surviveKills } from '../journeys/crash.ts';

describe('killed at random moments, the program loses nothing and answers nothing twice', { concurrency: 2 }, () => {
  for (let seed = 101; seed <= 150; seed++) {
    const plan = { seed, channels: 3 + (seed % 5), messages: 4 + (seed % 9), kills: 2 + (seed % 4) };
    test(`seed ${seed}: ${plan.kills} kills`, (t) => surviveKills(t, plan));
  }
});
