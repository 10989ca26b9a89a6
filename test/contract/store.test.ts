import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { storeContract } from './store.ts';

const dir = mkdtempSync(join(tmpdir(), 'store-'));
after(() => rmSync(dir, { recursive: true }));

let files = 0;

storeContract('memory', async () => createMemoryBackend());
storeContract('SQLite', () => openSqlite(join(dir, `${files++}.db`)));
