import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, say, startProgram } from './program.ts';

/** Errors that nobody caught: in the log without a word that is not ours, and no event lost. */

const secret = 'sk-stray-0123456789';

function throwing(code: string): string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${code} })`)}`];
}

test('after an exception nobody caught the program says so without a secret, ends in good order, and goes on at the next start', async (t) => {
  const model = await startModelServer({
    answer: ({ n }) => (n === 1 ? { pieces: ['Begun'], hang: 'after-pieces' } : 'Done.'),
  });
  t.after(() => model.close());
  const env = { DATA_DIR: newFolder(t), OPENAI_API_KEY: secret, OPENAI_BASE_URL: model.url, LOG_LEVEL: 'info' };
  const nodeArgs = throwing(`setImmediate(() => { throw new Error('${secret}'); })`);
  const program = startProgram({ env, nodeArgs });
  const id = say(program, 'hello');
  await program.line((line) => line.type === 'write' && line.id === id);
  program.child.kill('SIGUSR2');
  assert.equal(await program.ended, 1);
  assert.match(program.errors(), /something failed in a way that nobody expected: I end, and go on at the next start/);
  assert.ok(!`${program.output()}${program.errors()}`.includes(secret));
  assert.doesNotMatch(program.errors(), /^\s+at /m, 'no raw stack');
  const next = startProgram({ env });
  assert.equal((await next.ending(id)).text, 'Done.');
  assert.equal(await next.end(), 0);
});

test('a promise that failed and that nobody looked at is written down, and the program goes on', async (t) => {
  const env = { DATA_DIR: newFolder(t), LOG_LEVEL: 'info' };
  const nodeArgs = throwing(`void Promise.reject(new Error('${secret}'))`);
  const program = startProgram({
    env: { ...env, OPENAI_API_KEY: secret, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
    nodeArgs,
  });
  await program.ending(say(program, 'hello'));
  program.child.kill('SIGUSR2');
  await program.ending(say(program, 'and on'));
  assert.equal(await program.end(), 0);
  assert.match(program.errors(), /a promise failed, and nobody looked at it/);
  assert.ok(!program.errors().includes(secret));
});
