import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BudgetLine } from '../../src/usage/budget.ts';
import type { ReportRow } from '../../src/usage/ledger.ts';
import { type TableOptions, usageTable } from '../../src/usage/usage-table.ts';
import { runs } from './property-runs.ts';
import { general, noon } from './usage-fixture.ts';

const options: TableOptions = {
  by: 'person',
  period: 'today (2026-11-21)',
  asOf: '2026-11-05',
  budgets: [],
  timeZone: 'UTC',
};

const rule = { rule: 'BUDGET_X' };
const budgets: BudgetLine[] = [
  { ...rule, subject: 'person', per: 'day', limit: 10_000, used: 8100, reserved: 1200, resetAt: noon },
  { ...rule, subject: 'channel', per: 'day', limit: 123_456_789, used: 98_765_432, reserved: 1_000_000, resetAt: noon },
  {
    ...rule,
    subject: 'workspace',
    per: 'day',
    limit: 123_456_789,
    used: 98_765_432,
    reserved: 1_000_000,
    resetAt: noon,
  },
  { ...rule, subject: 'money', per: 'month', limit: 100e9, used: 12.34e9, reserved: 0.01e9, resetAt: noon },
];

function row(more: Partial<ReportRow> = {}): ReportRow {
  const counts = { calls: 1, prompt: 1000, cached: 0, completion: 100, reasoning: 0, estimatedCalls: 0, cost: 450_000 };
  return {
    person: 'ann',
    model: 'gpt-5-mini',
    kind: 'answer',
    day: '2026-11-21',
    channel: general,
    ...counts,
    ...more,
  };
}

type Naming = (id: string) => string;

function grouped(rows: readonly ReportRow[], by: 'person' | 'day' = 'person', nameOf: Naming = (id) => id) {
  return rows.map((one) => ({ ...one, group: one[by], label: nameOf(one[by]) }));
}

/** The lines inside the block, without the heading. */
function body(table: string): string[] {
  const lines = table.split('\n');
  return lines.slice(lines.indexOf('```') + 2, lines.lastIndexOf('```'));
}

test('a table reads well', () => {
  const rows = [
    row({ person: 'Ann Example', prompt: 120_000, cached: 80_400, completion: 4100, cost: 45_000_000 }),
    row({ person: 'Ann Example', kind: 'fold', prompt: 9000, completion: 900, cost: 4_050_000 }),
    row({ person: 'Bob', prompt: 5200, completion: 310, cost: 1_920_000, estimatedCalls: 1 }),
    row({ person: 'Carl', model: 'mystery', prompt: 800, completion: 40, cost: undefined }),
  ];
  assert.equal(
    usageTable(grouped(rows), { ...options, budgets: budgets.slice(0, 1) }),
    [
      'Usage today (2026-11-21), by person',
      '```',
      'person      prompt cache compl. summ.               cost',
      'Ann Example   129k 80.4k  5.00k    7%            $0.0491',
      'Bob         ~5.20k     0   ~310    0%           ~$0.0019',
      'Carl           800     0     40    0%            unknown',
      'total        ~135k 80.4k ~5.35k    7% ~$0.0510 + unknown',
      '```',
      'Prices as of 2026-11-05. ~: partly counted by me, because the server sent no numbers.',
      'You have used 8,100 of your 10,000 tokens today, 1,200 tokens set aside: 700 tokens left until 21 Nov, 12:00 (UTC)',
    ].join('\n'),
  );
});

test('a table of nothing says so, and still what is left', () => {
  assert.match(
    usageTable([], { ...options, budgets }),
    /^No usage today \(2026-11-21\)\.\nYou have used .*\nThis channel/,
  );
});

test('the largest come first and the rest is summed', () => {
  const rows = Array.from({ length: 60 }, (_, n) => row({ person: `p${n}`, prompt: 1000 * (n + 1), completion: 0 }));
  const lines = body(usageTable(grouped(rows), options));
  assert.match(lines[0] ?? '', /^p59 +60\.0k/);
  assert.match(lines[1] ?? '', /^p58 +59\.0k/);
  const shown = lines.length - 2;
  const others = ((60 - shown) * (61 - shown)) / 2;
  assert.match(lines.at(-2) ?? '', new RegExp(`^${60 - shown} others +${others >= 1000 ? '1' : others}`));
  assert.match(lines.at(-1) ?? '', /^total +1\.83M/);
});

