import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toCsv } from '../../adapters/web/usage-csv.ts';

type Row = Parameters<typeof toCsv>[0][number];

test('a cost stands in plain digits, without zeros that say nothing', () => {
  const costs = [0, 3, 10.5, 1.25, 100.01, 0.1, 0.0000012, 0.0000000001, 20.000000001];
  const cells = toCsv(costs.map((cost) => ({ cost }) as Row))
    .trim()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(',').at(-2));
  assert.deepEqual(cells, ['0', '3', '10.5', '1.25', '100.01', '0.1', '0.0000012', '0', '20.000000001']);
});
