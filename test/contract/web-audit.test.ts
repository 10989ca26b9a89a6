import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AuditAnswer } from '../../adapters/web/wire.ts';
import { startWebStage } from './web.ts';
import { openClient } from './web-client.ts';

const passwords = { app: 'open sesame', admin: 'let me administer' };
const stage = await startWebStage({ passwords, isLoopback: false });
after(() => stage.close());

test('an admin reads who did what, page by page; nobody else does', async () => {
  for (let n = 0; n < 5; n++) {
    stage.core.audit.note({ what: 'export', who: `chat:p${n}`, from: 'chat', detail: 'memory export' });
  }
  await stage.core.audit.idle();
  const admin = await openClient(stage.url, 'Admin', passwords.admin);
  const ask = async (query: string): Promise<AuditAnswer> => (await admin.call(`/api/audit?${query}`)).json() as never;
  const first = await ask('limit=3');
  const second = await ask(`limit=3&before=${encodeURIComponent(first.entries.at(-1)?.id ?? '')}`);
  const exports = [...first.entries, ...second.entries].filter(({ what }) => what === 'export').map(({ who }) => who);
  assert.deepEqual(exports.slice(-5), ['chat:p4', 'chat:p3', 'chat:p2', 'chat:p1', 'chat:p0']);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'before=%00', `before=${'x'.repeat(101)}`]) {
    assert.equal((await admin.call(`/api/audit?${query}`)).status, 400, query);
  }
  const visitor = await openClient(stage.url, 'Visitor', passwords.app);
  assert.equal((await visitor.call('/api/audit')).status, 403);
});
