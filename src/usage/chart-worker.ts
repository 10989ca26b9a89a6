import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { Resvg } from '@resvg/resvg-js';
import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Chart } from './charts.ts';

/** Draws charts and sends each back as a PNG. The font is brought along: a machine without any would show no words. */

const width = 900;
const height = 480;
const require = createRequire(import.meta.url);
const font = 'DejaVu Sans';
const image = {
  fitTo: { mode: 'zoom', value: 2 },
  font: {
    fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => require.resolve(`dejavu-fonts-ttf/ttf/${file}`)),
    loadSystemFonts: true,
    defaultFontFamily: font,
  },
} as const;

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

function draw({ title, option }: Chart): Buffer {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    const { tooltip: _, ...shown } = option;
    chart.setOption({
      ...shown,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: font },
      title: { text: title, left: 16, top: 8, textStyle: { fontSize: 16, fontFamily: font } },
      // Words are a little wider in the font brought along than ECharts thinks without a screen.
      legend: { top: 12, right: 24, itemGap: 28, itemWidth: 14, textStyle: { fontFamily: font } },
    });
    return new Resvg(chart.renderToSVGString(), image).render().asPng();
  } finally {
    chart.dispose();
  }
}

parentPort?.on('message', (chart: Chart) => {
  try {
    parentPort?.postMessage({ png: draw(chart) });
  } catch (error) {
    parentPort?.postMessage({ problem: error instanceof Error ? error.message : String(error) });
  }
});