test('days stand newest first', () => {
  const rows = [row({ day: '2026-11-20', prompt: 9e6 }), row({ day: '2026-11-21' }), row({ day: '2026-11-19' })];
  const days = body(usageTable(grouped(rows, 'day'), { ...options, by: 'day' })).map((line) => line.split(' ')[0]);
  assert.deepEqual(days, ['2026-11-21', '2026-11-20', '2026-11-19', 'total']);
});

test('what belongs together is one line; of equal names that are cut short, the end still tells them apart', () => {
  const long = 'a-channel-with-quite-a-long-name-indeed';
  const rows = ['a', 'b', 'a'].map((group) => ({ ...row(), group, label: `${long} (${group}/T1)` }));
  const lines = body(usageTable(rows, { ...options, by: 'channel' }));
  assert.match(lines[0] ?? '', /^a-channel.*….*\(a\/T1\) +2\.00k/);
  assert.match(lines[1] ?? '', /^a-channel.*….*\(b\/T1\) +1\.00k/);
  assert.equal(lines.length, 3);
});

test('an unknown price is never shown as nothing, and a small one never as free', () => {
  const of = (cost: number | undefined) =>
    body(usageTable(grouped([row({ cost })]), options))[0]
      ?.split(/ {2,}|% /)
      .at(-1);
  assert.match(of(undefined) ?? '', /unknown$/);
  assert.match(of(1) ?? '', /<\$0\.0001$/);
  assert.match(of(0) ?? '', /\$0$/);
  const mixed = usageTable(grouped([row({ cost: 0 }), row({ person: 'bob', cost: undefined })]), options);
  assert.match(body(mixed).at(-1) ?? '', /unknown$/);
});

test('a name cannot end the block, break its line or push the columns about', () => {
  const names = [
    'a```b',
    'one\ntwo',
    'z\u0335\u0336\u0337\u0338\u0339\u033a\u033b\u033c\u033d\u033ealgo',
    '日本語の名前',
    '👩‍👩‍👧‍👦 family',
    '\u202eevil',
    ' ',
    'x'.repeat(500),
  ];
  const rows = names.map((person) => row({ person }));
  const table = usageTable(grouped(rows), options);
  assert.equal(table.split('```').length, 3);
  const lines = body(table);
  assert.equal(lines.length, names.length + 1);
  for (const line of lines) assert.match(line, / 1\.00k {5}0 {4}100| 8\.00k {5}0 {4}800/);
  assert.ok(lines.some((line) => line.startsWith('zalgo ')));
  assert.ok(lines.some((line) => line.startsWith('? ')));
  const plain = lines.filter((line) => /^[ -~…]*$/.test(line)).map((line) => line.length);
  assert.equal(new Set(plain).size, 1);
  const wideLine = lines.find((line) => line.startsWith('日本語の名前')) ?? '';
  assert.equal(wideLine.length, (plain[0] ?? 0) - 6);
});

const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom('```', '\n', '👩‍👩‍👧‍👦'.repeat(50), '名'.repeat(200)),
);
const count = fc.oneof(fc.nat(3000), fc.integer({ min: 0, max: 1e9 }));
const anyRow = fc
  .record({
    prompt: count,
    completion: count,
    cost: fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 1e13 })),
    estimatedCalls: fc.nat(1),
    kind: fc.constantFrom('answer', 'fold', 'recall'),
  })
  .map((more) => row(more));

test('500 people with any names fit one chat message of 56 columns, budgets included', () => {
  const people = fc.array(fc.tuple(anyName, anyRow), { minLength: 0, maxLength: 500, size: 'max' });
  fc.assert(
    fc.property(people, (named) => {
      const rows = named.map(([, one], n) => ({ ...one, person: String(n) }));
      const nameOf = (id: string) => named[Number(id)]?.[0] ?? '';
      const table = usageTable(grouped(rows, 'person', nameOf), { ...options, budgets });
      assert.ok(table.length <= 1900, `${table.length} characters`);
      assert.ok(table.isWellFormed());
      if (rows.length === 0) return;
      assert.equal(table.split('```').length, 3);
      const lines = body(table);
      assert.ok(lines.length >= Math.min(rows.length, 5), `only ${lines.length} lines`);
      for (const line of lines) assert.ok([...new Intl.Segmenter().segment(line)].length <= 56, line);
    }),
    { ...runs(40), endOnFailure: true },
  );
});
