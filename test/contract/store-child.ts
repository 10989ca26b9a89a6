import { z } from 'zod';
import { BotError } from '../../src/errors.ts';
import { openStore } from '../../src/storage/open.ts';
import { type RecordKind, record, type Store } from '../../src/storage/store.ts';

/** A program with a store of its own, for what cannot be tried within one process. Its output is lines of JSON. */

const kind: RecordKind<{ text: string }> = {
  name: 'note',
  version: 1,
  schema: z.object({ text: z.string() }),
  upgrades: {},
};

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof BotError ? `${error.kind}: ${error.message}` : String(error);
  }
}

const commit = (store: Store, id: string, text: string) => store.commit([record(kind, id, { text })]);

const programs: Record<string, (store: Store) => Promise<void>> = {
  /** Holds the store until it is killed: an open store keeps its program alive. */
  async hold() {
    print('open');
  },

  async write(store) {
    await commit(store, 'a', 'one');
    await store.close();
    print('closed');
  },

  /** Eight writers, two records a commit, each acknowledged when its commit resolves; ends only by being killed. */
  async 'write for ever'(store) {
    const writer = async (name: string) => {
      for (let count = 0; ; count++) {
        const id = `${name}:${count}`;
        const text = `${id} `.repeat(200);
        await store.commit([record(kind, `first:${id}`, { text }), record(kind, `second:${id}`, { text })]);
        print(id);
      }
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(writer));
  },

  /** On a disk with room for a few megabytes. */
  async 'fill the disk'(store) {
    const before = await outcome(commit(store, 'before', 'was there'));
    const [beside, large, after] = await Promise.all([
      outcome(commit(store, 'beside', 'posted before the large one')),
      outcome(commit(store, 'large', 'x'.repeat(20_000_000))),
      outcome(commit(store, 'after', 'posted after the large one')),
    ]);
    const read = await outcome(
      store.get(kind, 'before').then((found) => found?.text === 'was there' || Promise.reject()),
    );
    const later = await outcome(commit(store, 'later', 'once it had failed'));
    const ids = (await store.list(kind, '')).map(({ id }) => id);
    await store.close();
    print({ before, beside, large, after, read, later, ids });
  },
};

const [program = '', path = ''] = process.argv.slice(2);
const opening = openStore(`sqlite:${path}`);
const opened = await outcome(opening);
if (opened === 'done') await programs[program]?.(await opening);
else print(opened);
