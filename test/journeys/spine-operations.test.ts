import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { failure } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, order, type Program, say, startProgram } from './program.ts';

/** What the operator sees: health, metrics, configuration and logs. */

const cannotLimit =
  spawnSync('prlimit', ['--version']).status === 0 ? false : 'this system has no prlimit to fill the disk with';

const serving = { args: [] };

async function get(url: string, method = 'GET') {
  const response = await fetch(url, { method });
  return { status: response.status, text: await response.text() };
}

/** The address it serves on, from its own log. */
async function origin(program: Program): Promise<string> {
  const line = await program.line(({ msg }) => String(msg).startsWith('health and metrics on '));
  return String(line.msg).replace('health and metrics on ', '');
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('to the operator', { concurrency: true }, () => {
  test('the program tells whether it lives and is ready, and what it did; and ends in good order', async (t) => {
    const program = startProgram({ ...serving, env: { DATA_DIR: newFolder(t) } });
    const url = await origin(program);
    assert.deepEqual(await get(`${url}/healthz`), { status: 200, text: 'ok\n' });
    const ready = await get(`${url}/readyz`);
    assert.equal(ready.status, 200);
    assert.deepEqual(JSON.parse(ready.text), {
      ready: true,
      parts: [
        { name: 'store', ready: true, detail: 'answers' },
        { name: 'web', ready: true, detail: 'serving' },
      ],
    });
    const metrics = await get(`${url}/metrics`);
    for (const name of ['turns_total', 'failures_total', 'first_token_seconds_bucket', 'queue_length 0', 'running 0']) {
      assert.match(metrics.text, new RegExp(`^(# HELP )?channelore_${name}`, 'm'));
    }
    assert.match(metrics.text, /^channelore_event_loop_delay_seconds\{quantile="0.99"\} \d/m);
    assert.equal((await get(`${url}/nothing`)).status, 404);
    assert.equal((await get(`${url}/metrics`, 'POST')).status, 405);

    const port = new URL(url).port;
    const second = startProgram({ ...serving, env: { DATA_DIR: newFolder(t), PORT: port } });
    assert.equal(await second.ended, 78);
    assert.match(second.errors(), new RegExp(`^channelore: PORT ${port} on 127.0.0.1 is in use[^\\n]+\\n$`));
    assert.equal(await program.signal('SIGTERM'), 0);
    await assert.rejects(get(`${url}/healthz`));
  });

  test('with a full disk it is alive and not ready, until there is room again', { skip: cannotLimit }, async (t) => {
    const program = startProgram({ ...serving, env: { DATA_DIR: newFolder(t) } });
    const url = await origin(program);
    const setLimit = (limit: string) =>
      assert.equal(spawnSync('prlimit', ['--pid', String(program.child.pid), `--fsize=${limit}`]).status, 0);
    setLimit('1:unlimited');
    const full = await get(`${url}/readyz`);
    const health = await get(`${url}/healthz`);
    setLimit('unlimited:unlimited');
    await until(async () => (await get(`${url}/readyz`)).status === 200);
    assert.equal(await program.signal('SIGTERM'), 0);
    assert.deepEqual([full.status, health.status], [503, 200], 'what is said could not be kept');
    assert.equal(JSON.parse(full.text).parts[0].ready, false);
  });

  test('every problem of the configuration is told at once, by name, and no value of it', async (t) => {
    const env = {
      DATA_DIR: newFolder(t),
      OPENAI_API_KEY: 'sk-very-secret',
      OPENAI_BASE_URL: 'http//user:hunter2@nowhere',
      PORT: '99999',
      MEMORY_TOKENS: 'lots',
      TEMPERATURE: '-1',
      STORE_URL: 'mysql://root:hunter2@db/x',
      LISTEN: 'sometimes',
      TIMEZONE: 'Moon/Crater',
      LOG_LEVEL: 'loud',
    };
    const program = startProgram({ ...serving, env });
    assert.equal(await program.ended, 78);
    const said = program.errors() + program.output();
    const wrong = Object.keys(env).filter((name) => name !== 'DATA_DIR' && name !== 'OPENAI_API_KEY');
    const told = [...said.matchAll(/^ +- ([A-Z_]+): \S/gm)].map((match) => match[1]);
    assert.deepEqual(new Set(told), new Set(wrong));
    assert.equal(told.length, wrong.length);
    assert.doesNotMatch(said, /hunter2|secret|Crater|\n +at /);
  });

  for (const level of ['info', 'debug']) {
    test(`at ${level} the log has the ids of what happened, and no key${level === 'info' ? ' and nobody’s words' : ''}`, async (t) => {
      const apiKey = 'sk-proj-Very+Secret/Key==';
      const word = 'xylophone';
      const server = await startModelServer({
        answer(request) {
          const echo = `${request.headers.authorization} may not say ${request.last}`;
          if (request.last.includes('refuse')) return failure(400, { message: echo });
          if (request.last.includes('break')) return { pieces: ['begun ', Buffer.from(`data: {"x": "${echo}\n\n`)] };
          return `You said: ${request.last}`;
        },
      });
      t.after(() => server.close());
      const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: apiKey, LOG_LEVEL: level };
      const program = startProgram({ env });
      const ids = ['hello', 'refuse', 'break'].map((what) => say(program, `${what} ${word}`, { channel: what }));
      for (const id of ids) await program.ending(id);
      await program.ending(order(program, `role set You play the ${word}.`));
      await program.ending(order(program, `memory sing ${word}`));
      program.child.stdin?.write(`{"broken ${word}\n`);
      await program.line((line) => line.type === 'error');
      assert.equal(await program.signal('SIGTERM'), 0);
      const log = program.errors();
      for (const spelling of [
        apiKey,
        encodeURIComponent(apiKey),
        Buffer.from(apiKey).toString('base64'),
        'Very+Secret',
      ]) {
        assert.ok(!log.includes(spelling), spelling);
      }
      if (level === 'info') assert.ok(!log.includes(word), log);
      for (const [n, id] of ids.entries()) {
        if (n > 0) assert.match(log, new RegExp(`"channel":"lines/local/\\w+","event":"${id}"`));
      }
      for (const line of log.trim().split('\n')) JSON.parse(line);
    });
  }
});
