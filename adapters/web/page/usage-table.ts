import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { UsageRowView } from '../views.ts';
import { html } from './html.ts';
import { toCount, toDollars } from './numbers.ts';
import { type Column, type Grouping, groupings, type Sum, sorted, sumBy, sumOf } from './usage-sums.ts';

const columns: readonly { column: Column; title: string }[] = [
  { column: 'name', title: '' },
  { column: 'calls', title: 'Calls' },
  { column: 'prompt', title: 'Prompt' },
  { column: 'cached', title: 'Cached' },
  { column: 'completion', title: 'Completion' },
  { column: 'fold', title: 'Summaries' },
  { column: 'cost', title: 'Cost' },
];

export function UsageTable({ rows }: { rows: readonly UsageRowView[] }): ComponentChild {
  const [grouping, setGrouping] = useState<Grouping>('day');
  const [order, setOrder] = useState<{ column: Column; falling: boolean }>({ column: 'name', falling: true });
  const sums = sorted(sumBy(rows, grouping), order.column, order.falling);
  const group = (next: Grouping) => {
    setGrouping(next);
    setOrder(next === 'day' ? { column: 'name', falling: true } : { column: 'prompt', falling: true });
  };
  return html`<section class="card" aria-label="Table">
    <div class="table-head"><h2>By ${grouping}</h2>
      <div class="segments" role="group" aria-label="Add up by">
        ${groupings.map(
          (each) => html`<button type="button" aria-pressed=${each === grouping} onClick=${() => group(each)}>
            ${each.charAt(0).toUpperCase() + each.slice(1)}
          </button>`,
        )}
      </div>
    </div>
    <div class="table-box" tabindex="0" role="group" aria-label="Usage, added up">
      <table>
        <thead><tr>
          ${columns.map(({ column, title }) => {
            const ordered = order.column === column;
            return html`<th scope="col" aria-sort=${ordered ? (order.falling ? 'descending' : 'ascending') : undefined}>
              <button type="button" onClick=${() => setOrder({ column, falling: ordered ? !order.falling : true })}>
                ${title === '' ? grouping.charAt(0).toUpperCase() + grouping.slice(1) : title}
                ${ordered ? (order.falling ? ' ↓' : ' ↑') : ''}
              </button>
            </th>`;
          })}
        </tr></thead>
        <tbody>${sums.map((sum) => html`<${Row} key=${sum.name} sum=${sum} />`)}</tbody>
        <tfoot><${Row} sum=${sumOf(rows, 'Total')} /></tfoot>
      </table>
    </div>
  </section>`;
}

function Row({ sum }: { sum: Sum }): ComponentChild {
  const { name, calls, prompt, cached, completion, fold, cost, unpriced } = sum;
  const known = unpriced === 0 ? toDollars(cost) : cost === 0 ? 'unknown' : `${toDollars(cost)} and unknown`;
  return html`<tr>
    <td>${name}</td>
    ${[calls, prompt, cached, completion, fold].map((value) => html`<td>${toCount(value)}</td>`)}
    <td>${known}</td>
  </tr>`;
}
