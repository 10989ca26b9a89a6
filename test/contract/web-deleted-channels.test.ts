import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headKind } from '../../src/conversation/head.ts';
import { pageKind } from '../../src/conversation/page.ts';
import { createMemoryBackend } from '../../src/storage/memory.ts';
import { createStore } from '../../src/storage/store.ts';

import { startWebStage } from './web.ts';
import { openClient, until } from './web-client.ts';

test('a channel that is deleted is forgotten whatever the lists of who may talk have become meanwhile', async (t) => {
  const store = createStore(createMemoryBackend());
  const first = await startWebStage({ store });
  t.after(() => first.close());
  const ann = await openClient(first.url, 'Ann');
  const made = (await ann.post('/api/channels', { name: 'garden' })).json() as { id: string };
  const key = encodeURIComponent(made.id);
  const message = { id: 'message-1', at: Date.now(), text: 'the canary is zqteal', uploads: [] };
  assert.equal((await ann.post(`/api/channels/${key}/messages`, message)).status, 202);
  await until(() => first.core.inbox.running() + first.core.inbox.waiting() === 0, 'it is answered');
  const pages = async (): Promise<string> =>
    JSON.stringify((await store.list(pageKind, `${made.id}:`)).map((one) => one.read()));
  assert.match(await pages(), /zqteal/);

  const second = await startWebStage({ store, env: { ALLOWED_USERS: 'web:somebody-else' } });
  t.after(() => second.close());
  const path = `/api/channels/${key}`;
  const cookie = ann.cookie();
  const headers = { cookie, 'x-channelore': '1', origin: second.url, connection: 'close' };
  const { status } = await fetch(second.url + path, { method: 'DELETE', headers });
  assert.ok(status < 300, String(status));
  await until(() => second.core.inbox.running() + second.core.inbox.waiting() === 0, 'it is done');
  assert.doesNotMatch(await pages(), /zqteal/);
  assert.ok((await store.get(headKind, made.id)) !== undefined);
});
