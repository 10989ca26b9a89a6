import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { Resvg } from '@resvg/resvg-js';
import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

/** Draws one chart and sends it as a PNG. The font is brought along: a machine without any would show no words. */

const width = 900;
const height = 480;
const require = createRequire(import.meta.url);
const font = 'DejaVu Sans';

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
const { tooltip: _, ...option } = workerData.option;
chart.setOption({
  ...option,
  backgroundColor: '#ffffff',
  textStyle: { fontFamily: font },
  title: { text: workerData.title, left: 16, top: 8, textStyle: { fontSize: 16, fontFamily: font } },
  // Words are a little wider in the font brought along than ECharts thinks without a screen.
  legend: { top: 12, right: 24, itemGap: 28, itemWidth: 14, textStyle: { fontFamily: font } },
});
const svg = chart.renderToSVGString();
chart.dispose();
const image = new Resvg(svg, {
  fitTo: { mode: 'zoom', value: 2 },
  font: {
    fontFiles: [
      require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
      require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
    ],
    loadSystemFonts: true,
    defaultFontFamily: font,
  },
});
parentPort?.postMessage(image.render().asPng());
