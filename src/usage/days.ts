/** Days and months as people count them: by the calendar of a time zone, whatever its clocks do. */

export type PeriodKind = 'day' | 'month';

const hourMs = 3_600_000;

const dayFormat = cached(
  (timeZone) =>
    new Intl.DateTimeFormat('en', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    }),
);

const momentFormat = cached(
  (timeZone) =>
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }),
);

/** Making a formatter takes a hundred times as long as using it. */
function cached(create: (timeZone: string) => Intl.DateTimeFormat): (timeZone: string) => Intl.DateTimeFormat {
  const made = new Map<string, Intl.DateTimeFormat>();
  return (timeZone) => {
    const before = made.get(timeZone);
    if (before !== undefined) return before;
    const format = create(timeZone);
    made.set(timeZone, format);
    return format;
  };
}

/** `YYYY-MM-DD`. */
export function dayOf(at: number, timeZone: string): string {
  const parts = dayFormat(timeZone).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** `YYYY-MM`. */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

export function periodOf(kind: PeriodKind, day: string): string {
  return kind === 'day' ? day : monthOf(day);
}

/** The period asked for last, of each kind and zone: nearly always it is asked for again. */
const lastEnds = new Map<string, { from: number; to: number }>();

/** The first moment after the day or month that holds `at`. It need not be a midnight: clocks skip some. */
export function endOf(kind: PeriodKind, at: number, timeZone: string): number {
  const key = `${kind} ${timeZone}`;
  const last = lastEnds.get(key);
  if (last !== undefined && last.from <= at && at < last.to) return last.to;
  const to = findEnd(kind, at, timeZone);
  lastEnds.set(key, { from: at, to });
  return to;
}

function findEnd(kind: PeriodKind, at: number, timeZone: string): number {
  const current = periodOf(kind, dayOf(at, timeZone));
  let inside = Math.floor(at);
  let beyond = inside + (kind === 'day' ? 50 : 33 * 24) * hourMs;
  while (beyond - inside > 1) {
    const middle = Math.floor((inside + beyond) / 2);
    if (periodOf(kind, dayOf(middle, timeZone)) > current) beyond = middle;
    else inside = middle;
  }
  return beyond;
}

/** For people: `22 Nov, 00:00 (Europe/Berlin)`. */
export function momentText(at: number, timeZone: string): string {
  return `${momentFormat(timeZone).format(at)} (${timeZone})`;
}

/** The days of a report up to today. Weeks begin on Monday. */
export function periodRange(
  name: 'today' | 'week' | 'month',
  now: number,
  timeZone: string,
): { from: string; to: string; label: string } {
  const to = dayOf(now, timeZone);
  switch (name) {
    case 'today':
      return { from: to, to, label: `today (${to})` };
    case 'week': {
      const date = new Date(`${to}T00:00:00Z`);
      const from = dayOf(date.getTime() - ((date.getUTCDay() + 6) % 7) * 24 * hourMs, 'UTC');
      return { from, to, label: `this week (${from} to ${to})` };
    }
    case 'month': {
      const from = `${monthOf(to)}-01`;
      return { from, to, label: `this month (${from} to ${to})` };
    }
  }
}
