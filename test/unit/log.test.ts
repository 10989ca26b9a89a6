import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { BotError } from '../../src/errors.ts';
import { createLog, type LogOptions } from '../../src/log.ts';
import { runs } from './property-runs.ts';

function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLog({ level: 'info', format: 'json', secrets: [], destination, ...options });
  return { log, lines, first: () => JSON.parse(lines[0] ?? '{}') };
}

const key = 'sk-Ünï/9+key with "quotes" & more';

test('a secret is redacted wherever in a line it stands', () => {
  const { log, lines } = record({ level: 'debug', secrets: [key, 'shorter-one'] });
  const inner = new Error(`refused ${key}`);
  const error = new BotError('credentials', `the key ${key} was refused`, { cause: inner });
  const circular: Record<string, unknown> = { key };
  circular.self = circular;
  const fields = [
    { key },
    { nested: { deeper: [{ list: ['shorter-one', key] }] } },
    { [key]: 'as a name' },
    { err: error },
    { err: new AggregateError([inner], 'several', { cause: key }) },
    { thrown: key },
    { map: new Map([[key, key]]), set: new Set([key]), headers: new Headers({ authorization: encodeURI(key) }) },
    { address: new URL(`http://localhost/?key=${encodeURIComponent(key)}`) },
    { circular },
    { bytes: Buffer.from(key) },
    { big: `${'x'.repeat(3_990)}${key}` },
  ];
  for (const one of fields) log.error(one, `a message with ${key} in it`);
  log.child({ bound: key }).info({}, 'child');
  assert.equal(lines.length, fields.length + 1 + 2, 'each line, and two errors in full');
  for (const line of lines) {
    const found = ['sk-', '9+key', 'shorter', 'quotes', 'sk-%C3'].filter((part) => line.includes(part));
    assert.deepEqual(found, [], line);
    assert.doesNotThrow(() => JSON.parse(line));
  }
});

test('a secret is redacted however it is spelt', () => {
  const spellings = [
    encodeURIComponent(key),
    encodeURIComponent(key).toLowerCase().replace('sk-%c3%9cn', 'sk-%c3%9Cn'),
    new URLSearchParams({ key }).toString().slice(4),
    JSON.stringify(key),
    JSON.stringify(JSON.stringify({ key })),
    `Basic ${Buffer.from(`user:${key}`).toString('base64')}`,
    `Basic ${Buffer.from(`${key}:`).toString('base64url')}`,
    Buffer.from(`{"token":"${key}","n":1}`).toString('base64'),
    encodeURIComponent(Buffer.from(`ab${key}`).toString('base64')),
  ];
  const core = Buffer.from(key).toString('base64').slice(4, 20);
  for (const spelling of spellings) {
    const { log, first } = record({ secrets: [key] });
    log.info({ spelling }, 'x');
    const { spelling: written } = first();
    assert.match(written, /\[redacted\]/, spelling);
    assert.ok(!/sk|key%|quotes/i.test(written) && !written.includes(core), `${spelling} became ${written}`);
  }
});

test('no random secret survives, with anything around it, in JSON or pretty lines', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const secret = fc.string({ minLength: 8, maxLength: 40 }).filter((one) => new Set(one).size > 4);
  fc.assert(
    fc.property(secret, text, text, fc.constantFrom('json', 'pretty'), (one, before, after, format) => {
      const { log, lines } = record({ secrets: [one], format });
      const whole = before + one + after;
      log.info({ whole, percent: encodeURIComponent(one), basic: Buffer.from(whole).toString('base64') }, whole);
      const line = lines.join('');
      for (const spelling of [one, encodeURIComponent(one), JSON.stringify(one).slice(1, -1)]) {
        assert.ok(!line.includes(spelling), `${JSON.stringify(one)} in ${line}`);
      }
      // Of the base64 text, what only the secret decides; the text around it may happen to hold the same.
      const encoded = Buffer.from(whole).toString('base64');
      const start = Buffer.byteLength(before);
      const [from, to] = [Math.ceil(start / 3) * 4, Math.floor((start + Buffer.byteLength(one)) / 3) * 4];
      const [own, around] = [encoded.slice(from, to), `${encoded.slice(0, from)} ${encoded.slice(to)}`];
      assert.ok(around.includes(own) || !line.includes(own), line);
    }),
    runs(300),
  );
});

test('the credentials of any address are redacted, and its password also where it stands alone', () => {
  const { log, lines } = record({ secrets: ['postgres://bot:p%40ssw0rd@db.example/main'] });
  log.warn({ to: 'redis://other:hunter2@cache:6379/0', why: 'password "p@ssw0rd" refused' }, 'p%40ssw0rd');
  log.warn({ proxy: Buffer.from('bot:p@ssw0rd').toString('base64') }, 'proxy');
  assert.match(lines[0] ?? '', /redis:\/\/\[redacted\]@cache:6379/);
  assert.ok(!/hunter2|ssw0rd/.test(lines.join('')));
  assert.ok(!lines.join('').includes(Buffer.from('bot:p@ssw0rd').toString('base64').slice(8, 14)));
});

