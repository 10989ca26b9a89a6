import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { loadCounter, type TokenCounter } from '../../src/conversation/tokens.ts';
import { longestTurn, slowdown, timed } from './durations.ts';

/** Always the same "random" numbers. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647;
    return state / 2147483647;
  };
}

const random = createRandom();
const chars = (from: number, count: number, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(from + Math.floor(random() * count))).join('');

const length = 40_000;
const cjk = chars(0x4e00, 20_000, length);
const hostile = {
  a: 'a'.repeat(length),
  space: ' '.repeat(length),
  newline: '\n'.repeat(length),
  dash: '-'.repeat(length),
  emoji: '👩🏽‍🚀'.repeat(length / 8),
  cjk,
  'random letters': chars(97, 26, length),
  'random capitals': chars(65, 26, length),
  'blanks before a letter': `${' '.repeat(length - 1)}a`,
  'blank lines': ' \n'.repeat(length / 2),
  'combining marks': `a${'\u0301'.repeat(length)}`,
  slashes: '/.'.repeat(length / 2),
  'lone surrogates': '\ud800'.repeat(length),
  anything: chars(0, 0x10000, length),
  'special tokens': '<|endoftext|>'.repeat(length / 13),
};

suite('hostile text', () => {
  let counter: TokenCounter;
  before(async () => {
    counter = await loadCounter('o200k_base');
  });

  function countAll(parts: string[]): void {
    for (const part of parts) counter.countNow(part);
  }

  for (const [name, text] of Object.entries(hostile)) {
    // A quadratic counter takes a hundred times as long. The exact ratio is for the benchmarks, on a quiet machine.
    test(`ten times as much takes about ten times as long: ${name}`, (t) => {
      const tenths = Array.from({ length: 10 }, (_, index) => text.slice(index * 4000, (index + 1) * 4000));
      const ratio =
        10 *
        slowdown(
          () => counter.countNow(text),
          () => countAll(tenths),
          3,
        );
      t.diagnostic(`ratio ${ratio.toFixed(1)}`);
      assert.ok(ratio <= 30, `40,000 characters take ${ratio.toFixed(1)} times as long as 4,000`);
    });
  }

  test('2,000 characters are counted within 100 ms', () => {
    for (const [name, text] of Object.entries(hostile)) {
      const part = text.slice(0, 2000);
      const ms = Math.min(...[1, 2, 3].map(() => timed(() => counter.countNow(part))));
      assert.ok(ms < 100, `${name}: ${ms} ms`);
    }
  });

  test('others wait no longer for one who posts 40,000 characters than for ten', async (t) => {
    const one = await longestTurn(counter.count(cjk));
    const ten = await longestTurn(Promise.all(Array.from({ length: 10 }, () => counter.count(cjk))));
    t.diagnostic(`longest turn: ${one.toFixed(1)} ms with one, ${ten.toFixed(1)} ms with ten`);
    assert.ok(one <= 50, `${one} ms`);
    assert.ok(ten <= 50, `${ten} ms`);
  });

  test('an innocent message is counted long before the hostile one that came first', async () => {
    const order: string[] = [];
    await Promise.all([
      counter.count(cjk).then(() => order.push('hostile')),
      counter.count('What is the plan for today? '.repeat(40)).then(() => order.push('innocent')),
    ]);
    assert.deepEqual(order, ['innocent', 'hostile']);
  });

  test('what fits is found without reading on', async () => {
    const whole: number[] = [];
    const part: number[] = [];
    for (let round = 0; round < 5; round++) {
      whole.push(timed(() => counter.countNow(cjk)));
      const begun = performance.now();
      await counter.fit(cjk, 100);
      part.push(performance.now() - begun);
    }
    assert.ok(median(part) < median(whole) / 2, `${median(part)} ms to ${median(whole)} ms`);
  });
});

test('reading the tokens takes far less time and memory than js-tiktoken takes', async (t) => {
  const ours = `const { loadCounter } = await import('./src/conversation/tokens.ts');
    const begin = measure(); const counter = await loadCounter('o200k_base'); counter.countNow('Hello');`;
  const theirs = `const { Tiktoken } = await import('js-tiktoken/lite');
    const begin = measure(); const { default: ranks } = await import('js-tiktoken/ranks/o200k_base');
    const counter = new Tiktoken(ranks); counter.encode('Hello');`;
  const [us, them] = [await measureLoad(ours), await measureLoad(theirs)];
  t.diagnostic(
    `ours ${us.ms.toFixed(0)} ms, ${us.mb.toFixed(0)} MB; theirs ${them.ms.toFixed(0)} ms, ${them.mb.toFixed(0)} MB`,
  );
  assert.ok(us.ms <= 0.6 * them.ms, `${us.ms} ms to ${them.ms} ms`);
  assert.ok(us.mb <= 0.4 * them.mb, `${us.mb} MB to ${them.mb} MB`);
});

async function measureLoad(program: string): Promise<{ ms: number; mb: number }> {
  const script = `
    const measure = () => ({ ms: performance.now(), mb: process.memoryUsage.rss() / 1e6 });
    ${program}
    const end = measure();
    console.log(JSON.stringify({ ms: end.ms - begin.ms, mb: end.mb - begin.mb }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
