import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Store } from '../../src/storage/store.ts';

/**
 * The same store, each call begun and answered a random while after it was asked for. What is right only because a store
 * answers at once goes wrong here. As every store must, it begins writes in the order they were asked for.
 */
export function slowStore(store: Store, random = seededRandom(nextSeed())): Store {
  let lastBegun: Promise<void> = Promise.resolve();

  async function delay(): Promise<void> {
    const draw = random();
    if (draw > 0.97) await setTimeout(1 + Math.floor(random() * 4));
    else for (let turns = Math.floor(draw * 5); turns > 0; turns--) await setImmediate();
  }

  async function delayed<T>(run: () => Promise<T>): Promise<T> {
    await delay();
    try {
      return await run();
    } finally {
      await delay();
    }
  }

  async function inOrder<T>(run: () => Promise<T>): Promise<T> {
    const turn = lastBegun.then(delay);
    lastBegun = turn;
    await turn;
    try {
      return await run();
    } finally {
      await delay();
    }
  }

  return {
    get: (kind, id) => delayed(() => store.get(kind, id)),
    list: (kind, prefix, range) => delayed(() => store.list(kind, prefix, range)),
    commit: (records) => inOrder(() => store.commit(records)),
    erase: (keys) => inOrder(() => store.erase(keys)),
    close: () => store.close(),
  };
}

/** The same in each run, others with `LONG`; told where a run fails, for `STORE_SEED` brings its delays back. */
const firstSeed = Number(
  process.env.STORE_SEED ?? (process.env.LONG ? Math.floor(Math.random() * 2 ** 32) : 20_261_201),
);
let stores = 0;
process.on('exit', (code) => {
  if (code !== 0 && stores > 0) process.stderr.write(`the delays of the store: STORE_SEED=${firstSeed}\n`);
});

function nextSeed(): number {
  return firstSeed + stores++;
}

/** Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