test('a number that is a secret is redacted and the line stays whole', () => {
  const { log, first } = record({ secrets: ['24682468', 'sometimes', 'message-words'] });
  log.info({ id: 246824681, other: 7 }, 'the sometimes of message-words');
  assert.deepEqual([first().id, first().other], ['[redacted]1', 7]);
  assert.equal(first().msg, 'the [redacted] of [redacted]');
  assert.equal(first().level, 30);
});

test('an error is written with its kind, its codes, where it happened and every cause', () => {
  const system = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', port: 5432 });
  const middle = new TypeError('fetch failed', { cause: system });
  const { log, first } = record();
  log.error({ err: new BotError('store', 'the store is away', { cause: middle, retryAt: 5 }) }, 'failed');
  const { err } = first();
  assert.deepEqual([err.type, err.kind, err.message, err.retryAt], ['BotError', 'store', 'the store is away', 5]);
  assert.match(err.stack, /^\s+at .*log\.test\.ts/);
  assert.deepEqual([err.cause.type, err.cause.message], ['TypeError', 'fetch failed']);
  assert.deepEqual([err.cause.cause.code, err.cause.cause.port], ['ECONNREFUSED', 5432]);
});

test('what a person wrote, quoted by a foreign error, is not logged above debug', () => {
  const parse = () => JSON.parse('My cat is Mirabelle');
  const foreign = (): unknown => {
    try {
      return parse();
    } catch (error) {
      return error;
    }
  };
  const err = new BotError('model', 'the model answered nonsense', { cause: foreign() });
  const outer = Object.assign(new Error('Mirabelle', { cause: 'Mirabelle' }), { body: 'Mirabelle' });
  const quiet = record({ level: 'info' });
  quiet.log.error({ err, outer }, 'failed');
  assert.equal(quiet.lines.length, 1);
  assert.ok(!quiet.lines.join('').includes('Mirabelle') && quiet.lines.join('').includes('SyntaxError'));

  const verbose = record({ level: 'debug' });
  verbose.log.error({ err, outer }, 'failed');
  const levels = verbose.lines.map((line) => [JSON.parse(line).level, line.includes('My cat')]);
  assert.deepEqual(levels, [
    [50, false],
    [20, true],
  ]);
});

test('a short key damages no other word; as a credential it is hidden all the same', () => {
  for (const short of ['x', 'retry', 'EMPTY', 'ollama', '1234567']) {
    const { log, first } = record({ secrets: [short] });
    const fields = { next: 'retry', x: 'a box', model: 'ollama/EMPTY', port: 12345678, levels: ['x', 'retry'] };
    const authorization = short;
    const headers = { authorization: `Bearer ${short}`, 'x-api-key': short, 'Proxy-Authorization': short };
    log.warn({ ...fields, authorization, headers }, `sent Bearer ${short}, then asked for next`);
    const { level: _, time: __, msg, ...written } = first();
    const hidden = '[redacted]';
    assert.deepEqual(written, {
      ...fields,
      authorization: hidden,
      headers: { authorization: hidden, 'x-api-key': hidden, 'Proxy-Authorization': hidden },
    });
    assert.equal(msg, `sent Bearer ${hidden}, then asked for next`);
  }
});

test('no name of a field is damaged by a password that is the same word', () => {
  const { log, first } = record({ secrets: ['password', 'continue'] });
  log.info({ continue: 1, value: 'continue' }, 'a line');
  assert.deepEqual([first().continue, first().value], [1, '[redacted]']);
});

test('logging never throws, whatever it is given', () => {
  const hostile = {
    get trap(): string {
      throw new Error('no');
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  let deep: object = {};
  for (let i = 0; i < 100; i++) deep = { deep };
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withDate: true, withNullPrototype: true }), (thing) => {
      const { log, lines } = record({ secrets: ['x'] });
      log.error({ thing }, 'x');
      JSON.parse(lines[0] ?? '');
    }),
    runs(100),
  );
  const { log, lines } = record();
  log.error({ hostile, deep, date: new Date(Number.NaN), fn: () => 1, symbol: Symbol('s') }, 'hostile');
  log.error({ proxy }, 'revoked');
  assert.match(lines[0] ?? '', /"hostile":"\(unreadable\)"/);
  assert.equal(lines.length, 2);
});

test('lines below the level are not written, and a child carries its fields', () => {
  const { log, lines } = record({ level: 'warn' });
  log.info({}, 'no');
  log.debug({}, 'no');
  log.child({ channel: 'a/b' }).child({ event: 'e1' }).warn({ turn: 3 }, 'yes');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"channel":"a\/b","event":"e1","turn":3,"msg":"yes"/);
});

test('a pretty line, and a JSON line, are out before the process is killed', () => {
  for (const format of ['pretty', 'json']) {
    const program = `import { createLog } from '${new URL('../../src/log.ts', import.meta.url).href}';
      const log = createLog({ level: 'info', format: '${format}', secrets: [], destination: 1 });
      for (let i = 0; i < 50; i++) log.info({ i }, 'before');
      log.info({}, 'last words');
      process.kill(process.pid, 'SIGKILL');`;
    const { stdout: out } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.match(out, /last words/);
    assert.ok(!out.includes('\u001b'), 'no colours where nobody sees them');
  }
});
