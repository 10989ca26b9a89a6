import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayOf, endOf, momentText, monthOf, periodRange } from '../../src/usage/days.ts';
import { runs } from './property-runs.ts';

const hour = 3_600_000;

test('a day begins at midnight where the people are', () => {
  const at = Date.UTC(2026, 10, 21, 23, 30);
  assert.equal(dayOf(at, 'UTC'), '2026-11-21');
  assert.equal(dayOf(at, 'Europe/Berlin'), '2026-11-22');
  assert.equal(dayOf(at, 'America/New_York'), '2026-11-21');
  assert.equal(dayOf(at, 'Asia/Kathmandu'), '2026-11-22');
});

test('the last moment of a year belongs to its own month', () => {
  assert.equal(monthOf(dayOf(Date.UTC(2026, 11, 31, 23, 59, 59, 999), 'UTC')), '2026-12');
  assert.equal(monthOf(dayOf(Date.UTC(2026, 11, 31, 23, 59, 59, 999), 'Europe/Berlin')), '2027-01');
});

test('days with 23 and 25 hours end at their own midnight', () => {
  const spring = Date.UTC(2026, 2, 28, 23); // 29 March, 00:00 in Berlin; 02:00 does not exist that day
  assert.equal(endOf('day', spring, 'Europe/Berlin') - spring, 23 * hour);
  const autumn = Date.UTC(2026, 9, 24, 22); // 25 October, 00:00 in Berlin; 02:00 comes twice
  assert.equal(endOf('day', autumn, 'Europe/Berlin') - autumn, 25 * hour);
});

test('a day whose midnight the clocks skip begins after it', () => {
  // In 2018 São Paulo went from 3 November, 23:59:59 to 4 November, 01:00.
  assert.equal(endOf('day', Date.UTC(2018, 10, 3, 12), 'America/Sao_Paulo'), Date.UTC(2018, 10, 4, 3));
});

test('a day that the calendar skips is nobody’s next day', () => {
  // Samoa had no 30 December 2011.
  const end = endOf('day', Date.UTC(2011, 11, 30, 0), 'Pacific/Apia');
  assert.equal(dayOf(end - 1, 'Pacific/Apia'), '2011-12-29');
  assert.equal(dayOf(end, 'Pacific/Apia'), '2011-12-31');
});

test('a month ends with its last day, in its own zone, across a change of the clocks', () => {
  const at = Date.UTC(2026, 9, 10);
  assert.equal(endOf('month', at, 'Europe/Berlin'), Date.UTC(2026, 9, 31, 23));
});

test('the end of a day is the first moment of the next, for any moment and zone', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'Pacific/Kiritimati',
  ];
  const moments = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) });
  fc.assert(
    fc.property(moments, fc.constantFrom(...zones), (at, zone) => {
      const end = endOf('day', at, zone);
      assert.equal(dayOf(end - 1, zone), dayOf(at, zone));
      assert.ok(dayOf(end, zone) > dayOf(at, zone));
      assert.ok(end - at <= 25 * hour);
    }),
    runs(200),
  );
});

test('a week begins on Monday and a month on its first, both end today', () => {
  const saturday = Date.UTC(2026, 10, 21, 12);
  assert.deepEqual(periodRange('today', saturday, 'UTC'), {
    from: '2026-11-21',
    to: '2026-11-21',
    label: 'today (2026-11-21)',
  });
  assert.equal(periodRange('week', saturday, 'UTC').from, '2026-11-16');
  assert.equal(periodRange('week', Date.UTC(2026, 10, 16), 'UTC').from, '2026-11-16');
  assert.equal(periodRange('week', Date.UTC(2027, 0, 1), 'UTC').from, '2026-12-28');
  assert.equal(periodRange('month', saturday, 'UTC').from, '2026-11-01');
  assert.equal(periodRange('month', saturday, 'UTC').to, '2026-11-21');
});

test('a moment is told in the zone it is counted in', () => {
  assert.equal(momentText(Date.UTC(2026, 10, 21, 23), 'Europe/Berlin'), '22 Nov, 00:00 (Europe/Berlin)');
});
