/** Spans of days as `YYYY-MM-DD`, in the installation's own time zone: today is what the program says it is. */

export interface Period {
  from: string;
  to: string;
}

export const periodNames = ['Today', '7 days', '30 days', 'This month', 'Last month'] as const;

export type PeriodName = (typeof periodNames)[number];

export function toPeriod(name: PeriodName, today: string): Period {
  switch (name) {
    case 'Today':
      return { from: today, to: today };
    case '7 days':
      return { from: plusDays(today, -6), to: today };
    case '30 days':
      return { from: plusDays(today, -29), to: today };
    case 'This month':
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'Last month': {
      const to = plusDays(`${today.slice(0, 7)}-01`, -1);
      return { from: `${to.slice(0, 7)}-01`, to };
    }
  }
}

function plusDays(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
