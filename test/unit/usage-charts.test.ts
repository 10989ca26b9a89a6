import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawChart } from '../../src/usage/chart-image.ts';
import { type Charted, costChart, daysChart, groupsChart } from '../../src/usage/charts.ts';

/** Usage as charts: what is drawn adds up to what was used. */

const row = (more: Partial<Charted> = {}): Charted => ({
  kind: 'answer',
  prompt: 1000,
  cached: 400,
  completion: 50,
  cost: 2_000_000,
  ...more,
});

interface Drawn {
  name: string;
  data: number[];
}

function seriesOf(chart: { option: Record<string, unknown> } | undefined): Drawn[] {
  return chart?.option.series as Drawn[];
}

function sumOf(series: readonly Drawn[]): number {
  return series.flatMap(({ data }) => data).reduce((a, b) => a + b, 0);
}

test('each token stands in one part of one bar, and days without use are there', () => {
  const rows = [
    { ...row(), day: '2026-11-01' },
    { ...row({ kind: 'fold', cached: 0 }), day: '2026-11-04' },
    { ...row({ kind: 'recall', cached: 0, completion: 0 }), day: '2026-11-04' },
  ];
  const chart = daysChart(rows, '2026-11-01', '2026-11-05');
  assert.deepEqual((chart.option.xAxis as { data: string[] }).data, ['11-01', '11-02', '11-03', '11-04', '11-05']);
  assert.deepEqual(
    seriesOf(chart).map(({ name, data }) => ({ name, data })),
    [
      { name: 'prompt', data: [600, 0, 0, 0, 0] },
      { name: 'prompt, cached', data: [400, 0, 0, 0, 0] },
      { name: 'completion', data: [50, 0, 0, 0, 0] },
      { name: 'summaries', data: [0, 0, 0, 1050, 0] },
      { name: 'recall', data: [0, 0, 0, 1000, 0] },
    ],
  );
});

test('of very many people the largest are shown, and the others as one, on top the largest', () => {
  const rows = Array.from({ length: 40 }, (_, n) => ({
    ...row({ prompt: 1000 + n, cached: 0 }),
    group: `id${n}`,
    label: `p${n}`,
  }));
  const chart = groupsChart('person', rows);
  const names = (chart.option.yAxis as { data: string[] }).data;
  assert.deepEqual([names.length, names[0], names.at(-1)], [13, '28 others', 'p39']);
  assert.equal(
    sumOf(seriesOf(chart)),
    rows.reduce((sum, one) => sum + one.prompt + one.completion, 0),
  );
});

test('two of one name are two bars, and one of two names is one', () => {
  const rows = [
    { ...row(), group: 'a', label: 'general' },
    { ...row(), group: 'b', label: 'general' },
    { ...row(), group: 'a', label: 'renamed' },
  ];
  const chart = groupsChart('channel', rows);
  assert.deepEqual((chart.option.yAxis as { data: string[] }).data, ['general', 'general']);
  assert.deepEqual(
    seriesOf(chart).map(({ data }) => data),
    [
      [600, 1200],
      [400, 800],
      [50, 100],
    ],
  );
});

test('cost is drawn in dollars by model, and not at all where no price is known', () => {
  const rows = [
    { ...row(), day: '2026-11-01', model: 'a' },
    { ...row({ cost: undefined }), day: '2026-11-01', model: 'b' },
  ];
  const series = seriesOf(costChart(rows, '2026-11-01', '2026-11-02'));
  assert.deepEqual(
    series.map(({ name, data }) => ({ name, data })),
    [{ name: 'a', data: [0.002, 0] }],
  );
  assert.equal(costChart(rows.slice(1), '2026-11-01', '2026-11-02'), undefined);
});

test('a chart becomes a picture, whatever people are called', async () => {
  const names = ['Ann', '<script>alert(1)</script>', '{a|b}', '陳大文', '👩‍👩‍👧', '', '\u202Eevil', 'x'.repeat(5000)];
  const chart = groupsChart(
    'person',
    names.map((label, n) => ({ ...row(), group: String(n), label })),
  );
  const png = await drawChart(chart);
  assert.equal(Buffer.from(png.subarray(1, 4)).toString(), 'PNG');
  const view = new DataView(png.buffer, png.byteOffset);
  assert.deepEqual([view.getUint32(16), view.getUint32(20)], [1800, 960]);
  const empty = await drawChart({ ...chart, option: { ...chart.option, series: [] } });
  assert.ok(png.length > empty.length + 2000, 'the bars are in it');
});

test('a chart that cannot be drawn is an error, not a hanging command', async () => {
  const option = { series: [{ type: 'bar', data: [1] }] };
  await assert.rejects(drawChart({ name: 'x', title: 'x', option }), { kind: 'bug' });
});
