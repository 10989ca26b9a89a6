import { computed, signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import type { UsageReport } from '../views.ts';
import type { UsageAnswer } from '../wire.ts';
import { Chart } from './chart.ts';
import { ConfirmDialog, confirmFirst } from './confirm-dialog.ts';
import { html } from './html.ts';
import { icon, mark } from './icons.ts';
import { toCompact, toCount, toDollars, toNoun, toShare } from './numbers.ts';
import { type Period, periodNames, toPeriod } from './period.ts';
import { get, problemOf } from './server.ts';
import { logOutEverybody, me } from './session.ts';
import { ThemeButton } from './sidebar.ts';
import { sumOf } from './usage-sums.ts';
import { UsageTable } from './usage-table.ts';

const report = signal<UsageReport | undefined>(undefined);
const problem = signal('');
/** Absent: what the program takes as today says which days are meant. */
const period = signal<Period | undefined>(undefined);

const query = computed(() => new URLSearchParams({ ...period.value }).toString());

export async function loadUsage(): Promise<void> {
  try {
    const asked = period.value ?? toPeriod('30 days', new Date().toISOString().slice(0, 10));
    const answer = await get<UsageAnswer>(`/api/usage?from=${asked.from}&to=${asked.to}`);
    if (period.value !== undefined && period.value !== asked) return;
    period.value = asked;
    report.value = answer;
    problem.value = '';
  } catch (error) {
    problem.value = problemOf(error);
  }
}

function choose(next: Period): void {
  period.value = next;
  void loadUsage();
}

export function UsagePage(): ComponentChild {
  const shown = report.value;
  return html`<div class="usage" tabindex="-1"><div class="usage-inner">
    <header class="usage-head">
      <a class="brand" href="/">${mark(24)} Channelore</a>
      <nav aria-label="Pages">
        ${me.value?.hasLogin === true ? html`<button type="button" class="button small" onClick=${endSessions}>Log everybody out</button>` : ''}
        <a class="button small" href="/">Console</a> <${ThemeButton} />
      </nav>
    </header>
    <main class="usage-inner-main">
      <h1>Usage</h1>
      ${problem.value === '' ? '' : html`<p class="warning" role="alert">${problem.value}</p>`}
      ${shown === undefined ? '' : html`<${Report} report=${shown} />`}
    </main>
    <${ConfirmDialog} />
  </div></div>`;
}

function endSessions(): void {
  confirmFirst({
    title: 'Log everybody out?',
    text: 'Everybody who gave a password has to give it again, you too. Nothing that was said is lost.',
    action: 'Log everybody out',
    run: logOutEverybody,
  });
}

function Report({ report: shown }: { report: UsageReport }): ComponentChild {
  const total = sumOf(shown.rows, 'Total');
  const [first, ...others] = shown.charts;
  return html`<${PeriodPicker} report=${shown} />
    <${Tiles} report=${shown} />
    ${shown.budgets.length === 0 ? '' : html`<${Budgets} report=${shown} />`}
    ${
      total.calls === 0
        ? html`<p class="card empty">Nothing was asked in these days.</p>`
        : html`<div class="cards">
            ${first === undefined ? '' : html`<section class="card first" aria-label=${first.title}><h2>${first.title}</h2><${Chart} ...${first} /></section>`}
            ${others.map((chart) => html`<section class="card" key=${chart.name} aria-label=${chart.title}><h2>${chart.title}</h2><${Chart} ...${chart} /></section>`)}
          </div>
          <${UsageTable} rows=${shown.rows} />`
    }
    <p class="hint">Days are those of ${shown.timeZone}. Prices as of ${shown.pricesAsOf}; where a price is not known, none is guessed.</p>`;
}

function PeriodPicker({ report: { today, from, to } }: { report: UsageReport }): ComponentChild {
  const onDate = (end: 'from' | 'to') => (event: Event) => {
    if (!(event.target instanceof HTMLInputElement) || event.target.value === '') return;
    const next = { from, to, [end]: event.target.value };
    choose(next.from <= next.to ? next : { from: event.target.value, to: event.target.value });
  };
  return html`<div class="period">
    <div class="segments" role="group" aria-label="Period">
      ${periodNames.map((name) => {
        const meant = toPeriod(name, today);
        return html`<button type="button" aria-pressed=${meant.from === from && meant.to === to}
          onClick=${() => choose(meant)}>${name}</button>`;
      })}
    </div>
    <div class="dates">
      <label>From <input class="input" type="date" value=${from} max=${today} onChange=${onDate('from')} /></label>
      <label>to <input class="input" type="date" value=${to} max=${today} onChange=${onDate('to')} /></label>
    </div>
    <div class="downloads">
      <a class="button small" href=${`/api/usage.csv?${query.value}`} download>${icon('download', 14)} CSV</a>
      <a class="button small" href=${`/api/usage.json?${query.value}`} download>${icon('download', 14)} JSON</a>
    </div>
  </div>`;
}

function Tiles({ report: { rows } }: { report: UsageReport }): ComponentChild {
  const total = sumOf(rows, 'Total');
  const sent = total.prompt + total.completion;
  const tiles = [
    {
      name: 'Cost',
      value: total.unpriced > 0 && total.cost === 0 ? 'unknown' : toDollars(total.cost),
      hint: total.unpriced > 0 ? `${toNoun(total.unpriced, 'call')} without a known price` : '',
    },
    {
      name: 'Calls',
      value: toCompact(total.calls),
      hint: total.estimated > 0 ? `${toCount(total.estimated)} estimated` : '',
    },
    {
      name: 'Prompt tokens',
      value: toCompact(total.prompt),
      hint: `${percent(total.cached, total.prompt)} from the cache`,
    },
    { name: 'Completion tokens', value: toCompact(total.completion), hint: '' },
    { name: 'Spent on summaries', value: toCompact(total.fold), hint: `${percent(total.fold, sent)} of all tokens` },
  ];
  return html`<dl class="tiles">
    ${tiles.map(({ name, value, hint }) => html`<div class="tile"><dt>${name}</dt><dd>${value} <span class="hint">${hint}</span></dd></div>`)}
  </dl>`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${Math.round((100 * part) / whole)}%`;
}

function Budgets({ report: { budgets } }: { report: UsageReport }): ComponentChild {
  return html`<section class="card" aria-label="Budgets"><h2>Budgets</h2>
    <ul class="budgets">
      ${budgets.map(({ name, used, limit, unit, until }) => {
        const amount = unit === 'USD' ? toDollars : toCompact;
        const left = Math.max(0, limit - used);
        return html`<li>
          <div class="budget-line"><span>${name}</span>
            <span>${amount(used)} of ${amount(limit)}${unit === 'tokens' ? ' tokens' : ''}, ${amount(left)} left until ${until}</span></div>
          <div class=${used >= limit ? 'meter over' : 'meter'}><i style=${{ width: toShare(Math.min(used, limit), limit) }}></i></div>
        </li>`;
      })}
    </ul>
  </section>`;
}
