import type { ECharts } from 'echarts';
import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './html.ts';
import { darkNow } from './theme-choice.ts';

interface ChartProps {
  title: string;
  option: Record<string, unknown>;
}

/** The definition that becomes a picture on other platforms, drawn to be pointed at. */
export function Chart({ title, option }: ChartProps): ComponentChild {
  const place = useRef<HTMLDivElement>(null);
  const [failed, setFailed] = useState(false);
  const dark = darkNow.value;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    let chart: ECharts | undefined;
    let gone = false;
    const resizing = new ResizeObserver(() => chart?.resize());
    import('echarts').then(
      (echarts) => {
        if (gone) return;
        chart = echarts.init(element, dark ? 'dark' : null, { renderer: 'svg' });
        // Its own tooltips are written with inline styles, which the page's policy forbids.
        const tooltip = { trigger: 'axis', confine: true, renderMode: 'richText' };
        const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
        chart.setOption({
          ...option,
          title: undefined,
          tooltip,
          animation: !calm,
          backgroundColor: 'transparent',
        });
        resizing.observe(element);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      resizing.disconnect();
      chart?.dispose();
    };
  }, [option, dark]);
  return html`<div class="chart" role="img" aria-label=${`${title}: the table below has the numbers`} ref=${place}>
    ${failed ? html`<p class="empty">The charts could not be loaded.</p>` : ''}
  </div>`;
}
