import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { BotError } from '../../src/errors.ts';
import { loadPrices, type Prices } from '../../src/usage/prices.ts';
import { runs } from './property-runs.ts';

const folder = await mkdtemp(join(tmpdir(), 'prices-'));
after(() => rm(folder, { recursive: true }));

async function withFile(content: string): Promise<Prices> {
  const file = join(folder, 'prices.json');
  await writeFile(file, content);
  return await loadPrices(file);
}

const shipped = await loadPrices(undefined);
const million = { prompt: 1_000_000, cached: 0, completion: 0 };

test('a call costs its prompt, its cached prompt and its completion, each at its own price', () => {
  const usage = { prompt: 10_000, cached: 8_000, completion: 500 };
  // 2,000 at $0.25, 8,000 at $0.025 and 500 at $2 a million.
  assert.equal(shipped.costOf(usage, 'gpt-5-mini'), 500_000 + 200_000 + 1_000_000);
});

test('a dated snapshot costs what its model costs, and another model of a longer name does not', () => {
  assert.equal(shipped.costOf(million, 'gpt-5-mini-2025-08-07'), shipped.costOf(million, 'gpt-5-mini'));
  assert.equal(shipped.costOf(million, 'gpt-5-codex'), undefined);
  assert.equal(shipped.costOf(million, 'gpt-5-mini-2025-08'), undefined);
});

test('a snapshot with a price of its own keeps it', () => {
  assert.equal(shipped.costOf(million, 'gpt-4o-2024-05-13'), 5_000_000_000);
  assert.equal(shipped.costOf(million, 'gpt-4o-2024-08-06'), 2_500_000_000);
});

test('an unknown model has an unknown price, not none; the demo costs nothing', () => {
  assert.equal(shipped.costOf(million, 'llama3.2'), undefined);
  assert.equal(shipped.costOf(million, '__proto__'), undefined);
  assert.equal(shipped.costOf(million, 'demo'), 0);
});

test('where writing to the cache costs more, what was not in the cache is charged as written', () => {
  assert.equal(shipped.costOf({ prompt: 2_000, cached: 1_000, completion: 0 }, 'gpt-6-luna'), 125_000 + 10_000);
});

test('sums of many small calls do not drift', () => {
  const models = ['gpt-5-nano', 'gpt-6-luna', 'gpt-4o-mini', 'gpt-5.4-mini', 'o4-mini'];
  const calls = fc.array(fc.record({ prompt: fc.nat(5000), cached: fc.nat(6000), completion: fc.nat(2000) }));
  fc.assert(
    fc.property(fc.constantFrom(...models), calls, (model, usages) => {
      const each = usages.map(
        (usage) => shipped.costOf({ ...usage, cached: Math.min(usage.cached, usage.prompt) }, model) ?? -1,
      );
      assert.ok(each.every(Number.isSafeInteger));
      const add = (key: 'prompt' | 'cached' | 'completion') =>
        usages.reduce((sum, usage) => sum + Math.min(usage[key], key === 'cached' ? usage.prompt : Infinity), 0);
      const all = { prompt: add('prompt'), cached: add('cached'), completion: add('completion') };
      assert.equal(
        each.reduce((sum, cost) => sum + cost, 0),
        shipped.costOf(all, model),
      );
    }),
    runs(100),
  );
});

test('a price with more digits than a nano-dollar is rounded up, never to nothing', async () => {
  const own = await withFile('{"asOf": "2026-12-01", "models": {"tiny": {"prompt": 0.00001, "completion": 0}}}');
  assert.equal(own.costOf({ prompt: 1, cached: 0, completion: 0 }, 'tiny'), 1);
});

test('PRICES_FILE stands before the shipped table and leaves the rest of it in place', async () => {
  const own = await withFile(
    '{"asOf": "2026-12-01", "models": {"gpt-5-mini": {"prompt": 1, "completion": 3}, "llama3.2": {"prompt": 0, "completion": 0}}}',
  );
  assert.equal(own.costOf({ prompt: 10, cached: 10, completion: 10 }, 'gpt-5-mini-2025-08-07'), 40_000);
  assert.equal(own.costOf(million, 'llama3.2'), 0);
  assert.equal(own.costOf(million, 'gpt-5'), shipped.costOf(million, 'gpt-5'));
  assert.match(own.asOf, /^2026-12-01 \(PRICES_FILE\), others 2026-11-05$/);
});

const broken: [what: string, content: string, problems: RegExp[]][] = [
  ['is not JSON', '{"asOf":', [/PRICES_FILE: the file is not JSON/]],
  ['has no date', '{"models": {}}', [/PRICES_FILE: asOf: must be a date/]],
  [
    'has several mistakes',
    '{"asOf": "2026-12-01", "models": {"a": {"prompt": -1, "completion": "2"}, "b": {"prompt": 1, "completion": 1, "cache": 1}}}',
    [
      /PRICES_FILE: models → a → prompt: must not be below 0/,
      /PRICES_FILE: models → a → completion: must be a number/,
      /PRICES_FILE: models → b: .*"cache"/,
    ],
  ],
];

for (const [what, content, problems] of broken) {
  test(`a PRICES_FILE that ${what} is refused, with every problem named`, async () => {
    await assert.rejects(withFile(content), (error) => {
      assert.ok(error instanceof BotError);
      assert.equal(error.kind, 'config');
      for (const problem of problems) assert.match(error.message, problem);
      return true;
    });
  });
}

test('a PRICES_FILE that is not there is refused without its path', async () => {
  await assert.rejects(loadPrices(join(folder, 'absent.json')), (error) => {
    assert.ok(error instanceof BotError);
    assert.equal(error.kind, 'config');
    assert.match(error.message, /PRICES_FILE: the file cannot be read/);
    assert.ok(!error.message.includes(folder));
    return true;
  });
});
