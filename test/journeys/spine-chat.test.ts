import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { failure } from '../sim/model-answer.ts';
import { startModelServer } from '../sim/model-server.ts';
import { newFolder, startProgram } from './program.ts';

/** `npm run chat` in a pipe. */

const repository = path.resolve(import.meta.dirname, '../..');

describe('in a pipe', { concurrency: true }, () => {
  test('the two lines of the README: what was told is known, with no key and nothing set up', async (t) => {
    const env = {
      PATH: process.env.PATH,
      HOME: newFolder(t),
      DATA_DIR: newFolder(t),
      OLLAMA_URL: 'http://127.0.0.1:9',
    };
    const child = spawn('npm', ['run', '--silent', 'chat'], { cwd: repository, env });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stdin.end('My cat is Mirabelle.\nWhat is my cat called?\nq\n');
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 0);
    assert.match(output, /\nYou told me: “My cat is Mirabelle\.”\n$/);
    assert.ok(!output.includes('\u001b') && !output.includes('⚠️'));
  });

  test('whatever the lines are: each gets its answer or one line why not, in order', async (t) => {
    const server = await startModelServer({
      answer: ({ last, n }) => {
        if (last.includes('refuse')) return failure(400, { message: 'no' });
        if (last.includes('break')) return { pieces: ['begun '], finish: null };
        return `answer ${n}`;
      },
    });
    t.after(() => server.close());
    const env = { DATA_DIR: newFolder(t), OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-test-key' };
    const program = startProgram({ env, args: ['chat'] });
    const lines = [
      'hello',
      'refuse this',
      '',
      '   ',
      '\0\u0001',
      'break off',
      `${'long '.repeat(200_000)}`,
      '/nonsense',
    ];
    program.child.stdin?.write(`${lines.join('\n')}\r\n`);
    program.child.stdin?.write(Buffer.from([0xff, 0xfe, 0x80, 0x0a]));
    program.child.stdin?.end('the last, without an end of its line');
    assert.equal(await program.ended, 0);
    const output = program.output();
    const expected = [
      /^answer 1\n/,
      /^⚠️ The chat API refused the request \(400\)\.[^\n]*\n/,
      /^(?!⚠️)[^\n]*retry[^\n]*\n/i,
      /^Yes\? Write something[^\n]*\n/,
      /^begun \n\n⚠️ The answer broke off before its end\.[^\n]*\n/,
      /^answer \d+\n/,
      /^⚠️ [^\n]*nonsense[^\n]*\n/,
      /^answer \d+\n/,
      /^answer \d+\n$/,
    ];
    let rest = output;
    for (const pattern of expected) {
      assert.match(rest, pattern);
      rest = rest.replace(pattern, '');
    }
    assert.equal(rest, '');
  });
});
