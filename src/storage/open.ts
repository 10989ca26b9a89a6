import { BotError } from '../errors.ts';
import { createMemoryBackend } from './memory.ts';
import { openSqlite } from './sqlite.ts';
import { createStore, type Limits, type Store } from './store.ts';

export async function openStore(url: string, limits?: Limits): Promise<Store> {
  if (url === 'memory:') return createStore(createMemoryBackend(), limits);
  if (/^sqlite:./.test(url)) return createStore(await openSqlite(url.slice('sqlite:'.length)), limits);
  // Not the address itself: it may hold a password.
  throw new BotError('config', 'STORE_URL must be memory: or sqlite: with the path of a file');
}
