import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { getEncoding } from 'js-tiktoken';
import { Keyv } from 'keyv';
import { OpenAI } from 'openai';

/**
 * The bot that one writes in an afternoon, and that many have: a channel's whole history is one value in Keyv, read,
 * counted and written anew at every message. Here to be measured against, and for nothing else.
 */

export interface Said {
  role: 'user' | 'assistant';
  content: string;
}

export interface NaiveHistory {
  read(channel: string): Promise<Said[]>;
  add(channel: string, turns: readonly Said[]): Promise<void>;
}

/** `onWrite` hears how many bytes each write had. */
export function createNaiveHistory(file: string | undefined, onWrite: (bytes: number) => void): NaiveHistory {
  const values = file === undefined ? new Map<string, string>() : openTable(file);
  const store = {
    capabilities: { expires: true },
    get: async (key: string) => values.get(key),
    async set(key: string, value: string) {
      onWrite(Buffer.byteLength(key) + Buffer.byteLength(value));
      values.set(key, value);
      return true;
    },
    delete: async (key: string) => values.delete(key),
    clear: async () => values.clear(),
    disconnect: async () => undefined,
  };
  const keyv = new Keyv<Said[]>({ store, serialization: { stringify: JSON.stringify, parse: JSON.parse } });
  const read = async (channel: string): Promise<Said[]> => (await keyv.get(channel)) ?? [];
  return {
    read,
    async add(channel, turns) {
      await keyv.set(channel, [...(await read(channel)), ...turns]);
    },
  };
}

/** As durable as ours: an fsync each write. */
function openTable(file: string) {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE kv (k TEXT PRIMARY KEY, v TEXT) STRICT;');
  const select = db.prepare('SELECT v FROM kv WHERE k = ?');
  const upsert = db.prepare('INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET v = excluded.v');
  const remove = db.prepare('DELETE FROM kv WHERE k = ?');
  return {
    get(key: string): string | undefined {
      const value = select.get(key)?.v;
      return typeof value === 'string' ? value : undefined;
    },
    set: (key: string, value: string) => upsert.run(key, value),
    delete: (key: string) => remove.run(key).changes > 0,
    clear: () => db.exec('DELETE FROM kv'),
  };
}

export type Recount = (turns: readonly Said[], budget: number) => Said[];

/** Counts everything, every time, and takes the newest that fit. */
export function createRecount(): Recount {
  const encoding = getEncoding('o200k_base');
  return (turns, budget) => {
    const counts = turns.map((turn) => encoding.encode(turn.content, [], []).length + 4);
    let from = turns.length - 1;
    let total = counts[from] ?? 0;
    while (from > 0 && total + (counts[from - 1] ?? 0) <= budget) total += counts[--from] ?? 0;
    return turns.slice(from);
  };
}

async function serve(baseURL: string): Promise<void> {
  const history = createNaiveHistory(undefined, () => undefined);
  const recount = createRecount();
  const client = new OpenAI({ baseURL, apiKey: 'none' });
  const emit = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

  async function answer(line: { id: string; channel: string; text: string }): Promise<void> {
    const { id, channel, text } = line;
    await history.add(channel, [{ role: 'user', content: text }]);
    emit({ type: 'accepted', id });
    const messages = recount(await history.read(channel), 12_000);
    const stream = await client.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
    let content = '';
    for await (const chunk of stream) content += chunk.choices[0]?.delta.content ?? '';
    await history.add(channel, [{ role: 'assistant', content }]);
    emit({ type: 'write', id, text: content, last: true });
  }

  for await (const line of createInterface({ input: process.stdin })) {
    void answer(JSON.parse(line)).catch((error: unknown) => emit({ type: 'error', message: String(error) }));
  }
}

if (import.meta.main) await serve(process.argv[2] ?? '');
